//! Files that are secrets by their names. Pure tables; touches nothing.

/// What a file of this path holds, whatever is in it.
pub(super) fn kind_of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let below = |dir: &str| path == dir || path.ends_with(&format!("/{dir}"));
    match name {
        ".env" => return Some("a file of environment variables"),
        "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ecdsa_sk" | "id_ed25519" | "id_ed25519_sk" => {
            return Some("a private SSH key");
        }
        ".netrc" | "_netrc" | ".pgpass" | ".git-credentials" | ".vault-token" => {
            return Some("a file of passwords");
        }
        "application_default_credentials.json" | "access_tokens.db" => {
            return Some("credentials of Google Cloud");
        }
        "credentials" if below(".aws/credentials") => return Some("credentials of AWS"),
        "credentials.db" if below("gcloud/credentials.db") => {
            return Some("credentials of Google Cloud");
        }
        _ => {}
    }
    if let Some(variant) = name.strip_prefix(".env.") {
        return (!is_example(variant)).then_some("a file of environment variables");
    }
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "p12" | "pfx" | "jks" | "keystore" | "kdbx" | "ppk" if !stem.is_empty() => {
            Some("a store of private keys")
        }
        _ => None,
    }
}

/// `.env.example` and its like are there to be copied.
fn is_example(variant: &str) -> bool {
    variant.split('.').any(|part| {
        matches!(part, "example" | "sample" | "template" | "tmpl" | "dist" | "defaults" | "schema")
    })
}

/// A file of settings in which passwords and tokens stand among other things: what it would be called, and the words that come
/// right before one. A value that is empty, or that names a variable, is none.
pub(super) fn settings_of(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let in_dir = |dir: &str| path.strip_suffix(name).is_some_and(|above| above.ends_with(dir));
    Some(match name {
        ".npmrc" => ("a token of npm", &["_authToken=", "_password=", "_auth="]),
        ".pypirc" => ("a password of a package index", &["password=", "password:"]),
        "config.json" if in_dir(".docker/") => {
            ("a password of a registry", &["\"auth\":", "\"identitytoken\":"])
        }
        "config" if in_dir(".kube/") => ("credentials of a cluster", KUBERNETES),
        "kubeconfig" => ("credentials of a cluster", KUBERNETES),
        "credentials.json" => {
            ("credentials of Google Cloud", &["\"client_secret\":", "\"refresh_token\":"])
        }
        _ => return None,
    })
}

const KUBERNETES: &[&str] = &["client-key-data:", "token:", "password:"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        for path in [
            ".env",
            "app/.env",
            ".env.local",
            ".env.production",
            "x/id_rsa",
            "x/id_ed25519",
            ".netrc",
            "home/.aws/credentials",
            ".aws/credentials",
            "certs/app.p12",
            "a.jks",
            ".config/gcloud/application_default_credentials.json",
        ] {
            assert!(kind_of(path).is_some(), "{path}");
        }
        for path in [
            ".env.example",
            ".env.sample",
            ".env.template",
            ".env.local.example",
            "env",
            "x.env",
            ".envrc",
            "id_rsa.pub",
            "id_rsa.py",
            "credentials",
            "aws/credentials",
            "credentials.json",
            "jks.py",
            ".p12",
            "netrc.py",
            "app.pem",
            "app.key",
        ] {
            assert_eq!(kind_of(path), None, "{path}");
        }
        assert!(settings_of(".docker/config.json").is_some());
        assert!(settings_of("app/config.json").is_none());
    }
}
