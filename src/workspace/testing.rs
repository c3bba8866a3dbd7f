//! Small projects in a temporary directory, for the tests of `workspace`. Touches the disk.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Environment, Overrides, Workspace};
use crate::error::Result;
use crate::source::ProjectPath;

/// A project at `root` below a temporary directory, so that there is room beside it.
pub(super) struct Project {
    base: TempDir,
    pub(super) overrides: Overrides,
    pub(super) environment: Environment,
}

impl Project {
    /// Writes files given as path and text. There is always a `.buckconfig` at the root.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let base = tempfile::tempdir().unwrap();
        let current_dir = fs::canonicalize(base.path()).unwrap().join("root");
        let environment = Environment { home: None, current_dir, system_config_dir: None };
        let project = Self { base, overrides: Overrides::default(), environment };
        project.write(".buckconfig", "");
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(super) fn root(&self) -> PathBuf {
        self.base.path().join("root")
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    pub(super) fn try_open(&self) -> Result<Workspace> {
        Workspace::open(Path::new("."), &self.environment, &self.overrides)
    }

    pub(super) fn open(&self) -> Workspace {
        self.try_open().unwrap()
    }
}

pub(super) fn path(text: &str) -> ProjectPath {
    ProjectPath::new(text)
}

/// The names of all packages.
pub(super) fn packages(workspace: &Workspace) -> Vec<String> {
    workspace.tree.packages().iter().map(|package| package.id.to_string()).collect()
}

/// The problems as `path:line: message`.
pub(super) fn problems(workspace: &Workspace) -> Vec<String> {
    let problems = workspace.problems.iter();
    problems.map(|p| format!("{}:{}: {}", p.path, p.line, p.message)).collect()
}
