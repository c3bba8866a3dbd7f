//! An evaluation that stays at hand, so that it can be asked what other file contents would give. Reads through the session.

use super::modules::{ModuleKey, Modules};
use super::package::{self, Evaluated, Package, PackageFiles, Runs};
use super::schema::RuleTable;
use super::session::{self, Session};
use super::{Evaluation, SourceFile, kept, loads};
use crate::error::Result;
use crate::progress::Progress;
use crate::source::{Problem, ProjectPath};
use crate::workspace::{Cells, PackageDir, Workspace};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use starlark::environment::FrozenModule;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The build files of a workspace under one configuration, evaluated.
pub struct Evaluator<'w> {
    pub(super) session: Session<'w>,
    pub(super) modules: Modules,
    pub(super) inherited: PackageFiles,
    pub(super) packages: Vec<Package>,
    pub(super) problems: Vec<Problem>,
    /// Who loads a file, once somebody asks.
    pub(super) readers: OnceLock<FxHashMap<ProjectPath, Vec<ProjectPath>>>,
}

impl<'w> Evaluator<'w> {
    /// Evaluates every build file in the configuration of `cells`.
    ///
    /// Fails only if the evaluator itself cannot start.
    pub fn new(
        workspace: &'w Workspace,
        cells: &'w Cells,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let roots = Roots::new(workspace, cells);
        let (evaluator, results) =
            Self::of(workspace, cells, &roots, Modules::default(), progress)?;
        if workspace.cache.is_on() {
            kept::keep(&evaluator, &roots, &results);
        }
        Ok(evaluator.with(results))
    }

    /// Evaluates the packages of `roots` and whatever they need; of `modules` some may be parsed already.
    pub(super) fn of(
        workspace: &'w Workspace,
        cells: &'w Cells,
        roots: &Roots<'w>,
        mut modules: Modules,
        progress: &dyn Progress,
    ) -> Result<(Self, Vec<Evaluated>)> {
        let session = session(workspace, cells, &mut modules)?;
        progress.start("evaluate", Some(roots.packages.len()));
        roots.parse(&session, &mut modules);
        modules.load_closure(&session, &roots.entries(&session));
        modules.load_roots(&session, &implicit(&session));
        let package_includes = session::package_includes(&session);
        let symbols = package_includes.iter();
        let symbols = symbols.flat_map(|include| include.symbols(&session, &modules));
        session.set_package_symbols(symbols.collect());
        modules.load_roots(&session, &roots.modules);
        let (inherited, problems) =
            PackageFiles::evaluate(&session, &modules, &roots.package_files);
        let evaluate = |dir: &&PackageDir| {
            progress.go_on()?;
            let includes = buildfile_includes(&session, &modules, dir);
            let both = Runs::Both;
            let result = package::evaluate(&session, &modules, dir, &inherited, &includes, both);
            progress.step();
            Ok(result)
        };
        let results = roots.packages.par_iter().map(evaluate).collect::<Result<_>>()?;
        let (packages, readers) = (Vec::new(), OnceLock::new());
        Ok((Self { session, modules, inherited, packages, problems, readers }, results))
    }

    fn with(mut self, results: Vec<Evaluated>) -> Self {
        self.problems.append(&mut self.modules.take_problems());
        for evaluated in results {
            self.problems.extend(evaluated.problems);
            self.packages.push(evaluated.package);
        }
        self.problems.sort();
        self.problems.dedup();
        self
    }

    /// What it found. The evaluator stays.
    pub fn evaluation(&self) -> Evaluation {
        self.finish(self.packages.clone(), self.problems.clone())
    }

    /// What it found.
    pub fn into_evaluation(mut self) -> Evaluation {
        let packages = std::mem::take(&mut self.packages);
        let problems = std::mem::take(&mut self.problems);
        self.finish(packages, problems)
    }

    /// The number of a file, as [`super::LiteralId::file`] has it in this evaluation.
    pub fn number_of(&self, path: &ProjectPath) -> Option<u32> {
        self.modules.file(path.as_str()).map(|(number, _)| number)
    }

    fn finish(&self, packages: Vec<Package>, problems: Vec<Problem>) -> Evaluation {
        Evaluation::new(packages, problems, &self.modules, self.session.core.rules.clone())
    }
}

impl Evaluation {
    /// Puts together what was found; `problems` are sorted.
    pub(super) fn new(
        packages: Vec<Package>,
        problems: Vec<Problem>,
        modules: &Modules,
        rules: RuleTable,
    ) -> Self {
        let files = modules.files.iter();
        let files: Vec<SourceFile> =
            files.map(|parsed| SourceFile { parsed: Arc::clone(parsed) }).collect();
        let numbers = files.iter().zip(0_u32..);
        let by_path = numbers.map(|(file, number)| (file.path().clone(), number)).collect();
        Self { packages, files, problems, rules, by_path }
    }
}

/// What an evaluation begins with.
pub(super) struct Roots<'w> {
    /// The packages to evaluate.
    pub(super) packages: Vec<&'w PackageDir>,
    /// PACKAGE files, of which all count for every package; sorted.
    pub(super) package_files: Vec<ProjectPath>,
    /// Loaded files to evaluate, whether or not something loads them.
    pub(super) modules: Vec<ModuleKey>,
}

impl<'w> Roots<'w> {
    /// All that a workspace has.
    pub(super) fn new(workspace: &'w Workspace, cells: &Cells) -> Self {
        let packages = packages_to_read(workspace, cells);
        Self { packages, package_files: package_files(workspace), modules: Vec::new() }
    }

    /// The files of packages, as those that load others.
    pub(super) fn entries(&self, session: &Session<'_>) -> Vec<ModuleKey> {
        let build_files = self.packages.iter().map(|package| &package.build_file);
        let files = build_files.chain(&self.package_files);
        let key = |path: &ProjectPath| ModuleKey {
            path: path.clone(),
            cell: Arc::clone(&session.cells.cell_of(path).name),
        };
        files.map(key).collect()
    }

    /// Parses the files of packages.
    pub(super) fn parse(&self, session: &Session<'_>, modules: &mut Modules) {
        let build_files = self.packages.iter().map(|package| &package.build_file);
        modules.parse(session, &build_files.chain(&self.package_files).cloned().collect());
    }
}

fn session<'w>(
    workspace: &'w Workspace,
    cells: &'w Cells,
    modules: &mut Modules,
) -> Result<Session<'w>> {
    if cells.is_bazel() {
        return Session::with_bazel(workspace, cells);
    }
    if let Some((prelude, declared)) = load_prelude(workspace, cells, modules)?
        && let Some(session) = Session::with_prelude(workspace, cells, &prelude, declared.as_ref())
    {
        return session;
    }
    Session::with_table(workspace, cells)
}

/// Evaluates `prelude//prelude.bzl` if it is on disk. Its own rules tell which attributes hold dependencies.
fn load_prelude(
    workspace: &Workspace,
    cells: &Cells,
    modules: &mut Modules,
) -> Result<Option<(FrozenModule, Option<FrozenModule>)>> {
    let Some((key, rules)) = prelude_keys(cells) else { return Ok(None) };
    let session = Session::with_table(workspace, cells)?;
    modules.load_roots(&session, std::slice::from_ref(&key));
    let plain = |key: &ModuleKey| modules.loaded.get(key).map(|loaded| loaded.plain.clone());
    Ok(plain(&key).map(|prelude| (prelude, plain(&rules))))
}

/// The files of a prelude on disk that say what its rules are: the one to load, and one that it loads.
pub(super) fn prelude_keys(cells: &Cells) -> Option<(ModuleKey, ModuleKey)> {
    let (name, true) = cells.prelude()? else { return None };
    let cell = cells.get(&name)?;
    let key = |file| Some(ModuleKey { path: cell.root.join(file)?, cell: Arc::clone(&name) });
    Some((key("prelude.bzl")?, key("rules.bzl")?))
}

/// All packages but those of the prelude, which is a tool and not the user's code.
pub(super) fn packages_to_read<'w>(workspace: &'w Workspace, cells: &Cells) -> Vec<&'w PackageDir> {
    workspace
        .tree
        .packages()
        .iter()
        .filter(|package| !cells.is_tool(&cells.cell_of(&package.dir).name))
        .filter(|package| !workspace.is_excluded(&package.build_file))
        .collect()
}

/// PACKAGE files at or above a package; a `BUCK_TREE` beside one wins (`buck2_interpreter/src/paths/package.rs`).
fn package_files(workspace: &Workspace) -> Vec<ProjectPath> {
    let mut files: Vec<ProjectPath> = Vec::new();
    if workspace.cells.is_bazel() {
        return files;
    }
    let mut on_the_way: BTreeSet<ProjectPath> = BTreeSet::new();
    for package in workspace.tree.packages() {
        let mut dir = Some(package.dir.clone());
        while let Some(at) = dir.filter(|at| !on_the_way.contains(at)) {
            dir = at.parent();
            on_the_way.insert(at);
        }
    }
    for path in workspace.tree.files() {
        let wins = match path.file_name() {
            "BUCK_TREE" => true,
            "PACKAGE" => path
                .parent()
                .and_then(|dir| dir.join("BUCK_TREE"))
                .is_none_or(|other| !workspace.tree.is_file(&other)),
            _ => false,
        };
        if wins && path.parent().is_some_and(|dir| on_the_way.contains(&dir)) {
            files.push(path.clone());
        }
    }
    files
}

/// What `[buildfile] includes` and `package_includes` name.
pub(super) fn implicit(session: &Session<'_>) -> Vec<ModuleKey> {
    let included = session.cells.iter().filter_map(|cell| include_key(session, &cell.name));
    let named = session::package_includes(session).into_iter();
    included.chain(named.map(|include| session.module_key(include.path, &include.cell))).collect()
}

/// The file that `[buildfile] includes` of a cell names.
pub(super) fn include_key(session: &Session<'_>, cell: &Arc<str>) -> Option<ModuleKey> {
    let cell = session.cells.get(cell)?;
    let include = cell.config.get("buildfile", "includes")?;
    let origin = cell.root.join("BUCK")?;
    let path = loads::resolve(session.cells, &origin, include).ok()?;
    Some(session.module_key(path, &cell.name))
}

pub(super) fn buildfile_includes(
    session: &Session<'_>,
    modules: &Modules,
    package: &PackageDir,
) -> Vec<FrozenModule> {
    let key = include_key(session, &package.id.cell);
    let loaded = key.and_then(|key| modules.loaded.get(&key));
    loaded.map(|loaded| loaded.plain.clone()).into_iter().collect()
}
