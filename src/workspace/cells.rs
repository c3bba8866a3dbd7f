//! The cells of a project: their roots, names, aliases and configurations. Pure once read; touches nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::buckconfig::BuckConfig;
use super::config_flags::ConfigFlag;
use super::ignore_set::IgnoreSet;
use super::settings::Dialect;
use crate::error::{Error, Result};
use crate::label::PackageId;
use crate::source::ProjectPath;

/// Where the files of a cell come from: `[external_cells]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellOrigin {
    /// From the project.
    Disk,
    /// From Buck2's own binary; what lies at the cell's path is not read.
    Bundled,
    /// From a git repository that Buck2 fetches.
    Git,
}

/// One cell: a part of the project with its own root and configuration.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The canonical name, never an alias.
    pub name: Arc<str>,
    /// The directory of the cell.
    pub root: ProjectPath,
    /// Its configuration; a cell does not inherit that of the root cell.
    pub config: BuckConfig,
    /// The names a build file may have, the first that is there wins.
    pub build_file_names: Vec<String>,
    /// Where its files come from.
    pub origin: CellOrigin,
    /// Goes before the directory in package paths: `executorch` if the cell is mounted at `fbcode//executorch`, else empty.
    pub(super) mount: Arc<str>,
    pub(super) aliases: BTreeMap<String, Arc<str>>,
    pub(super) ignore: IgnoreSet,
}

impl Cell {
    /// The aliases that are valid in files of this cell, and the cells they mean; sorted. Cell names are among them.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.aliases.iter().map(|(alias, name)| (alias.as_str(), name))
    }

    /// The package path of a directory of this cell.
    pub(super) fn package_path(&self, dir: &ProjectPath) -> String {
        let below = dir.below(&self.root).unwrap_or_default();
        match (&*self.mount, below) {
            (mount, "") => mount.to_owned(),
            ("", below) => below.to_owned(),
            (mount, below) => format!("{mount}/{below}"),
        }
    }
}

/// All cells of a project.
#[derive(Clone, Debug)]
pub struct Cells {
    pub(super) project: Arc<Path>,
    /// Sorted by name.
    all: Vec<Cell>,
    by_name: FxHashMap<Arc<str>, usize>,
    by_root: FxHashMap<ProjectPath, usize>,
    root: usize,
    prelude: Option<(Arc<str>, bool)>,
    dialect: Dialect,
    /// Of Bazel: the repositories whose targets are distributions.
    hubs: Arc<[String]>,
}

impl Cells {
    /// Whether others have the same names, places and configuration.
    pub fn say_the_same(&self, other: &Self) -> bool {
        let is_same = |(one, two): (&Cell, &Cell)| {
            one.name == two.name && one.root == two.root && one.config.says_the_same(&two.config)
        };
        self.iter().count() == other.iter().count() && self.iter().zip(other.iter()).all(is_same)
    }

    /// Puts cells together; exactly one must lie at the project root. `has_prelude` says whether a cell holds `prelude.bzl`.
    pub(super) fn new(
        project: &Path,
        mut cells: Vec<Cell>,
        has_prelude: impl Fn(&Cell) -> bool,
    ) -> Result<Self> {
        cells.sort_by(|a, b| a.name.cmp(&b.name));
        for cell in &mut cells {
            // Buck2 reads the copy in its binary; one that lies at the cell's path is the nearest thing to it.
            if cell.origin == CellOrigin::Bundled && has_prelude(cell) {
                cell.origin = CellOrigin::Disk;
            }
        }
        let numbered = || cells.iter().enumerate();
        let by_name = numbered().map(|(at, cell)| (cell.name.clone(), at)).collect();
        let by_root = numbered().map(|(at, cell)| (cell.root.clone(), at)).collect();
        let (root, root_cell) = numbered()
            .find(|(_, cell)| cell.root.as_str().is_empty())
            .ok_or_else(|| Error::new("no cell at the project root"))?;
        let prelude = root_cell.aliases.get("prelude").cloned();
        let prelude = prelude.map(|name| {
            let cell = cells.iter().find(|cell| cell.name == name);
            let on_disk = cell.is_some_and(|c| c.origin == CellOrigin::Disk && has_prelude(c));
            (name, on_disk)
        });
        let (project, dialect, hubs) = (project.into(), Dialect::Buck, Arc::default());
        Ok(Self { project, all: cells, by_name, by_root, root, prelude, dialect, hubs })
    }

    /// The same, read as Bazel does. `hubs` are the repositories whose targets are distributions.
    #[must_use]
    pub(super) fn of_bazel(self, hubs: Vec<String>) -> Self {
        Self { dialect: Dialect::Bazel, hubs: hubs.into(), ..self }
    }

    /// Whether the project is a Bazel repository. Its one cell has the empty name, so that labels read as Bazel writes them;
    /// the names of other repositories begin with `@`.
    pub fn is_bazel(&self) -> bool {
        self.dialect == Dialect::Bazel
    }

    /// Of Bazel: the repositories, without `@`, that the root declares to hold a target for each distribution.
    pub fn hubs(&self) -> &[String] {
        &self.hubs
    }

    /// The cell at the project root.
    #[expect(clippy::indexing_slicing, reason = "`new` found the cell at this index")]
    pub fn root(&self) -> &Cell {
        &self.all[self.root]
    }

    /// The cell of this name; aliases are not looked up.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        self.all.get(*self.by_name.get(name)?)
    }

    /// All cells, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.all.iter_mut()
    }

    /// The cell that `alias` means in files of `from_cell`; the empty alias is `from_cell` itself.
    pub fn resolve_alias(&self, from_cell: &str, alias: &str) -> Option<Arc<str>> {
        let from = self.get(from_cell)?;
        if alias.is_empty() { Some(from.name.clone()) } else { from.aliases.get(alias).cloned() }
    }

    /// The cell that holds a file or directory: the one with the deepest root above it.
    pub fn cell_of(&self, path: &ProjectPath) -> &Cell {
        let mut above = path.as_str();
        loop {
            if let Some(cell) = self.by_root.get(above).and_then(|&at| self.all.get(at)) {
                return cell;
            }
            match above.rsplit_once('/') {
                Some((parent, _)) => above = parent,
                None => return self.root(),
            }
        }
    }

    /// The package that a build file in `dir` defines.
    pub fn package_of_dir(&self, dir: &ProjectPath) -> PackageId {
        let cell = self.cell_of(dir);
        PackageId::new(cell.name.clone(), cell.package_path(dir))
    }

    /// The directory of a package, there or not. `None` if it has no place on this disk: an unknown cell, a bundled or
    /// git cell, or a path outside of the mount.
    pub fn dir_of_package(&self, package: &PackageId) -> Option<ProjectPath> {
        let cell = self.get(&package.cell).filter(|cell| cell.origin == CellOrigin::Disk)?;
        let path = ProjectPath::new(package.path.clone());
        cell.root.join(path.below(&ProjectPath::new(cell.mount.clone()))?)
    }

    /// The prelude's cell, and whether its `prelude.bzl` is on disk; `None` if the root cell knows no `prelude`.
    pub fn prelude(&self) -> Option<(Arc<str>, bool)> {
        self.prelude.clone()
    }

    /// Whether a cell is a prelude beside the project: a tool, and not the user's code.
    pub fn is_tool(&self, cell: &str) -> bool {
        let is_prelude = self.prelude.as_ref().is_some_and(|(name, _)| &**name == cell);
        is_prelude && cell != &*self.root().name
    }

    /// Whether `//a/b` means `//a/b:b`: `[buck2] infer_target_names` of the root cell, and always in Bazel.
    pub fn infers_target_names(&self) -> bool {
        self.is_bazel()
            || self.root().config.get_bool("buck2", "infer_target_names").unwrap_or(false)
    }

    /// The same cells with configuration values set on top. The flags' cells are aliases as seen from `from_cell`.
    pub(super) fn with_flags(&self, flags: &[ConfigFlag], from_cell: &str) -> Result<Self> {
        let mut meant: Vec<(Option<Arc<str>>, &ConfigFlag)> = Vec::new();
        for flag in flags {
            let cell =
                flag.cell.as_deref().map(|alias| self.named(from_cell, alias)).transpose()?;
            meant.push((cell, flag));
        }
        let mut cells = self.clone();
        for cell in &mut cells.all {
            let is_for = |of: &Option<Arc<str>>| of.as_ref().is_none_or(|of| *of == cell.name);
            let flags = meant.iter().filter(|(of, _)| is_for(of)).map(|(_, flag)| *flag);
            cell.config = cell.config.with_flags(flags);
        }
        Ok(cells)
    }

    /// Like [`Self::resolve_alias`], with an error that suggests a cell.
    pub(super) fn named(&self, from_cell: &str, alias: &str) -> Result<Arc<str>> {
        self.resolve_alias(from_cell, alias).ok_or_else(|| {
            let known = self.get(from_cell).into_iter().flat_map(Cell::aliases);
            let names: Vec<&str> = known.map(|(alias, _)| alias).collect();
            let hint = crate::suggestion::hint(alias, &names, "cells");
            Error::new(format!("unknown cell `{alias}`")).hint(hint)
        })
    }
}
