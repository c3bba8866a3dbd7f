//! What makes a directory a Bazel repository, and what its root says about the whole. Touches the disk through `files` only.

use std::path::Path;

use super::files;
use super::settings::Dialect;

/// The files that mark the root of a Bazel repository
/// ([boundary markers](https://bazel.build/external/overview#repository)).
pub(super) const MARKERS: [&str; 4] =
    ["MODULE.bazel", "REPO.bazel", "WORKSPACE.bazel", "WORKSPACE"];

/// The names of build files, the first that is there wins.
pub(super) const BUILD_FILES: [&str; 2] = ["BUILD.bazel", "BUILD"];

/// Whether a directory is the root of a repository.
pub(super) fn is_root(dir: &Path) -> bool {
    MARKERS.iter().any(|marker| {
        let path = dir.join(marker);
        files::exists(&path) && !files::is_dir(&path)
    })
}

/// The dialect that the project at `root` is read in: what the settings say, else what lies there. A `.buckconfig` wins.
pub(super) fn dialect(root: &Path, setting: Option<Dialect>) -> Dialect {
    let is_bazel = || !files::exists(&root.join(".buckconfig")) && is_root(root);
    setting.unwrap_or_else(|| if is_bazel() { Dialect::Bazel } else { Dialect::Buck })
}

/// The directories that `.bazelignore` names, comma-separated as `[project] ignore` has them. None of its lines is a pattern.
pub(super) fn ignored(root: &Path) -> String {
    let text = read(root, ".bazelignore");
    let lines = text.lines().map(str::trim);
    let dirs = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    dirs.map(|dir| dir.trim_start_matches("./")).collect::<Vec<_>>().join(",")
}

/// The names by which files of the repository may mean it: `module(name, repo_name)` and `workspace(name)`.
pub(super) fn own_names(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (file, call) in [("MODULE.bazel", "module"), ("WORKSPACE", "workspace")] {
        let text = read(root, file);
        let calls = calls(&text, call).next();
        names.extend(calls.into_iter().flat_map(|call| {
            let named = ["name", "repo_name"].into_iter();
            named
                .filter_map(|key| string_argument(call, key))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        }));
    }
    names
}

/// The repositories whose targets are distributions: the hubs of `pip.parse` and of its older forms.
pub(super) fn hubs(root: &Path) -> Vec<String> {
    let mut hubs = Vec::new();
    let sources = [
        ("MODULE.bazel", "pip.parse", "hub_name"),
        ("WORKSPACE", "pip_parse", "name"),
        ("WORKSPACE", "pip_install", "name"),
        ("WORKSPACE.bazel", "pip_parse", "name"),
    ];
    for (file, function, key) in sources {
        let text = read(root, file);
        hubs.extend(
            calls(&text, function).filter_map(|call| string_argument(call, key).map(str::to_owned)),
        );
    }
    hubs
}

fn read(root: &Path, name: &str) -> String {
    let bytes = files::read_if_exists(&root.join(name)).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The arguments of each call of a function, as they stand at the top level of a file. These files hold calls and little else,
/// and are not evaluated.
fn calls<'t>(text: &'t str, function: &'t str) -> impl Iterator<Item = &'t str> {
    let starts = text.match_indices(function).filter(|(at, _)| {
        text.get(..*at).is_none_or(|before| before.is_empty() || before.ends_with('\n'))
    });
    starts.filter_map(move |(at, _)| {
        let arguments = text.get(at + function.len()..)?.trim_start().strip_prefix('(')?;
        arguments.get(..arguments.find(')').unwrap_or(arguments.len()))
    })
}

/// The value of `key = "…"` among the arguments of a call.
fn string_argument<'t>(arguments: &'t str, key: &str) -> Option<&'t str> {
    arguments.split([',', '\n']).find_map(|argument| {
        let (name, value) = argument.split_once('=')?;
        let value = value.trim().strip_prefix('"')?;
        (name.trim() == key).then(|| value.split('"').next())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_at_the_start_of_a_line() {
        let text = "bazel_dep(name = \"x\")\nmodule(\n    name = \"app\",\n    repo_name = \"own\",\n)\n# module(name = \"no\")\n";
        let found: Vec<_> = calls(text, "module").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(string_argument(found[0], "name"), Some("app"));
        assert_eq!(string_argument(found[0], "repo_name"), Some("own"));
        assert_eq!(string_argument(found[0], "version"), None);
    }

    #[test]
    fn the_root_says_what_is_ignored_and_how_the_repository_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        assert_eq!(dialect(dir.path(), None), Dialect::Buck);
        write("MODULE.bazel", "module(name = \"app\")\npip.parse(\n    hub_name = \"py\",\n)\n");
        write("WORKSPACE", "workspace(name = \"old\")\n");
        write(".bazelignore", "# tools\nnode_modules\n\n./out\n");
        assert_eq!(dialect(dir.path(), None), Dialect::Bazel);
        assert_eq!(dialect(dir.path(), Some(Dialect::Buck)), Dialect::Buck);
        assert_eq!(own_names(dir.path()), ["app", "old"]);
        assert_eq!(hubs(dir.path()), ["py"]);
        assert_eq!(ignored(dir.path()), "node_modules,out");
        write(".buckconfig", "");
        assert_eq!(dialect(dir.path(), None), Dialect::Buck);
    }
}
