//! What stops a push, and what does not.

use super::*;
use crate::cas::pack::{OutsideLinks, walk};
use std::fs;
use std::path::Path;

fn key() -> String {
    let data = "MC4CAQAwBQYDK2VwBCIEIGpTQ0lXb0tYcVJ3ZUh5dVpOa0xtUHZCZHNGZ0FqVGk1";
    ["-----BEGIN ", "PRIVATE KEY-----\n", data, "\n-----END ", "PRIVATE KEY-----\n"].concat()
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn entries(root: &Path) -> Vec<SourceEntry> {
    walk(root, OutsideLinks::Refuse, &|_, _| false).unwrap()
}

/// What `all` finds; packing must find the same, file by file.
fn found(root: &Path, allow: &[&str]) -> Vec<String> {
    let allow: Vec<String> = allow.iter().map(|&glob| glob.to_owned()).collect();
    let mut entries = entries(root);
    let guard = Guard::new(&entries, &allow).unwrap();
    let all = guard.all(&entries);
    match guard.attach(&mut entries) {
        Err(error) => assert!(all.iter().any(|secret| secret.line == 0), "{error}"),
        Ok(()) => {
            let refused = entries.iter().filter(|entry| {
                let SourceNode::File(file) = &entry.node else { return false };
                let bytes = fs::read(&file.origin).unwrap();
                file.rewrite.as_ref().is_some_and(|rewrite| rewrite.apply(bytes).is_err())
            });
            let refused: Vec<&str> = refused.map(|entry| entry.path.as_str()).collect();
            let named: Vec<&str> = all.iter().map(|secret| secret.path.as_str()).collect();
            assert_eq!(refused, named);
        }
    }
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn secrets_are_named_by_place_and_kind() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let text = format!("import x\nKEY = '''{}'''\n", key());
    write(root, "app/settings.py", text.as_bytes());
    write(root, "app/.env", b"A=1\n");
    write(root, "app/.env.example", b"A=1\n");
    write(root, "home/.npmrc", b"//registry/:_authToken=abcdef\n");
    // An empty file is no secret, and what is no text has none.
    write(root, "other/.env", b"");
    write(root, "lib.so", &[b"\0\0".to_vec(), key().into_bytes()].concat());
    write(root, "model.pyc", &[b"\0\0".to_vec(), key().into_bytes()].concat());
    let expected = [
        "app/.env: a file of environment variables",
        "app/settings.py:2: a private key",
        "home/.npmrc:1: a token of npm",
        "model.pyc:1: a private key",
    ];
    assert_eq!(found(root, &[]), expected);
    assert_eq!(found(root, &["/app", "*.pyc", ".npmrc"]), [""; 0]);
    assert_eq!(found(root, &[".env"]), expected[1..]);
}

#[test]
fn the_message_has_no_secret_in_it() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.py", key().as_bytes());
    let mut entries = entries(dir.path());
    Guard::new(&entries, &[]).unwrap().attach(&mut entries).unwrap();
    let SourceNode::File(file) = &entries[0].node else { panic!() };
    let rewrite = file.rewrite.as_ref().unwrap();
    let error = rewrite.apply(key().into_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this looks like secrets, which don't go into bundles:\n  a.py:1: a private key"
    );
    assert!(!format!("{error:?} {rewrite:?}").contains("MC4CAQ"));
    assert_eq!(rewrite.apply(b"fine".to_vec()).unwrap(), Some(b"fine".to_vec()));
}

#[test]
fn what_was_published_is_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let site = "lib/python3.11/site-packages";
    write(root, &format!("{site}/web/test.key"), key().as_bytes());
    assert_eq!(found(root, &[]).len(), 1);
    let line = format!("web/test.key,sha256={},119\n", published::recorded_as(key().as_bytes()));
    write(root, &format!("{site}/web-1.0.dist-info/RECORD"), line.as_bytes());
    assert_eq!(found(root, &[]), [""; 0]);
    // Changed since, so it is not what was published.
    write(root, &format!("{site}/web/test.key"), format!("#\n{}", key()).as_bytes());
    assert_eq!(found(root, &[]), [format!("{site}/web/test.key:2: a private key")]);
    // From a directory: nobody published it.
    write(root, &format!("{site}/web/test.key"), key().as_bytes());
    write(root, &format!("{site}/web-1.0.dist-info/direct_url.json"), b"{}");
    assert_eq!(found(root, &[]).len(), 1);
}
