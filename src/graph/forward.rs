//! What a target stands for: aliases, and libraries with nothing of their own, hand on what they depend on. Pure.

use super::{EdgeKind, Graph, Kind, TargetId};
use rustc_hash::FxHashSet;

impl Graph {
    /// The targets that bring modules to whoever depends on `id`: itself, or what it forwards to; sorted.
    pub fn stands_for(&self, id: TargetId) -> Vec<TargetId> {
        let (mut found, mut seen, mut stack) = (Vec::new(), FxHashSet::default(), vec![id]);
        while let Some(at) = stack.pop() {
            if !seen.insert(at) {
                continue;
            }
            let edges = self.targets.node(at).edges.iter();
            let onward = edges.filter(|edge| edge.kind == EdgeKind::Modules).map(|edge| edge.to);
            let mut onward = onward.filter(|_| self.only_forwards(at)).peekable();
            if onward.peek().is_some() {
                stack.extend(onward);
            } else {
                found.push(at);
            }
        }
        found.sort_unstable();
        found
    }

    fn only_forwards(&self, id: TargetId) -> bool {
        let offer = self.owners.offer(id);
        match self.targets.node(id).kind {
            Kind::Alias => true,
            Kind::PythonLibrary => {
                !offer.has_sources && !offer.has_resources && offer.provisions.is_empty()
            }
            _ => false,
        }
    }
}
