//! The same evaluation of a workspace in which some files differ: what they cannot reach is taken over. Reads through the
//! session.

use super::evaluator::{Evaluator, buildfile_includes, packages_to_read};
use super::modules::ModuleKey;
use super::package::{self, Package, Runs};
use super::session::{Disk, Session};
use crate::error::Result;
use crate::progress::Progress;
use crate::source::{Problem, ProjectPath};
use crate::workspace::{Cells, PackageDir, Workspace};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

impl Evaluator<'_> {
    /// Evaluates `other`, whose files are those of this workspace but for the `changed` ones, in the configuration of `cells`.
    pub fn beside<'o>(
        &'o self,
        other: &'o Workspace,
        cells: &'o Cells,
        changed: &BTreeSet<ProjectPath>,
        progress: &dyn Progress,
    ) -> Result<Evaluator<'o>> {
        let is_inherited = |path: &ProjectPath| matches!(path.file_name(), "PACKAGE" | "BUCK_TREE");
        match self.dirty(changed.iter()) {
            Ok(dirty)
                if !changed.iter().any(is_inherited) && cells.say_the_same(self.session.cells) =>
            {
                Ok(self.beside_with(other, changed, &dirty))
            }
            // Many packages depend unseen on what changed.
            _ => Evaluator::new(other, cells, progress),
        }
    }

    fn beside_with<'o>(
        &'o self,
        other: &'o Workspace,
        changed: &BTreeSet<ProjectPath>,
        dirty: &FxHashSet<ProjectPath>,
    ) -> Evaluator<'o> {
        let disk = Disk { tree: &other.tree, files: &other.files };
        let session = Session { workspace: other, ..self.session.over(disk) };
        let moved: Vec<&ProjectPath> = changed
            .iter()
            .filter(|path| other.files.exists(path) != self.session.disk.files.exists(path))
            .collect();
        let known: FxHashMap<&ProjectPath, &Package> =
            self.packages.iter().map(|package| (&package.build_file, package)).collect();
        let dirs = packages_to_read(other, session.cells);
        let unchanged = |dir: &PackageDir| {
            let is_apart = moved.iter().all(|path| path.below(&dir.dir).is_none());
            known.get(&dir.build_file).filter(|_| is_apart && !dirty.contains(&dir.build_file))
        };
        let mut modules = self.modules.clone();
        modules.parse_again(&session, changed.iter(), Runs::Both);
        let stale = modules.loaded.keys().filter(|key| dirty.contains(&key.path));
        let stale: BTreeSet<ModuleKey> = stale.cloned().collect();
        modules.load_again(&session, stale, Runs::Both);
        let anew = dirs
            .iter()
            .filter(|dir| unchanged(dir).is_none())
            .map(|dir| ModuleKey { path: dir.build_file.clone(), cell: Arc::clone(&dir.id.cell) });
        let anew: Vec<ModuleKey> = anew.collect();
        modules.parse(&session, &anew.iter().map(|key| key.path.clone()).collect());
        modules.load_closure(&session, &anew);
        let results: Vec<(Package, Vec<Problem>)> = dirs
            .par_iter()
            .map(|dir| match unchanged(dir) {
                Some(package) => ((*package).clone(), Vec::new()),
                None => {
                    let includes = buildfile_includes(&session, &modules, dir);
                    let inherited = &self.inherited;
                    let both = Runs::Both;
                    let evaluated =
                        package::evaluate(&session, &modules, dir, inherited, &includes, both);
                    (evaluated.package, evaluated.problems)
                }
            })
            .collect();
        let anew: FxHashSet<ProjectPath> = anew.into_iter().map(|key| key.path).collect();
        let is_known = |problem: &&Problem| {
            !anew.contains(&problem.path)
                && !dirty.contains(&problem.path)
                && other.files.exists(&problem.path)
        };
        let mut problems: Vec<Problem> = self.problems.iter().filter(is_known).cloned().collect();
        problems.append(&mut modules.take_problems());
        let (packages, found): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        problems.extend(found.into_iter().flatten());
        problems.sort();
        problems.dedup();
        let inherited = self.inherited.clone();
        Evaluator { session, modules, inherited, packages, problems, readers: OnceLock::new() }
    }
}
