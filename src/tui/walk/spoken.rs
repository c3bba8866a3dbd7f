//! Which findings speak of which targets, modules and edges. Pure.

use super::world::{Node, World};
use crate::finding::{CheckId, Finding};
use crate::graph::NameId;
use crate::source::ProjectPath;
use crate::tui::item::Item;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Positions of findings by what they speak of.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    edges: FxHashMap<(Node, Node), Vec<usize>>,
    nodes: FxHashMap<Node, Vec<usize>>,
}

impl Spoken {
    /// Sorts findings by what they speak of.
    pub(super) fn new(world: &World, items: &[Item]) -> Self {
        let mut spoken = Self::default();
        let mut modules: BTreeMap<&ProjectPath, Vec<NameId>> = BTreeMap::new();
        for provision in world.graph.owners.provisions() {
            if let Some(path) = &provision.path {
                modules.entry(path).or_default().push(provision.name);
            }
        }
        for (at, item) in items.iter().enumerate() {
            let finding = &item.finding;
            let target = finding.target.as_ref().and_then(|it| world.graph.targets.find(it));
            let dep = finding.dep.as_ref().and_then(|it| world.graph.targets.find(it));
            let target = target.map(Node::target);
            match (target, dep.map(Node::target)) {
                (Some(from), Some(to)) => spoken.edge(from, to, at),
                (Some(node), None) => spoken.node(node, at),
                _ => {}
            }
            let Some(module) = &finding.module else { continue };
            let Some(name) = world.graph.owners.resolve(module) else { continue };
            if is_about_module(finding) {
                spoken.node(Node::module(name), at);
                continue;
            }
            let importers = modules.get(&finding.region.path);
            for from in importers.into_iter().flatten().filter(|from| **from != name) {
                spoken.edge(Node::module(*from), Node::module(name), at);
            }
        }
        spoken
    }

    fn edge(&mut self, from: Node, to: Node, at: usize) {
        self.edges.entry((from, to)).or_default().push(at);
    }

    fn node(&mut self, node: Node, at: usize) {
        self.nodes.entry(node).or_default().push(at);
    }

    /// Findings that speak of an edge, in the order of reports.
    pub(super) fn of_edge(&self, from: Node, to: Node) -> &[usize] {
        self.edges.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// Findings that speak of a target or module as a whole, in the order of reports.
    pub(super) fn of_node(&self, node: Node) -> &[usize] {
        self.nodes.get(&node).map_or(&[], Vec::as_slice)
    }
}

/// Whether a finding's module is what it speaks of, and not what somebody imports.
pub(in crate::tui) fn is_about_module(finding: &Finding) -> bool {
    matches!(finding.check, CheckId::DeadModule | CheckId::TestOnlyModule | CheckId::ModuleCycle)
}
