//! Build files, evaluated: targets with their dependencies and sources, and the literal that each was written as.
//!
//! Evaluation is permissive: what cannot be found is absorbed, what fails costs its own statement, and both are counted.
//! Reads files through the workspace; writes nothing.

mod bounds;
mod comments;
mod data_load;
mod globals;
mod helpers;
mod labels;
mod loads;
mod lower;
mod macros;
mod marks;
mod merge;
mod modules;
mod package;
mod parse;
mod pieces;
mod recorder;
mod rule;
mod run;
mod schema;
mod select;
mod session;
mod syntax;
mod unknown;
mod value;

pub use comments::{Directives, Keep};
pub use labels::{Written, in_arg, looks_like_label, parse as parse_label};
pub use lower::{Dep, Source, SourceOrigin, Target};
pub use marks::LiteralId;
pub use package::Package;
pub use parse::{Literal, LoadStatement, LoadSymbol};
pub use schema::{AttrKind, DepRole, RuleSchema, RuleTable};
pub use value::{Text, Value};

use crate::error::Result;
use crate::progress::Progress;
use crate::source::{LineIndex, Place, Problem, ProjectPath};
use crate::workspace::{Cells, PackageDir, Workspace};
use modules::{ModuleKey, Modules};
use package::PackageFiles;
use parse::ParsedFile;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use session::Session;
use starlark::environment::FrozenModule;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the build files of a workspace define under one configuration.
#[derive(Debug)]
pub struct Evaluation {
    /// Packages, sorted by name.
    pub packages: Vec<Package>,
    /// Build files and the files they load, by the number that [`LiteralId::file`] holds.
    pub files: Vec<SourceFile>,
    /// What could not be read, found or run; sorted.
    pub problems: Vec<Problem>,
    /// Attributes by rule, as the prelude on disk or the built-in table has them.
    pub rules: RuleTable,
    by_path: FxHashMap<ProjectPath, u32>,
}

/// A file of the build language, as edits and reports need it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    parsed: Arc<ParsedFile>,
}

impl SourceFile {
    /// The file.
    pub fn path(&self) -> &ProjectPath {
        &self.parsed.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.parsed.text
    }

    /// Its lines.
    pub fn lines(&self) -> &LineIndex {
        &self.parsed.lines
    }

    /// String literals that may name targets or files, in source order.
    pub fn literals(&self) -> &[Literal] {
        &self.parsed.collected.literals
    }

    /// Its `load` statements.
    pub fn loads(&self) -> &[LoadStatement] {
        &self.parsed.collected.loads
    }

    /// Whether an expression, or a comment that hides code, uses a name.
    pub fn uses_name(&self, name: &str) -> bool {
        let collected = &self.parsed.collected;
        collected.used.contains(name)
            || collected.directives.conditional.iter().any(|span| {
                self.text().get(span.range()).is_some_and(|comment| comment.contains(name))
            })
    }

    /// What its comments say.
    pub fn directives(&self) -> &Directives {
        &self.parsed.collected.directives
    }
}

impl Evaluation {
    /// The literal that a mark named.
    pub fn literal(&self, id: LiteralId) -> &Literal {
        &self.files[id.file as usize].literals()[id.index as usize]
    }

    /// Where a literal stands.
    pub fn place(&self, id: LiteralId) -> Place {
        let file = &self.files[id.file as usize];
        Place { path: file.path().clone(), span: file.literals()[id.index as usize].span }
    }

    /// A file by its path.
    pub fn file(&self, path: &ProjectPath) -> Option<&SourceFile> {
        self.by_path.get(path).map(|at| &self.files[*at as usize])
    }
}

/// Evaluates every build file of the workspace in the configuration of `cells`.
///
/// Fails only if the evaluator itself cannot start; trouble in files is [`Evaluation::problems`].
pub fn evaluate(
    workspace: &Workspace,
    cells: &Cells,
    progress: &dyn Progress,
) -> Result<Evaluation> {
    let mut modules = Modules::default();
    let prelude = load_prelude(workspace, cells, &mut modules)?;
    let session = match prelude {
        Some((prelude, declared)) => {
            match Session::with_prelude(workspace, cells, &prelude, declared.as_ref()) {
                Some(session) => session?,
                None => Session::with_table(workspace, cells)?,
            }
        }
        None => Session::with_table(workspace, cells)?,
    };
    let packages = packages_to_read(workspace, &session);
    progress.start("evaluate", Some(packages.len()));
    let package_files = package_files(workspace);
    load_everything(&session, &mut modules, &packages, &package_files);
    let inherited = PackageFiles::evaluate(&session, &mut modules, &package_files);
    let results: Vec<(Package, Vec<Problem>)> = packages
        .par_iter()
        .map(|package| {
            let includes = buildfile_includes(&session, &modules, package);
            let result = package::evaluate(&session, &modules, package, &inherited, &includes);
            progress.step();
            result
        })
        .collect();
    let mut problems = modules.problems;
    let mut evaluated = Vec::with_capacity(results.len());
    for (package, found) in results {
        problems.extend(found);
        evaluated.push(package);
    }
    problems.sort();
    problems.dedup();
    let files: Vec<SourceFile> =
        modules.files.into_iter().map(|parsed| SourceFile { parsed }).collect();
    let numbers = files.iter().zip(0_u32..);
    let by_path = numbers.map(|(file, number)| (file.path().clone(), number)).collect();
    Ok(Evaluation { packages: evaluated, files, problems, rules: session.rules.clone(), by_path })
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
fn packages_to_read<'w>(workspace: &'w Workspace, session: &Session<'_>) -> Vec<&'w PackageDir> {
    let prelude_is_project = session.is_prelude(&ProjectPath::root());
    workspace
        .tree
        .packages()
        .iter()
        .filter(|package| prelude_is_project || !session.is_prelude(&package.dir))
        .filter(|package| !workspace.is_excluded(&package.build_file))
        .collect()
}

/// PACKAGE files at or above a package; a `BUCK_TREE` beside one wins (`buck2_interpreter/src/paths/package.rs`).
fn package_files(workspace: &Workspace) -> Vec<ProjectPath> {
    let mut files: Vec<ProjectPath> = Vec::new();
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
fn include_key(session: &Session<'_>, cell: &Arc<str>) -> Option<ModuleKey> {
    let cell = session.cells.get(cell)?;
    let include = cell.config.get("buildfile", "includes")?;
    let origin = cell.root.join("BUCK")?;
    let path = loads::resolve(session.cells, &origin, include).ok()?;
    Some(session.module_key(path, &cell.name))
}

fn buildfile_includes(
    session: &Session<'_>,
    modules: &Modules,
    package: &PackageDir,
) -> Vec<FrozenModule> {
    let key = include_key(session, &package.id.cell);
    let loaded = key.and_then(|key| modules.loaded.get(&key));
    loaded.map(|loaded| loaded.plain.clone()).into_iter().collect()
}
