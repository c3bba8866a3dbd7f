//! What dependencies cost: the targets, sources and rebuilds that would leave the closures above if one were gone. Pure; asks
//! the workspace for the sizes of files.
//!
//! A closure is what a build of a root reads: everything along dependencies of any kind but configuration. The roots are
//! programs, tests, and targets that nothing depends on.

mod change;
mod history;
mod model;
mod price;
mod saving;
mod usage;

pub use change::GraphChange;
pub use history::History;
pub use model::Weight;
pub use price::Price;
pub use saving::RootSaving;
pub use usage::{FirstUse, Usage, place_of, usage};

use crate::finding::Saving;
use crate::graph::{Graph, target_at};
use crate::label::Label;
use crate::workspace::Workspace;
use model::Model;

/// The graph with everything that prices rest on: sizes of sources, roots, and the commits that changed them.
pub struct Ledger<'g> {
    graph: &'g Graph,
    model: Model,
}

impl<'g> Ledger<'g> {
    /// Weighs the graph. Without a history no rebuilds are counted.
    pub fn new(workspace: &Workspace, graph: &'g Graph, history: Option<&History>) -> Self {
        let size = |path: &_| workspace.files.size(path).unwrap_or(0);
        Self { graph, model: model::of_graph(graph, history, size) }
    }

    /// What a change saves.
    pub fn saving(&self, change: &GraphChange) -> Saving {
        saving::compute(&self.model, &self.model.delta(change)).0
    }

    /// What a change saves, and what of it each root that it concerns; those that save most come first.
    pub fn saving_by_root(&self, change: &GraphChange) -> (Saving, Vec<(&'g Label, RootSaving)>) {
        let (saving, roots) = saving::compute(&self.model, &self.model.delta(change));
        let label = |root: usize| &self.graph.targets.node(target_at(root)).label;
        let mut roots: Vec<_> = roots.into_iter().map(|(root, it)| (label(root), it)).collect();
        roots.sort_by(|(a, one), (b, other)| other.rank().cmp(&one.rank()).then(a.cmp(b)));
        (saving, roots)
    }

    /// Every dependency with what it alone holds; those that hold most come first.
    pub fn prices(&self) -> Vec<Price> {
        let mut prices = price::all(&self.model);
        let label = |id| &self.graph.targets.node(id).label;
        prices.sort_by(|a, b| {
            let ends = |price: &Price| (label(price.from), label(price.to));
            b.rank().cmp(&a.rank()).then_with(|| ends(a).cmp(&ends(b)))
        });
        prices
    }

    /// How many roots there are.
    pub fn roots(&self) -> usize {
        self.model.roots.len()
    }

    /// What all roots reach together.
    pub fn whole(&self) -> Weight {
        self.model.reached()
    }

    /// How many commits were looked at, `None` without a history.
    pub fn commits(&self) -> Option<usize> {
        self.model.commits.as_ref().map(Vec::len)
    }
}

#[cfg(test)]
mod tests;
