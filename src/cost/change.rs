//! A change of the graph, as its price is asked for. Pure values; touches nothing.

use crate::finding::{Change, FixSet, Removal};
use crate::graph::{EdgeKind, Graph, TargetId};
use crate::source::ProjectPath;
use std::collections::BTreeSet;

/// What goes and what comes, at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphChange {
    /// Dependencies that go: both ends, once for each time that one is written. One of two that say the same saves nothing.
    pub removed: Vec<(TargetId, TargetId)>,
    /// Dependencies that come.
    pub added: Vec<(TargetId, TargetId)>,
    /// Targets that go, with all their dependencies.
    pub deleted_targets: Vec<TargetId>,
    /// Sources that go.
    pub deleted_files: Vec<ProjectPath>,
}

impl GraphChange {
    /// What several fixes change together. What they name and the graph does not have is no part of it, nor are comments, loads,
    /// and mentions of sources: the file behind one is gone, or goes by a change of its own.
    pub fn of_fixes<'f>(graph: &Graph, fixes: impl IntoIterator<Item = &'f FixSet>) -> Self {
        let mut change = Self::default();
        // Two fixes may remove the same literal; it goes once.
        let mut removed: BTreeSet<(TargetId, usize, TargetId)> = BTreeSet::new();
        let find = |label| graph.targets.find(label);
        for part in fixes.into_iter().flat_map(|fix| &fix.changes) {
            match part {
                Change::DeleteFile(path) => change.deleted_files.push(path.clone()),
                Change::DeleteTarget(label) => change.deleted_targets.extend(find(label)),
                Change::RemoveDep(removal) => removed.extend(matching(graph, removal)),
                Change::AddDep(new) => change.added.extend(find(&new.to).zip(find(&new.dep))),
                Change::ReplaceDep(removal, deps) => {
                    removed.extend(matching(graph, removal));
                    let ends = deps.iter().map(|dep| find(&removal.from).zip(find(dep)));
                    change.added.extend(ends.flatten());
                }
                Change::RemoveSource(_)
                | Change::RemoveLoad(..)
                | Change::RemoveComment(..)
                | Change::AddKeep(_) => {}
            }
        }
        change.removed = removed.into_iter().map(|(from, _, to)| (from, to)).collect();
        change
    }

    /// The removal of a dependency as often as it is written.
    pub fn of_edge(graph: &Graph, from: TargetId, to: TargetId) -> Self {
        let edges = graph.targets.node(from).edges.iter();
        let removed = edges.filter(|edge| edge.to == to).map(|_| (from, to)).collect();
        Self { removed, ..Self::default() }
    }
}

/// The edges that a removal means, by their owner, position and end.
fn matching(graph: &Graph, removal: &Removal) -> Vec<(TargetId, usize, TargetId)> {
    let ends = graph.targets.find(&removal.from).zip(graph.targets.find(&removal.to));
    let Some((from, to)) = ends else { return Vec::new() };
    let Some(target) = graph.definition(from) else { return Vec::new() };
    let edges = graph.targets.node(from).edges.iter().enumerate();
    let meant = edges.filter(|(_, edge)| {
        let dep = target.deps.get(edge.dep);
        let is_same =
            dep.is_some_and(|dep| dep.attr == removal.attr && dep.literal == removal.literal);
        edge.to == to && edge.kind != EdgeKind::Configuration && is_same
    });
    meant.map(|(position, _)| (from, position, to)).collect()
}
