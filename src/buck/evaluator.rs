//! An evaluation that stays at hand, so that it can be asked what other file contents would give. Reads through the session.

use super::modules::{ModuleKey, Modules};
use super::package::{self, Package, PackageFiles, Runs};
use super::session::{self, Session};
use super::{Evaluation, SourceFile, loads};
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
        let mut modules = Modules::default();
        let session = session(workspace, cells, &mut modules)?;
        let dirs = packages_to_read(workspace, &session);
        progress.start("evaluate", Some(dirs.len()));
        let package_files = package_files(workspace);
        load_everything(&session, &mut modules, &dirs, &package_files);
        let inherited = PackageFiles::evaluate(&session, &mut modules, &package_files);
        let results: Vec<(Package, Vec<Problem>)> = dirs
            .par_iter()
            .map(|dir| {
                let includes = buildfile_includes(&session, &modules, dir);
                let both = Runs::Both;
                let result =
                    package::evaluate(&session, &modules, dir, &inherited, &includes, both);
                progress.step();
                result
            })
            .collect();
        let mut problems = std::mem::take(&mut modules.problems);
        let mut packages = Vec::with_capacity(results.len());
        for (package, found) in results {
            problems.extend(found);
            packages.push(package);
        }
        problems.sort();
        problems.dedup();
        Ok(Self { session, modules, inherited, packages, problems, readers: OnceLock::new() })
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
        let files = self.modules.files.iter();
        let files: Vec<SourceFile> =
            files.map(|parsed| SourceFile { parsed: Arc::clone(parsed) }).collect();
        let numbers = files.iter().zip(0_u32..);
        let by_path = numbers.map(|(file, number)| (file.path().clone(), number)).collect();
        Evaluation { packages, files, problems, rules: self.session.core.rules.clone(), by_path }
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
    let Some((name, true)) = cells.prelude() else { return Ok(None) };
    let Some(cell) = cells.get(&name) else { return Ok(None) };
    let Some(path) = cell.root.join("prelude.bzl") else { return Ok(None) };
    let session = Session::with_table(workspace, cells)?;
    let key = session.module_key(path, &cell.name);
    modules.load_roots(&session, std::slice::from_ref(&key));
    let plain = |key: &ModuleKey| modules.loaded.get(key).map(|loaded| loaded.plain.clone());
    let rules = cell.root.join("rules.bzl").map(|path| session.module_key(path, &cell.name));
    Ok(plain(&key).map(|prelude| (prelude, rules.as_ref().and_then(plain))))
}

/// All packages but those of the prelude, which is a tool and not the user's code.
pub(super) fn packages_to_read<'w>(
    workspace: &'w Workspace,
    session: &Session<'_>,
) -> Vec<&'w PackageDir> {
    let cells = session.cells;
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

fn load_everything<'a>(
    session: &'a Session<'a>,
    modules: &mut Modules,
    packages: &[&PackageDir],
    package_files: &[ProjectPath],
) {
    let build_files = packages.iter().map(|package| &package.build_file).chain(package_files);
    let entry_files = build_files.map(|path| ModuleKey {
        path: path.clone(),
        cell: Arc::clone(&session.cells.cell_of(path).name),
    });
    let entry_files: Vec<ModuleKey> = entry_files.collect();
    let paths: BTreeSet<ProjectPath> = entry_files.iter().map(|key| key.path.clone()).collect();
    modules.parse(session, &paths);
    modules.load_closure(session, &entry_files);
    let implicit = session.cells.iter().filter_map(|cell| include_key(session, &cell.name));
    let package_includes = session::package_includes(session);
    let named = package_includes
        .iter()
        .map(|include| session.module_key(include.path.clone(), &include.cell));
    let roots: Vec<ModuleKey> = implicit.chain(named).collect();
    modules.load_roots(session, &roots);
    let symbols = package_includes.iter().flat_map(|include| include.symbols(session, modules));
    session.set_package_symbols(symbols.collect());
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
