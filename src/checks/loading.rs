//! Which modules an executable loads from its own link tree, as far as imports tell. Pure.

use super::leaning::Executables;
use crate::graph::{Graph, Kind, NameId, TargetId, Use, UseKind};
use fixedbitset::FixedBitSet;
use std::sync::OnceLock;

/// When a source is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// When the executable starts, whatever it then does.
    AtStart,
    /// Then, or when something is called.
    Ever,
}

/// What each executable loads, found when it is first asked for.
pub(super) struct Loading {
    at_start: Vec<OnceLock<FixedBitSet>>,
    ever: Vec<OnceLock<FixedBitSet>>,
}

impl Loading {
    /// Nothing is known yet.
    pub(super) fn new(executables: &Executables) -> Self {
        let unknown = || executables.tops.iter().map(|_| OnceLock::new()).collect();
        Self { at_start: unknown(), ever: unknown() }
    }

    /// Whether the executable at a position loads a source, given by the position of its provision.
    pub(super) fn loads(
        &self,
        graph: &Graph,
        executables: &Executables,
        at: usize,
        provision: usize,
        when: When,
    ) -> bool {
        let walk = || Walk::new(graph, &executables.closures[at], when).from(executables.tops[at]);
        let loaded = match when {
            When::AtStart => &self.at_start,
            When::Ever => &self.ever,
        };
        loaded[at].get_or_init(walk).contains(provision)
    }
}

struct Walk<'a> {
    graph: &'a Graph,
    closure: &'a FixedBitSet,
    when: When,
    found: FixedBitSet,
    open: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph, closure: &'a FixedBitSet, when: When) -> Self {
        let found = FixedBitSet::with_capacity(graph.owners.provisions().len());
        Self { graph, closure, when, found, open: Vec::new() }
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
            let when = self.when;
            unit.uses.iter().filter(|used| runs(used, when)).for_each(|used| {
                used.name.into_iter().for_each(|name| self.name(name));
            });
            if self.when == When::AtStart {
                continue;
            }
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

/// Whether a use loads the module.
pub(super) fn runs(used: &Use, when: When) -> bool {
    let kind = match when {
        When::AtStart => matches!(used.kind, UseKind::Runtime | UseKind::EntryPoint),
        When::Ever => !matches!(used.kind, UseKind::TypeOnly | UseKind::String),
    };
    kind && !used.missing_name
}
