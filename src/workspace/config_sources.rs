//! Which files make the configuration of a cell, in Buck2's order. Touches the disk through `files` only.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::buckconfig::{BuckConfig, ConfigParser, Contents};
use super::config_flags::ConfigFlag;
use super::root::Environment;
use super::{Overrides, files};
use crate::error::{Error, Result};
use crate::source::{Problem, ProblemKind, ProjectPath};

/// The sources of configuration that all cells share, and how to read a cell's own.
///
/// A later source wins: the machine's files, the user's, the cell's, the files of the command line, its values.
#[derive(Clone)]
pub(super) struct ConfigSources {
    project: PathBuf,
    /// Other contents of some files, `None` for those that are gone.
    contents: Contents,
    outside: Vec<PathBuf>,
    command_line: Vec<PathBuf>,
    flags: Vec<ConfigFlag>,
    problems: Vec<Problem>,
}

impl ConfigSources {
    pub(super) fn find(
        project: &Path,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Self> {
        let flags = overrides.buckconfig.iter().map(|flag| ConfigFlag::parse(flag));
        let command_line = overrides.config_files.iter();
        let command_line = command_line.map(|file| config_file(file, &environment.current_dir));
        let mut sources = Self {
            project: project.to_path_buf(),
            contents: Contents::new(),
            outside: Vec::new(),
            command_line: command_line.collect::<Result<_>>()?,
            flags: flags.collect::<Result<_>>()?,
            problems: Vec::new(),
        };
        if let Some(system) = &environment.system_config_dir {
            sources.folder(&system.join("buckconfig.d"));
            sources.outside.push(system.join("buckconfig"));
        }
        if let Some(home) = &environment.home {
            sources.folder(&home.join(".buckconfig.d"));
            sources.outside.push(home.join(".buckconfig.local"));
        }
        Ok(sources)
    }

    /// The same, where some files of the project have other contents.
    pub(super) fn with_contents(&self, contents: &BTreeMap<ProjectPath, Option<Vec<u8>>>) -> Self {
        let contents = contents.iter();
        let contents =
            contents.map(|(path, bytes)| (self.project.join(path.as_str()), bytes.clone()));
        Self { contents: contents.collect(), ..self.clone() }
    }

    /// The configuration of the cell at `root` from all files, without the values of the command line.
    pub(super) fn read(&self, root: &ProjectPath, follow_includes: bool) -> BuckConfig {
        let dir = self.project.join(root.as_str());
        let mut parser = ConfigParser::new(&self.project, &self.contents, follow_includes);
        for file in &self.outside {
            parser.file(file);
        }
        for file in self.files_of(&dir.join(".buckconfig.d")) {
            parser.file(&file);
        }
        for file in [".buckconfig", ".buckconfig.local"] {
            parser.file(&dir.join(file));
        }
        for file in &self.command_line {
            parser.file(file);
        }
        parser.finish()
    }

    /// The files below a folder, in order. One that cannot be listed is told by `folder_problem`.
    fn files_of(&self, folder: &Path) -> BTreeSet<PathBuf> {
        let on_disk = files::files_below(folder).unwrap_or_default();
        let others = self.contents.keys().filter(|file| file.starts_with(folder)).cloned();
        // Those that are gone are not read.
        on_disk.into_iter().chain(others).collect()
    }

    /// The values of the command line, in order.
    pub(super) fn flags(&self) -> &[ConfigFlag] {
        &self.flags
    }

    /// The trouble with folders of configuration outside of the cells.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The trouble with a cell's own folder of configuration.
    pub(super) fn folder_problem(&self, root: &ProjectPath) -> Option<Problem> {
        let folder = self.project.join(root.as_str()).join(".buckconfig.d");
        let error = files::files_below(&folder).err()?;
        Some(unreadable(&self.project, &folder, &error))
    }

    fn folder(&mut self, folder: &Path) {
        match files::files_below(folder) {
            Ok(found) => self.outside.extend(found),
            Err(error) => self.problems.push(unreadable(&self.project, folder, &error)),
        }
    }
}

fn unreadable(project: &Path, path: &Path, error: &io::Error) -> Problem {
    let path = files::shown(project, path);
    Problem { path, line: 0, kind: ProblemKind::Unreadable, message: error.to_string() }
}

fn config_file(file: &Path, current_dir: &Path) -> Result<PathBuf> {
    let path = current_dir.join(file);
    if files::exists(&path) && !files::is_dir(&path) {
        return Ok(path);
    }
    Err(Error::new(format!("no configuration file {}", file.display()))
        .hint("--config-file takes a path, relative to the current directory"))
}
