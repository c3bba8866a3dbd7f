//! Reading the cells from the root cell's `.buckconfig`. Touches the disk through `files` only.
//!
//! After `buck2_common::legacy_configs::{cells, aggregator}`; what is an error there is a [`Problem`] here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::bazel;
use super::buckconfig::BuckConfig;
use super::cells::{Cell, CellOrigin, Cells};
use super::config_sources::ConfigSources;
use super::files;
use super::ignore_set::IgnoreSet;
use super::settings::{Dialect, Mount, Project};
use crate::error::{Error, Result};
use crate::source::{Problem, ProblemKind, ProjectPath};

type Aliases = BTreeMap<String, Arc<str>>;

/// Reads all cells of `project` and the trouble with them. `cwd` is where the command line's cell aliases are looked up.
pub(super) fn read_cells(
    project: &Path,
    sources: &ConfigSources,
    settings: &Project,
    cwd: &ProjectPath,
) -> Result<(Cells, Vec<Problem>)> {
    if bazel::dialect(project, settings.dialect) == Dialect::Bazel {
        return read_repository(project, settings);
    }
    // Cells may not be set on the command line, and those of an included file do not count.
    let for_all_cells = sources.flags().iter().filter(|flag| flag.cell.is_none());
    let root_config = sources.read(&ProjectPath::root(), false).with_flags(for_all_cells);
    let mut definitions = Definitions::read(&root_config);
    if let Some(mount) = &settings.mount {
        definitions.mount(mount)?;
    }
    let mut problems = std::mem::take(&mut definitions.problems);
    problems.extend_from_slice(sources.problems());
    let mut cells = Vec::new();
    for (name, (root, origin)) in &definitions.cells {
        let mut config = BuckConfig::default();
        if *origin == CellOrigin::Disk {
            config = sources.read(root, true);
            problems.extend(sources.folder_problem(root));
        }
        let mount = settings.mount.as_ref().filter(|_| root.as_str().is_empty());
        cells.push(Cell {
            name: name.clone(),
            root: root.clone(),
            build_file_names: Vec::new(),
            origin: origin.clone(),
            mount: mount.map_or_else(|| "".into(), |mount| mount.prefix.as_str().into()),
            aliases: definitions.aliases_of(root, &config, &mut problems),
            ignore: IgnoreSet::default(),
            config,
        });
    }
    let has_prelude =
        |cell: &Cell| files::exists(&project.join(cell.root.as_str()).join("prelude.bzl"));
    let from = Cells::new(project, cells, has_prelude)?;
    let current = from.cell_of(cwd).name.clone();
    let mut cells = from.with_flags(sources.flags(), &current)?;
    for cell in cells.iter_mut() {
        problems.extend(cell.config.problems().cloned());
        let is_root = cell.root.as_str().is_empty();
        let ignore = cell.config.get("project", "ignore").unwrap_or_default();
        let (ignore, messages) = IgnoreSet::parse(ignore, is_root);
        for message in messages {
            let message = format!("[project] ignore: {message}");
            problems.push(problem_at(&cell.config, "project", "ignore", message));
        }
        cell.ignore = ignore;
        cell.build_file_names = match &settings.build_files {
            names if !names.is_empty() => names.clone(),
            _ => build_file_names(&cell.config),
        };
    }
    problems.sort();
    problems.dedup();
    Ok((cells, problems))
}

/// A Bazel repository as the one cell of its project. What it calls itself are aliases.
fn read_repository(project: &Path, settings: &Project) -> Result<(Cells, Vec<Problem>)> {
    let name: Arc<str> = "".into();
    let aliases = bazel::own_names(project).into_iter().map(|alias| (alias, Arc::clone(&name)));
    let mut build_file_names = settings.build_files.clone();
    if build_file_names.is_empty() {
        build_file_names = bazel::BUILD_FILES.map(str::to_owned).to_vec();
    }
    // Bazel's own links at the root are links to directories, which no walk enters.
    let (ignore, _) = IgnoreSet::parse(&bazel::ignored(project), false);
    let cell = Cell {
        root: ProjectPath::root(),
        config: BuckConfig::default(),
        build_file_names,
        origin: CellOrigin::Disk,
        mount: "".into(),
        aliases: aliases.collect(),
        ignore,
        name,
    };
    let cells = Cells::new(project, vec![cell], |_| false)?;
    Ok((cells.of_bazel(bazel::hubs(project)), Vec::new()))
}

/// The candidates for a build file, after `buck2_common::buildfiles`.
fn build_file_names(config: &BuckConfig) -> Vec<String> {
    let list = |key| config.get_list("buildfile", key);
    let mut names: Vec<String> = if let Some(names) = list("name_v2") {
        names.into_iter().map(str::to_owned).collect()
    } else if let Some(names) = list("name") {
        names.into_iter().flat_map(|name| [format!("{name}.v2"), name.to_owned()]).collect()
    } else {
        vec!["BUCK.v2".to_owned(), "BUCK".to_owned()]
    };
    names.extend(config.get("buildfile", "extra_for_test").map(str::to_owned));
    names
}

/// What `[cells]`, `[cell_aliases]` and `[external_cells]` of the root cell say.
struct Definitions {
    cells: BTreeMap<Arc<str>, (ProjectPath, CellOrigin)>,
    /// Every name that files of the root cell may use.
    aliases: Aliases,
    /// A name that no cell's own alias may change.
    fixed: Option<Arc<str>>,
    problems: Vec<Problem>,
}

impl Definitions {
    fn read(config: &BuckConfig) -> Self {
        let (cells, aliases, problems) = Default::default();
        let mut definitions = Self { cells, aliases, fixed: None, problems };
        definitions.read_cells(config);
        definitions.ensure_root(config);
        let Self { aliases, problems, .. } = &mut definitions;
        add_aliases(aliases, config, false, problems);
        definitions.read_origins(config);
        definitions
    }

    fn read_cells(&mut self, config: &BuckConfig) {
        let section = either(config, "cells", "repositories");
        let mut by_root: BTreeMap<ProjectPath, Arc<str>> = BTreeMap::new();
        for (name, path) in config.section(section) {
            let root = ProjectPath::root().join(path).filter(|_| !path.starts_with('/'));
            let Some(root) = root else {
                let message = format!("cell `{name}`: `{path}` is no path within the project");
                self.problems.push(problem_at(config, section, name, message));
                continue;
            };
            // Of several names for one directory the first is the cell, the others are aliases.
            let cell = by_root.entry(root.clone()).or_insert_with(|| name.into()).clone();
            self.cells.entry(cell.clone()).or_insert((root, CellOrigin::Disk));
            self.aliases.insert(name.to_owned(), cell);
        }
    }

    fn ensure_root(&mut self, config: &BuckConfig) {
        if self.cells.values().any(|(root, _)| root.as_str().is_empty()) {
            return;
        }
        if !self.cells.is_empty() {
            let message = "no cell at the project root: [cells] has no entry for `.`";
            let section = either(config, "cells", "repositories");
            let first = config.section(section).next().map_or("", |(name, _)| name);
            self.problems.push(problem_at(config, section, first, message.to_owned()));
        }
        let taken = |name: &&str| !self.aliases.contains_key(*name);
        let name: Arc<str> = ["root", "project"].into_iter().find(taken).unwrap_or(".").into();
        self.aliases.insert(name.to_string(), name.clone());
        self.cells.insert(name, (ProjectPath::root(), CellOrigin::Disk));
    }

    fn read_origins(&mut self, config: &BuckConfig) {
        for (alias, origin) in config.section("external_cells") {
            let cell = self.aliases.get(alias).and_then(|name| self.cells.get_mut(name));
            let message = match (cell, origin) {
                (_, "disabled") => continue,
                (Some(cell), "bundled") => {
                    cell.1 = CellOrigin::Bundled;
                    continue;
                }
                (Some(cell), "git") => {
                    cell.1 = CellOrigin::Git;
                    continue;
                }
                (None, _) => format!("there is no cell `{alias}`"),
                (Some(_), _) => format!("`{origin}` is none of `bundled`, `git`, `disabled`"),
            };
            self.problems.push(problem_at(config, "external_cells", alias, message));
        }
    }

    /// Renames the root cell as the mount says; its former name stays an alias.
    fn mount(&mut self, mount: &Mount) -> Result<()> {
        let new: Arc<str> = mount.cell.as_str().into();
        let is_root =
            |(_, (root, _)): &(&Arc<str>, &(ProjectPath, CellOrigin))| root.as_str().is_empty();
        let Some(old) = self.cells.iter().find(is_root).map(|(name, _)| name.clone()) else {
            return Ok(());
        };
        if old != new && self.cells.contains_key(&new) {
            return Err(Error::new(format!("mount names the cell `{new}`, which lies elsewhere"))
                .hint("[project] mount gives the root cell a name that no other cell has"));
        }
        if let Some(cell) = self.cells.remove(&old) {
            self.cells.insert(new.clone(), cell);
        }
        for name in self.aliases.values_mut().filter(|name| **name == old) {
            *name = new.clone();
        }
        self.aliases.insert(new.to_string(), new.clone());
        self.fixed = Some(new);
        Ok(())
    }

    /// What a cell's files may call the cells: the root's aliases, and its own over them.
    fn aliases_of(
        &self,
        root: &ProjectPath,
        config: &BuckConfig,
        problems: &mut Vec<Problem>,
    ) -> Aliases {
        let mut aliases = self.aliases.clone();
        if !root.as_str().is_empty() {
            add_aliases(&mut aliases, config, true, problems);
        }
        if let Some(name) = &self.fixed {
            aliases.insert(name.to_string(), name.clone());
        }
        aliases
    }
}

/// Adds the aliases that `config` declares. Only cells below the root may give a known name another meaning.
fn add_aliases(
    aliases: &mut Aliases,
    config: &BuckConfig,
    may_replace: bool,
    problems: &mut Vec<Problem>,
) {
    let section = either(config, "cell_aliases", "repository_aliases");
    let mut open: Vec<(&str, &str)> = config.section(section).collect();
    // An alias may name another one, in any order.
    loop {
        let before = open.len();
        open.retain(|(alias, target)| {
            let Some(cell) = aliases.get(*target).cloned() else { return true };
            if may_replace || !aliases.contains_key(*alias) {
                aliases.insert((*alias).to_owned(), cell);
            } else {
                let message = format!("`{alias}` is a cell already, not an alias");
                problems.push(problem_at(config, section, alias, message));
            }
            false
        });
        if open.is_empty() || open.len() == before {
            break;
        }
    }
    for (alias, target) in open {
        let message = format!("alias `{alias}`: there is no cell `{target}`");
        problems.push(problem_at(config, section, alias, message));
    }
}

/// The section in use: the old spelling counts only where the new one is absent.
fn either<'a>(config: &BuckConfig, new: &'a str, old: &'a str) -> &'a str {
    if config.has_section(new) { new } else { old }
}

fn problem_at(config: &BuckConfig, section: &str, key: &str, message: String) -> Problem {
    let (path, line) = match config.place(section, key) {
        Some((path, line)) => (path.clone(), line),
        None => (ProjectPath::new(".buckconfig"), 0),
    };
    Problem { path, line, kind: ProblemKind::Config, message }
}
