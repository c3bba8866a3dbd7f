//! Which modules an executable loads from its own link tree, as far as imports tell. Pure.

use super::leaning::Executables;
use crate::graph::{Graph, Kind, TargetId, Use, UseKind};
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
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
    at_start: Loads,
    ever: Loads,
}

struct Loads {
    /// For each provision, those that its source loads.
    next: Vec<Vec<usize>>,
    /// For each executable.
    loaded: Vec<OnceLock<FixedBitSet>>,
}

impl Loading {
    /// Looks at sources; of executables nothing is known yet.
    pub(super) fn new(graph: &Graph, executables: &Executables) -> Self {
        let loaded = || executables.tops.iter().map(|_| OnceLock::new()).collect();
        let loads = |when| Loads { next: next(graph, when), loaded: loaded() };
        Self { at_start: loads(When::AtStart), ever: loads(When::Ever) }
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
        let loads = match when {
            When::AtStart => &self.at_start,
            When::Ever => &self.ever,
        };
        let walk = || walk(graph, &loads.next, executables.tops[at], &executables.closures[at]);
        loads.loaded[at].get_or_init(walk).contains(provision)
    }
}

/// What an executable loads of what it holds.
fn walk(graph: &Graph, next: &[Vec<usize>], top: TargetId, held: &FixedBitSet) -> FixedBitSet {
    let owners = &graph.owners;
    let mut found = FixedBitSet::with_capacity(owners.provisions().len());
    let entries = graph.entries(top);
    let names = entries.iter().filter_map(|used| used.name);
    let mut open: Vec<usize> = names.flat_map(|name| owners.positions(name)).collect();
    // A program with a main module loads its other sources only if they are imported.
    if graph.targets.node(top).kind != Kind::PythonBinary || entries.is_empty() {
        open.extend(owners.offer(top).provisions.clone());
    }
    while let Some(at) = open.pop() {
        if held.contains(owners.provisions()[at].target.index()) && !found.put(at) {
            open.extend_from_slice(&next[at]);
        }
    }
    found
}

/// For each provision, those that its source loads, if they are there.
fn next(graph: &Graph, when: When) -> Vec<Vec<usize>> {
    let owners = &graph.owners;
    let loaded = |at: usize| {
        let Some(unit) = graph.unit_at(at) else { return Vec::new() };
        let uses = unit.uses.iter().filter(|used| runs(used, when));
        let names = uses.filter_map(|used| used.name);
        let mut found: Vec<usize> = names.flat_map(|name| owners.positions(name)).collect();
        if when == When::Ever {
            found.extend(unit.prefixes.iter().flat_map(|(prefix, _)| owners.below(prefix)));
        }
        found.sort_unstable();
        found.dedup();
        found
    };
    (0..owners.provisions().len()).into_par_iter().map(loaded).collect()
}

/// Whether a use loads the module.
pub(super) fn runs(used: &Use, when: When) -> bool {
    let kind = match when {
        When::AtStart => matches!(used.kind, UseKind::Runtime | UseKind::EntryPoint),
        When::Ever => !matches!(used.kind, UseKind::TypeOnly | UseKind::String),
    };
    kind && !used.missing_name
}
