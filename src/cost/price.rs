//! What each dependency alone holds, for all of them at once by dominators: one tree for each root. Pure.

use super::model::{Model, Weight};
use crate::graph::{Dominators, TargetId, Web, target_at};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::ops::AddAssign;

/// One dependency, however often it is written, and what would go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The target that has it.
    pub from: TargetId,
    /// The target that it leads to.
    pub to: TargetId,
    /// Roots whose closure would shrink.
    pub roots: usize,
    /// What would leave the closures, summed over the roots.
    pub held: Weight,
    /// Pairs of a commit and a root that would not have had to be built again; `None` without a history.
    pub rebuilds: Option<usize>,
    /// What no root would reach any more.
    pub retained: Weight,
}

impl Price {
    /// Orders by what is held, the least first.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (self.held.targets, self.held.bytes, self.rebuilds, self.retained)
    }
}

/// What one edge holds in the roots seen so far.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    roots: usize,
    weight: Weight,
    rebuilds: usize,
}

impl AddAssign for Held {
    fn add_assign(&mut self, other: Self) {
        self.roots += other.roots;
        self.weight += other.weight;
        self.rebuilds += other.rebuilds;
    }
}

type ByEdge = FxHashMap<(usize, usize), Held>;

/// The price of every dependency, in no order of rank.
pub(super) fn all(model: &Model) -> Vec<Price> {
    let held = model.roots.par_iter().fold(ByEdge::default, |mut sums, root| {
        let tree = model.web.dominators(root.node);
        add_bridges(model, &model.web, &tree, &mut sums);
        sums
    });
    let held = held.reduce(ByEdge::default, |mut one, other| {
        other.into_iter().for_each(|(edge, held)| *one.entry(edge).or_default() += held);
        one
    });
    let retained = retained(model);
    let mut edges: Vec<(usize, usize)> = model.edges.clone();
    edges.retain(|(_, to)| *to < model.targets);
    edges.sort_unstable();
    edges.dedup();
    let price = |edge: (usize, usize)| {
        let held = held.get(&edge).copied().unwrap_or_default();
        Price {
            from: target_at(edge.0),
            to: target_at(edge.1),
            roots: held.roots,
            held: held.weight,
            rebuilds: model.commits.is_some().then_some(held.rebuilds),
            retained: retained.get(&edge).map(|held| held.weight).unwrap_or_default(),
        }
    };
    edges.into_iter().map(price).collect()
}

/// The same for one root above all others: what no root would reach any more.
fn retained(model: &Model) -> ByEdge {
    let top = model.weights.len();
    let edges = model.edges.iter().copied().chain(model.roots.iter().map(|root| (top, root.node)));
    let web = Web::new(top + 1, edges);
    let mut sums = ByEdge::default();
    add_bridges(model, &web, &web.dominators(top), &mut sums);
    sums
}

fn add_bridges(model: &Model, web: &Web, tree: &Dominators, sums: &mut ByEdge) {
    let weight = |node: &usize| model.weights.get(*node).copied().unwrap_or_default();
    let weight = |node| Held { weight: weight(node), ..Held::default() };
    let mut own: Vec<Held> = tree.nodes().iter().map(weight).collect();
    for commit in model.commits.iter().flatten() {
        // A commit is felt no more exactly if all that it changed has left: with what dominates it all.
        let ranks = commit.iter().filter_map(|file| tree.rank(model.files[*file].node));
        if let Some(rank) = ranks.reduce(|one, other| tree.nearest_common(one, other)) {
            own[rank].rebuilds += 1;
        }
    }
    let sums_below = tree.sums(own);
    for bridge in tree.bridges(web).filter(|bridge| bridge.to < model.targets) {
        let held = Held { roots: 1, ..sums_below[bridge.rank] };
        if held.weight != Weight::default() {
            *sums.entry((bridge.from, bridge.to)).or_default() += held;
        }
    }
}
