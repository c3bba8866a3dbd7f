//! What moved since a revision: files, the packages and modules that moved with them. Pure.

use super::Revision;
use crate::finding::Report;
use crate::graph::Graph;
use crate::label::{Label, PackageId};
use crate::source::ProjectPath;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The names of today by those of then.
#[derive(Debug, Default)]
pub(super) struct Renames {
    paths: FxHashMap<ProjectPath, ProjectPath>,
    packages: FxHashMap<PackageId, PackageId>,
    modules: FxHashMap<String, String>,
}

impl Renames {
    pub(super) fn new(revision: &Revision, then: &Graph, now: &Graph) -> Self {
        let mut renames = Self::default();
        let (packages_then, packages_now) = (packages(then), packages(now));
        let moved =
            revision.files.iter().filter_map(|file| Some((file.from.as_ref()?, &file.path)));
        for (from, to) in moved {
            renames.paths.insert(from.clone(), to.clone());
            if let (Some(from), Some(to)) = (packages_then.get(from), packages_now.get(to)) {
                renames.packages.insert((*from).clone(), (*to).clone());
            }
        }
        let (then, now) = (modules(then), modules(now));
        for (from, to) in &renames.paths {
            // A file under several names may have changed each of them.
            if let (Some(Some(from)), Some(Some(to))) = (then.get(from), now.get(to)) {
                renames.modules.insert((*from).to_owned(), (*to).to_owned());
            }
        }
        renames
    }

    /// Gives findings of then the names of today.
    pub(super) fn apply(&self, report: &mut Report) {
        if self.paths.is_empty() {
            return;
        }
        for finding in &mut report.findings {
            for label in [&mut finding.target, &mut finding.dep].into_iter().flatten() {
                self.label(label);
            }
            if let Some(to) = finding.module.as_ref().and_then(|module| self.modules.get(module)) {
                finding.module = Some(to.clone());
            }
            if let Some(to) = self.paths.get(&finding.region.path) {
                finding.region.path = to.clone();
            }
        }
    }

    fn label(&self, label: &mut Label) {
        if let Some(to) = self.packages.get(&label.package) {
            label.package = to.clone();
        }
    }
}

fn packages(graph: &Graph) -> FxHashMap<&ProjectPath, &PackageId> {
    let packages = graph.evaluation.packages.iter();
    packages.map(|package| (&package.build_file, &package.id)).collect()
}

/// The dotted name of each file, `None` where there are several.
fn modules(graph: &Graph) -> FxHashMap<&ProjectPath, Option<&str>> {
    let mut names: FxHashMap<&ProjectPath, BTreeSet<&str>> = FxHashMap::default();
    for provision in graph.owners.provisions() {
        if let Some(path) = &provision.path {
            names.entry(path).or_default().insert(graph.owners.name(provision.name));
        }
    }
    let names = names.into_iter();
    names.map(|(path, names)| (path, names.first().copied().filter(|_| names.len() == 1))).collect()
}
