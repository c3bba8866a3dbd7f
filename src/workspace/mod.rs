//! The project as it lies on disk: root, cells, configuration, settings, files. Touches the disk, in `files.rs` only.

mod bazel;
mod buckconfig;
mod cell_definitions;
mod cells;
mod config_flags;
mod config_references;
mod config_sources;
mod files;
mod globs;
mod ignore_set;
mod observed;
mod origin;
mod outside;
mod path_globs;
mod pattern;
mod recording;
mod root;
mod settings;
mod settings_read;
mod settings_schema;
mod settings_values;
mod stat;
mod state;
mod tree;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use buckconfig::BuckConfig;
pub use cells::{Cell, CellOrigin, Cells};
pub use files::{Content, DiskFiles, Files, OverlayFiles};
pub use globs::{glob, package_files};
pub use observed::{ObservedFiles, Question, answer, of_answers};
pub use origin::Origin;
pub use outside::{Differences, Fact, Outside, RecordedTarget, Recording, Side};
pub use path_globs::PathGlobs;
pub use pattern::Pattern;
pub use root::{Environment, find_project_root};
pub use settings::{
    CheckSeverity, Dialect, FailOn, KeepReason, Limits, Lint, LintPath, Macro, MinConfidence,
    Mount, Preset, Project, Python, PythonVersion, Roots, RuleShape, Settings, SrcsOrder,
    ThirdParty, Tui, View,
};
pub use tree::{Dir, PackageDir, Symlink, Tree};

use config_sources::ConfigSources;

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::source::{Problem, ProjectPath};

/// The name of our own configuration file.
const SETTINGS_FILE: &str = "secateur.toml";

/// What the command line says on top of the files.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config key=value`: settings of `secateur.toml`.
    pub config: Vec<String>,
    /// `-c [cell//]section.key=value`: values of `.buckconfig`.
    pub buckconfig: Vec<String>,
    /// `--config-file`: files read over each cell's `.buckconfig`, before the values of `-c`.
    pub config_files: Vec<PathBuf>,
}

/// A project, opened.
pub struct Workspace {
    /// The project root, without symbolic links.
    pub root: PathBuf,
    /// The directory the workspace was opened from.
    pub start: ProjectPath,
    /// Its cells.
    pub cells: Cells,
    /// What the cells can see.
    pub tree: Tree,
    /// What `secateur.toml` and the command line say.
    pub settings: Settings,
    /// The contents of its files.
    pub files: Arc<dyn Files>,
    /// What could not be read or understood so far, sorted.
    pub problems: Vec<Problem>,
    /// What Buck2 says, if somebody asked it.
    pub outside: Option<Arc<Outside>>,
    /// What earlier runs found out.
    pub cache: Arc<Cache>,
    /// Where the configuration of the cells comes from.
    sources: ConfigSources,
}

impl Workspace {
    /// Opens the project that holds the directory `start`.
    ///
    /// Fails where there is no project, and on mistakes in `secateur.toml` and in options. Mistakes in `.buckconfig` and
    /// trouble with single files are [`Workspace::problems`].
    pub fn open(start: &Path, environment: &Environment, overrides: &Overrides) -> Result<Self> {
        let start = environment.current_dir.join(start);
        let root = find_project_root(&start, environment.home.as_deref())?;
        let start = files::canonical(&start).ok().and_then(|dir| files::relative(&root, &dir));
        let start = start.ok_or_else(|| Error::new("the start directory's name is not UTF-8"))?;
        let settings = read_settings(&root, &start, &overrides.config)?;
        let sources = ConfigSources::find(&root, environment, overrides)?;
        let (cells, mut problems) =
            cell_definitions::read_cells(&root, &sources, &settings.project, &start)?;
        let tree = Tree::read(&cells);
        problems.extend_from_slice(tree.problems());
        problems.sort();
        let files = Arc::new(DiskFiles::new(&root));
        let (outside, cache) = (None, Arc::default());
        Ok(Self { root, start, cells, tree, settings, files, problems, outside, cache, sources })
    }

    /// Takes over what earlier runs found out, and lets later ones know.
    pub fn use_cache(&mut self, cache: &Arc<Cache>) {
        self.files = Arc::new(DiskFiles::new(&self.root).with_cache(cache));
        self.cache = Arc::clone(cache);
    }

    /// From now on notes what is asked about files, and looks at each content once.
    pub fn observe(&mut self) -> Arc<ObservedFiles> {
        let observed = Arc::new(ObservedFiles::new(Arc::clone(&self.files)));
        self.files = Arc::<ObservedFiles>::clone(&observed);
        observed
    }

    /// The same project with other contents of some files, `None` for those that are gone. Nothing is written.
    #[must_use]
    pub fn with_contents(&self, contents: &BTreeMap<ProjectPath, Option<Vec<u8>>>) -> Self {
        let is_gone = |path: &&ProjectPath| contents.get(*path).is_some_and(Option::is_none);
        let deleted: Vec<ProjectPath> = contents.keys().filter(is_gone).cloned().collect();
        let created = contents.keys().filter(|path| !is_gone(path) && !self.tree.is_file(path));
        let created: Vec<ProjectPath> = created.cloned().collect();
        Self {
            root: self.root.clone(),
            start: self.start.clone(),
            cells: self.cells.clone(),
            tree: self.tree.overlay(&created, &deleted, &self.cells),
            settings: self.settings.clone(),
            files: Arc::new(OverlayFiles::new(Arc::clone(&self.files), contents.clone())),
            problems: self.problems.clone(),
            outside: self.outside.clone(),
            cache: Arc::clone(&self.cache),
            sources: self.sources.clone(),
        }
    }

    /// Whether other contents of some files leave the configuration of the cells as it is.
    pub fn is_configured_alike(
        &self,
        contents: &BTreeMap<ProjectPath, Option<Vec<u8>>>,
    ) -> Result<bool> {
        let (cells, _) = self.read_cells(&self.sources.with_contents(contents))?;
        Ok(cells.say_the_same(&self.cells))
    }

    fn read_cells(&self, sources: &ConfigSources) -> Result<(Cells, Vec<Problem>)> {
        cell_definitions::read_cells(&self.root, sources, &self.settings.project, &self.start)
    }

    /// The same with what that means for the configuration of the cells; `secateur.toml` stays as it is.
    pub fn as_it_was(&self, contents: &BTreeMap<ProjectPath, Option<Vec<u8>>>) -> Result<Self> {
        let sources = self.sources.with_contents(contents);
        let (cells, mut problems) = self.read_cells(&sources)?;
        if cells.say_the_same(&self.cells) {
            return Ok(self.with_contents(contents));
        }
        let tree = Tree::read(&cells);
        problems.extend_from_slice(tree.problems());
        problems.sort();
        Ok(Self { cells, tree, problems, sources, ..self.with_contents(&BTreeMap::new()) }
            .with_contents(contents))
    }

    /// The cells as another view of the configuration has them. Files and packages are the same in all views.
    pub fn with_view(&self, view: &View) -> Result<Cells> {
        let cells = self.cells.with_flags(&view.flags, &self.cells.root().name);
        cells.map_err(|error| {
            let outer = Error::new(format!("view `{}`: {error}", view.name));
            let hint = error.hint_text().unwrap_or_default();
            outer.at(view.origin.to_string()).hint(hint)
        })
    }

    /// Whether a file is there.
    pub fn has_file(&self, path: &ProjectPath) -> bool {
        self.tree.has_file(path, &*self.files)
    }

    /// Whether `[project] exclude` takes the file out of the analysis.
    pub fn is_excluded(&self, path: &ProjectPath) -> bool {
        self.settings.project.exclude.matches(path)
    }
}

/// Reads the nearest `secateur.toml` from `start` up to the project root.
fn read_settings(root: &Path, start: &ProjectPath, overrides: &[String]) -> Result<Settings> {
    let mut dir = Some(start.clone());
    while let Some(at) = dir {
        let path = tree::child(&at, SETTINGS_FILE);
        let bytes = files::read_if_exists(&root.join(path.as_str()));
        let bytes = bytes.map_err(|e| Error::new("cannot be read").at(path.as_str()).cause(e))?;
        if let Some(bytes) = bytes {
            let text = String::from_utf8(bytes)
                .map_err(|_| Error::new("the file is not UTF-8").at(path.as_str()))?;
            return Settings::read(Some((&path, &text)), overrides);
        }
        dir = at.parent();
    }
    Settings::read(None, overrides)
}

#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "workspace_tests.rs"]
mod tests;
