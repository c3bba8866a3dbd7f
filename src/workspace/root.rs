//! Where the project is: the walk upwards to its root. Touches the disk through `files` only.

use std::path::{Path, PathBuf};

use super::{bazel, files};
use crate::error::{Error, Result};

/// What the process knows about its surroundings; read by the command line, never below it.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// The directory that relative paths on the command line start from.
    pub current_dir: PathBuf,
    /// Where `buckconfig` and `buckconfig.d` of the machine lie: `/etc`, or nothing in tests.
    pub system_config_dir: Option<PathBuf>,
}

/// The root of the project that holds `start`, without symbolic links.
///
/// As Buck2 does: the outermost directory with a `.buckconfig`; a `.buckroot` stops the search; the home directory's
/// `.buckconfig` is none. Where there is no `.buckconfig`, the nearest Bazel repository.
pub fn find_project_root(start: &Path, home: Option<&Path>) -> Result<PathBuf> {
    let start = files::canonical(start)
        .map_err(|error| Error::new(format!("cannot open {}", start.display())).cause(error))?;
    let home = home.map(|home| files::canonical(home).unwrap_or_else(|_| home.to_path_buf()));
    buck_root(&start, home.as_deref()).or_else(|| bazel_root(&start)).ok_or_else(|| {
        Error::new(format!("no .buckconfig in {} or above", start.display()))
            .hint("run in a Buck2 repository or in one of Bazel, or create an empty .buckconfig at its root")
    })
}

fn buck_root(start: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let mut root = None;
    for dir in start.ancestors() {
        if files::exists(&dir.join(".buckconfig")) {
            if Some(dir) == home {
                break;
            }
            root = Some(dir.to_path_buf());
        }
        if files::exists(&dir.join(".buckroot")) {
            break;
        }
    }
    root
}

fn bazel_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|dir| bazel::is_root(dir)).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn root_of(dir: &tempfile::TempDir, start: &str, home: Option<&str>) -> Option<String> {
        let base = fs::canonicalize(dir.path()).unwrap();
        let home = home.map(|home| base.join(home));
        let root = find_project_root(&base.join(start), home.as_deref()).ok()?;
        Some(root.strip_prefix(&base).ok()?.to_str()?.to_owned())
    }

    #[test]
    fn the_outermost_buckconfig_wins() {
        let dir = tree(&["r/.buckconfig", "r/cell/.buckconfig", "r/cell/x/f"]);
        assert_eq!(root_of(&dir, "r/cell/x", None).as_deref(), Some("r"));
    }

    #[test]
    fn buckroot_stops_the_search() {
        let dir = tree(&["r/.buckconfig", "r/in/.buckconfig", "r/in/.buckroot", "r/in/x/f"]);
        assert_eq!(root_of(&dir, "r/in/x", None).as_deref(), Some("r/in"));
    }

    #[test]
    fn the_home_directory_is_no_project() {
        let dir = tree(&["h/.buckconfig", "h/p/.buckconfig", "h/q/f"]);
        assert_eq!(root_of(&dir, "h/p", Some("h")).as_deref(), Some("h/p"));
        assert_eq!(root_of(&dir, "h/q", Some("h")), None);
    }

    #[test]
    fn a_bazel_workspace_counts_only_without_buckconfig() {
        let dir = tree(&["b/MODULE.bazel", "b/x/f", "c/.buckconfig", "c/y/WORKSPACE", "c/y/z/f"]);
        assert_eq!(root_of(&dir, "b/x", None).as_deref(), Some("b"));
        assert_eq!(root_of(&dir, "c/y/z", None).as_deref(), Some("c"));
    }

    #[test]
    fn nothing_found_is_an_error_with_a_hint() {
        let dir = tree(&["x/f"]);
        let error = find_project_root(&dir.path().join("x"), None).unwrap_err();
        assert!(error.to_string().contains("no .buckconfig"), "{error}");
        assert!(error.hint_text().unwrap().contains("empty .buckconfig"));
    }
}
