//! What a set of fixes has to do with the rest of the graph: the targets that it changes and who depends on them, and which
//! fixes need each other. Pure.

use super::plan::PlannedFix;
use crate::finding::{Change, FixSet};
use crate::graph::{Graph, Kind, Web, target_at};
use crate::label::Label;
use crate::source::ProjectPath;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Targets that have to do with a batch, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Those that it changes.
    pub targets: Vec<Label>,
    /// Those and all that depend on them, by any number of steps, as `rdeps` of Buck's query language.
    pub rdeps: Vec<Label>,
    /// The tests among the latter.
    pub tests: Vec<Label>,
}

impl Affected {
    /// What has to do with these targets, as far as they are on disk.
    pub fn by(graph: &Graph, targets: &[Label]) -> Self {
        let nodes = &graph.targets;
        let edges = nodes.ids().flat_map(|from| {
            nodes.node(from).edges.iter().map(move |edge| (edge.to.index(), from.index()))
        });
        let web = Web::new(nodes.len(), edges);
        let ids: Vec<_> = targets.iter().filter_map(|label| nodes.find(label)).collect();
        let reached = web.closure(ids.iter().map(|id| id.index()));
        let on_disk = |id: &crate::graph::TargetId| nodes.node(*id).origin.is_some();
        let ids = ids.into_iter().filter(on_disk);
        let rdeps = reached.ones().map(target_at).filter(on_disk);
        let (mut affected, mut targets) = (Self::default(), BTreeSet::new());
        targets.extend(ids.map(|id| &nodes.node(id).label));
        affected.targets = targets.into_iter().cloned().collect();
        for id in rdeps {
            let label = nodes.node(id).label.clone();
            if is_test(graph, id) {
                affected.tests.push(label.clone());
            }
            affected.rdeps.push(label);
        }
        affected.rdeps.sort();
        affected.tests.sort();
        affected
    }

    /// The same without targets that are gone.
    #[must_use]
    pub fn without(&self, gone: &BTreeSet<&Label>) -> Self {
        let left = |labels: &[Label]| {
            labels.iter().filter(|label| !gone.contains(label)).cloned().collect()
        };
        let (targets, rdeps, tests) = (left(&self.targets), left(&self.rdeps), left(&self.tests));
        Self { targets, rdeps, tests }
    }
}

fn is_test(graph: &Graph, id: crate::graph::TargetId) -> bool {
    let rule = graph.definition(id).map_or("", |target| &*target.kind);
    graph.targets.node(id).kind == Kind::PythonTest
        || ["_test", "_unittest", "test_suite"].iter().any(|end| rule.ends_with(end))
}

/// The targets that fixes delete.
pub(super) fn deleted<'f>(fixes: impl IntoIterator<Item = &'f PlannedFix>) -> BTreeSet<&'f Label> {
    let changes = fixes.into_iter().flat_map(|fix| &fix.set.changes);
    let deleted = changes.filter_map(|change| match change {
        Change::DeleteTarget(label) => Some(label),
        _ => None,
    });
    deleted.collect()
}

/// The targets that fixes change, sorted.
pub(super) fn edited(graph: &Graph, fixes: &[PlannedFix]) -> Vec<Label> {
    let mut edited: BTreeSet<&Label> = BTreeSet::new();
    let mut files: BTreeSet<&ProjectPath> = BTreeSet::new();
    for fix in fixes {
        edited.extend(fix.findings.iter().filter_map(|finding| finding.target.as_ref()));
        for change in &fix.set.changes {
            match change {
                Change::RemoveDep(removal) | Change::ReplaceDep(removal, _) => {
                    edited.insert(&removal.from);
                }
                Change::AddDep(addition) => _ = edited.insert(&addition.to),
                Change::DeleteTarget(label) => _ = edited.insert(label),
                Change::RemoveLoad(path, _) | Change::RemoveComment(path, _) => {
                    files.insert(path);
                }
                Change::AddKeep(keep) => _ = files.insert(&keep.path),
                // The finding names the target that has the source.
                Change::DeleteFile(_) | Change::RemoveSource(_) => {}
            }
        }
    }
    // What a load brings may be used by every target of the file.
    let mut of_files = BTreeSet::new();
    if !files.is_empty() {
        for id in graph.targets.ids() {
            let (Some(target), Some(package)) = (graph.definition(id), graph.package(id)) else {
                continue;
            };
            if files.contains(&target.place.path) || files.contains(&package.build_file) {
                of_files.insert(&target.label);
            }
        }
    }
    edited.into_iter().chain(of_files).cloned().collect::<BTreeSet<Label>>().into_iter().collect()
}

/// For each fix those that must be made with it: a target goes with or after its users, a file with or after those that
/// import it.
pub(super) fn needs(graph: &Graph, fixes: &[&FixSet]) -> Vec<Vec<usize>> {
    let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); fixes.len()];
    let mut deletes_target: FxHashMap<&Label, usize> = FxHashMap::default();
    let mut removes_edge: FxHashMap<(&Label, &Label), usize> = FxHashMap::default();
    let mut deletes_file: FxHashMap<&ProjectPath, usize> = FxHashMap::default();
    for (at, fix) in fixes.iter().enumerate() {
        for change in &fix.changes {
            match change {
                Change::DeleteTarget(label) => _ = deletes_target.insert(label, at),
                Change::DeleteFile(path) => _ = deletes_file.insert(path, at),
                Change::RemoveDep(removal) => {
                    removes_edge.insert((&removal.from, &removal.to), at);
                }
                _ => {}
            }
        }
    }
    if deletes_target.is_empty() && deletes_file.len() < 2 {
        return vec![Vec::new(); fixes.len()];
    }
    for id in graph.targets.ids() {
        let user = &graph.targets.node(id).label;
        for edge in &graph.targets.node(id).edges {
            let used = &graph.targets.node(edge.to).label;
            let Some(fix) = deletes_target.get(used).and_then(|at| needs.get_mut(*at)) else {
                continue;
            };
            fix.extend(deletes_target.get(user));
            fix.extend(removes_edge.get(&(user, used)));
        }
        for (provision, unit) in graph.units_of(id) {
            let importer = provision.path.as_ref().and_then(|path| deletes_file.get(path));
            let Some(importer) = importer else { continue };
            let names = unit.uses.iter().filter_map(|used| used.name);
            let paths = names.flat_map(|name| graph.owners.providers(name));
            for imported in paths.filter_map(|provision| deletes_file.get(provision.path.as_ref()?))
            {
                if let Some(fix) = needs.get_mut(*imported) {
                    fix.insert(*importer);
                }
            }
        }
    }
    needs.into_iter().map(|needs| needs.into_iter().collect()).collect()
}

/// These fixes and all that they need, directly or not; in the order in which they are found.
pub(super) fn with_needs(fixes: Vec<usize>, needs: &[Vec<usize>]) -> Vec<usize> {
    let mut found = fixes;
    let mut next = 0;
    while let Some(at) = found.get(next) {
        for other in needs.get(*at).into_iter().flatten() {
            if !found.contains(other) {
                found.push(*other);
            }
        }
        next += 1;
    }
    found
}
