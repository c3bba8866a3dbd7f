//! Which modules an executable loads from its own link tree, as far as imports tell. Pure.

use super::leaning::Executables;
use crate::graph::{Graph, Kind, NameId, TargetId, Use, UseKind};
use fixedbitset::FixedBitSet;
use std::sync::OnceLock;

/// What each executable loads, found when it is first asked for.
pub(super) struct Loading {
    loaded: Vec<OnceLock<FixedBitSet>>,
}

impl Loading {
    /// Nothing is known yet.
    pub(super) fn new(executables: &Executables) -> Self {
        Self { loaded: executables.tops.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Whether the executable at a position loads a source, given by the position of its provision.
    pub(super) fn loads(
        &self,
        graph: &Graph,
        executables: &Executables,
        at: usize,
        provision: usize,
    ) -> bool {
        let walk = || Walk::new(graph, &executables.closures[at]).from(executables.tops[at]);
        self.loaded[at].get_or_init(walk).contains(provision)
    }
}

struct Walk<'a> {
    graph: &'a Graph,
    closure: &'a FixedBitSet,
    found: FixedBitSet,
    open: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph, closure: &'a FixedBitSet) -> Self {
        let found = FixedBitSet::with_capacity(graph.owners.provisions().len());
        Self { graph, closure, found, open: Vec::new() }
    }

    fn from(mut self, top: TargetId) -> FixedBitSet {
        let graph = self.graph;
        let entries = graph.entries(top);
        entries.iter().filter_map(|used| used.name).for_each(|name| self.name(name));
        // A program with a main module loads its other sources only if they are imported.
        if graph.targets.node(top).kind != Kind::PythonBinary || entries.is_empty() {
            graph.owners.offer(top).provisions.clone().for_each(|at| self.provision(at));
        }
        while let Some(at) = self.open.pop() {
            let Some(unit) = graph.unit_at(at) else { continue };
            unit.uses.iter().filter(|used| runs(used)).for_each(|used| {
                used.name.into_iter().for_each(|name| self.name(name));
            });
            for (prefix, _) in &unit.prefixes {
                graph.owners.below(prefix).into_iter().for_each(|at| self.provision(at));
            }
        }
        self.found
    }

    fn name(&mut self, name: NameId) {
        let graph = self.graph;
        graph.owners.positions(name).for_each(|at| self.provision(at));
    }

    fn provision(&mut self, at: usize) {
        let owner = self.graph.owners.provisions()[at].target;
        if self.closure.contains(owner.index()) && !self.found.put(at) {
            self.open.push(at);
        }
    }
}

/// Whether a use loads the module when the program runs.
fn runs(used: &Use) -> bool {
    !matches!(used.kind, UseKind::TypeOnly | UseKind::String) && !used.missing_name
}
