//! What an evaluation would give with other file contents: only what the change can reach is evaluated again. Reads through
//! the session.

use super::evaluator::{Evaluator, buildfile_includes, include_key};
use super::loads;
use super::modules::{ModuleKey, Modules, read_and_parse};
use super::package::{self, Package, Runs};
use super::session::{self, Disk, Session};
use crate::source::{Problem, ProjectPath};
use crate::workspace::{Files, OverlayFiles, PackageDir};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a change of files does to an evaluation.
pub struct Trial<'e> {
    /// Packages that were evaluated again; some may come out as they were.
    pub packages: Vec<TriedPackage<'e>>,
    /// What went wrong that did not before.
    pub problems: Vec<Problem>,
}

/// One package before and after a change.
pub struct TriedPackage<'e> {
    /// As it is.
    pub before: &'e Package,
    /// As it would be, without the literals of its dependencies; `None` if it is gone.
    pub after: Option<Package>,
}

/// Why a change cannot be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untried(pub String);

/// Who loads a file, by path.
type Readers = FxHashMap<ProjectPath, Vec<ProjectPath>>;

impl Evaluator<'_> {
    /// Evaluates again what the contents given would change; `None` deletes a file.
    pub fn trial(
        &self,
        changes: &BTreeMap<ProjectPath, Option<Vec<u8>>>,
    ) -> Result<Trial<'_>, Untried> {
        let base = self.session.disk;
        let deleted = changes.iter().filter(|(_, contents)| contents.is_none());
        let deleted: Vec<ProjectPath> = deleted.map(|(path, _)| path.clone()).collect();
        let overlay = || base.tree.overlay(&[], &deleted, self.session.cells);
        let tree = (!deleted.is_empty()).then(overlay);
        let tree = tree.as_ref().unwrap_or(base.tree);
        let files = OverlayFiles::new(Arc::clone(base.files), changes.clone());
        let files: Arc<dyn Files> = Arc::new(files);
        let session = self.session.over(Disk { tree, files: &files });
        let dirty = self.dirty(changes.keys())?;
        let mut modules = self.modules.clone();
        modules.parse_again(&session, changes.keys(), Runs::Plain);
        let stale = modules.loaded.keys().filter(|key| dirty.contains(&key.path));
        let stale: BTreeSet<ModuleKey> = stale.cloned().collect();
        modules.load_again(&session, stale, Runs::Plain);
        let mut problems = modules.take_problems();
        let mut packages = Vec::new();
        for (before, dir) in self.affected(&dirty, &deleted, tree.packages()) {
            let after = dir.map(|dir| {
                let includes = buildfile_includes(&session, &modules, dir);
                let (inherited, plain) = (&self.inherited, Runs::Plain);
                package::evaluate(&session, &modules, dir, inherited, &includes, plain)
            });
            let after = after.map(|after| {
                problems.extend(after.problems);
                after.package
            });
            packages.push(TriedPackage { before, after });
        }
        let is_known = |problem: &Problem| {
            let mut known = self.problems.iter();
            known.any(|known| known.path == problem.path && known.message == problem.message)
        };
        problems.retain(|problem| !is_known(problem));
        Ok(Trial { packages, problems })
    }

    /// The files whose meaning a change of the files given can change: they, and all that load them.
    pub(super) fn dirty<'p>(
        &self,
        changed: impl Iterator<Item = &'p ProjectPath>,
    ) -> Result<FxHashSet<ProjectPath>, Untried> {
        let readers = self.readers.get_or_init(|| self.find_readers());
        let mut dirty: FxHashSet<ProjectPath> = FxHashSet::default();
        let mut open: Vec<ProjectPath> = changed.cloned().collect();
        while let Some(path) = open.pop() {
            if dirty.insert(path.clone()) {
                open.extend(readers.get(&path).into_iter().flatten().cloned());
            }
        }
        // What these define was handed out once for all packages.
        let included: FxHashSet<ProjectPath> = session::package_includes(&self.session)
            .into_iter()
            .map(|include| include.path)
            .collect();
        let is_global = |path: &&ProjectPath| {
            self.session.is_prelude(path) || self.inherited.reads(path) || included.contains(*path)
        };
        match dirty.iter().filter(is_global).min() {
            Some(path) => {
                Err(Untried(format!("`{path}` would change, on which many packages depend unseen")))
            }
            None => Ok(dirty),
        }
    }

    fn find_readers(&self) -> Readers {
        let mut readers = Readers::default();
        let cells = self.session.cells;
        for file in &self.modules.files {
            for load in &file.collected.loads {
                if let Ok(path) = loads::resolve(cells, &file.path, &load.module) {
                    readers.entry(path).or_default().push(file.path.clone());
                }
            }
        }
        for package in &self.packages {
            if let Some(key) = include_key(&self.session, &package.id.cell) {
                readers.entry(key.path).or_default().push(package.build_file.clone());
            }
        }
        readers
    }

    /// Packages to evaluate again: those whose build file is dirty, and those above deleted files, whose globs change.
    fn affected<'e, 'd>(
        &'e self,
        dirty: &FxHashSet<ProjectPath>,
        deleted: &[ProjectPath],
        dirs: &'d [PackageDir],
    ) -> Vec<(&'e Package, Option<&'d PackageDir>)> {
        let after: FxHashMap<&ProjectPath, &PackageDir> =
            dirs.iter().map(|dir| (&dir.dir, dir)).collect();
        let is_affected = |package: &&Package| {
            dirty.contains(&package.build_file)
                || deleted.iter().any(|path| path.below(&package.dir).is_some())
        };
        let affected = self.packages.iter().filter(is_affected);
        affected.map(|package| (package, after.get(&package.dir).copied())).collect()
    }
}

impl Modules {
    /// Parses files anew that are parsed already; with marks, if the literals are asked for.
    pub(super) fn parse_again<'p>(
        &mut self,
        session: &Session<'_>,
        paths: impl Iterator<Item = &'p ProjectPath>,
        runs: Runs,
    ) {
        for path in paths {
            if !session.disk.files.exists(path) {
                continue; // it goes, and its package with it
            }
            if let Some((number, _)) = self.file(path.as_str()) {
                let file = read_and_parse(session, path, (runs == Runs::Both).then_some(number));
                self.problems.extend(file.problems.iter().cloned());
                self.files[number as usize] = Arc::new(file);
            }
        }
    }

    /// Evaluates loaded files anew.
    pub(super) fn load_again<'a>(
        &mut self,
        session: &'a Session<'a>,
        stale: BTreeSet<ModuleKey>,
        runs: Runs,
    ) {
        for key in &stale {
            self.loaded.remove(key);
        }
        for level in self.levels(session, stale) {
            for key in level {
                let (loaded, problems) = self.evaluate(session, &key, runs);
                self.found.insert(key.clone(), problems);
                self.loaded.insert(key, loaded);
            }
        }
    }
}
