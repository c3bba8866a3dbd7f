//! Dominators: what nothing but one node, or one edge, holds in the closure of a root. Pure.

use super::closure::Web;
use petgraph::Direction;
use petgraph::algo::dominators::simple_fast;
use petgraph::graph::NodeIndex;
use petgraph::visit::{DfsPostOrder, Walker};

/// Stands for a node that the root does not reach.
const ABSENT: u32 = u32::MAX;

/// The dominator tree of what one root reaches. A node dominates another if every way from the root leads through it.
///
/// Its nodes have ranks, in which a node stands before all that it dominates; the root's is 0.
#[derive(Clone, Debug)]
pub struct Dominators {
    nodes: Vec<usize>,
    rank_of: Vec<u32>,
    /// Of each node, by rank: the rank of its immediate dominator, the root's being its own.
    above: Vec<u32>,
    /// Of each node, by rank: where it begins in a walk of the tree, and where what it dominates ends.
    walk: Vec<(u32, u32)>,
}

/// An edge without which its end could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The node that has the edge.
    pub from: usize,
    /// The node that it leads to.
    pub to: usize,
    /// The rank of `to`: what it dominates goes with the edge.
    pub rank: usize,
}

impl Web {
    /// The dominator tree of what `root` reaches.
    pub fn dominators(&self, root: usize) -> Dominators {
        let root = NodeIndex::new(root);
        let tree = simple_fast(&self.graph, root);
        let mut order: Vec<NodeIndex> =
            DfsPostOrder::new(&self.graph, root).iter(&self.graph).collect();
        order.reverse();
        let mut rank_of = vec![ABSENT; self.graph.node_count()];
        for (rank, node) in order.iter().enumerate() {
            rank_of[node.index()] = rank as u32;
        }
        let idom = |node: &NodeIndex| tree.immediate_dominator(*node).unwrap_or(*node);
        let above: Vec<u32> = order.iter().map(|node| rank_of[idom(node).index()]).collect();
        let walk = walk(&above);
        Dominators {
            nodes: order.into_iter().map(NodeIndex::index).collect(),
            rank_of,
            above,
            walk,
        }
    }
}

/// Where each node and its subtree stand in a walk of the tree.
fn walk(above: &[u32]) -> Vec<(u32, u32)> {
    let mut size = vec![1_u32; above.len()];
    for rank in (1..above.len()).rev() {
        size[above[rank] as usize] += size[rank];
    }
    // The next free place below each node; parents come before their children.
    let mut free = vec![1_u32; above.len()];
    let mut walk = vec![(0, 0); above.len()];
    for rank in 0..above.len() {
        let parent = above[rank] as usize;
        let start = if rank == 0 { 0 } else { free[parent] };
        free[parent] = start + size[rank];
        free[rank] = start + 1;
        walk[rank] = (start, start + size[rank]);
    }
    walk
}

impl Dominators {
    /// What the root reaches, by rank.
    pub fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// The rank of a node, `None` if the root does not reach it.
    pub fn rank(&self, node: usize) -> Option<usize> {
        let rank = self.rank_of[node];
        (rank != ABSENT).then_some(rank as usize)
    }

    /// Whether every way to the second node leads through the first; both by rank. A node dominates itself.
    pub fn dominates(&self, rank: usize, other: usize) -> bool {
        let (start, end) = self.walk[rank];
        (start..end).contains(&self.walk[other].0)
    }

    /// The last node through which every way to either of two nodes leads; all by rank.
    pub fn nearest_common(&self, mut one: usize, mut other: usize) -> usize {
        while one != other {
            // The one of greater rank cannot dominate the other.
            if one > other {
                one = self.above[one] as usize;
            } else {
                other = self.above[other] as usize;
            }
        }
        one
    }

    /// For each node by rank, the sum over all that it dominates, itself included. `values` go by rank.
    pub fn sums<T: Copy + std::ops::AddAssign>(&self, mut values: Vec<T>) -> Vec<T> {
        for rank in (1..values.len()).rev() {
            let value = values[rank];
            values[self.above[rank] as usize] += value;
        }
        values
    }

    /// The edges that alone hold what they lead to. Without such an edge exactly what its end dominates is lost, without
    /// any other nothing is.
    pub fn bridges<'a>(&'a self, web: &'a Web) -> impl Iterator<Item = Bridge> + 'a {
        (1..self.nodes.len()).filter_map(|rank| {
            let above = self.above[rank] as usize;
            let (from, to) = (self.nodes[above], self.nodes[rank]);
            let before = web.graph.neighbors_directed(NodeIndex::new(to), Direction::Incoming);
            let mut is_edge = false;
            for other in before.filter_map(|node| self.rank(node.index())) {
                is_edge |= other == above;
                if other != above && !self.dominates(rank, other) {
                    return None; // another way leads here
                }
            }
            is_edge.then_some(Bridge { from, to, rank })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixedbitset::FixedBitSet;
    use proptest::prelude::*;

    const NODES: usize = 12;

    /// What the root reaches without some edges.
    fn closure(edges: &[(usize, usize)], keep: impl Fn(usize, usize) -> bool) -> FixedBitSet {
        Web::new(NODES, edges.iter().copied().filter(|(from, to)| keep(*from, *to))).closure([0])
    }

    fn elements(dominators: &Dominators, rank: usize) -> FixedBitSet {
        let ranks = 0..dominators.nodes().len();
        let below = ranks.filter(|other| dominators.dominates(rank, *other));
        let mut found = FixedBitSet::with_capacity(NODES);
        found.extend(below.map(|other| dominators.nodes()[other]));
        found
    }

    proptest! {
        #[test]
        fn what_is_dominated_is_what_is_lost(
            edges in proptest::collection::vec((0..NODES, 0..NODES), 0..40),
        ) {
            let web = Web::new(NODES, edges.clone());
            let dominators = web.dominators(0);
            let whole = closure(&edges, |_, _| true);
            let mut reached = FixedBitSet::with_capacity(NODES);
            reached.extend(dominators.nodes().iter().copied());
            prop_assert_eq!(&reached, &whole);
            for (rank, &node) in dominators.nodes().iter().enumerate().skip(1) {
                let mut lost = whole.clone();
                lost.difference_with(&closure(&edges, |from, to| from != node && to != node));
                prop_assert_eq!(elements(&dominators, rank), lost);
            }
            let bridges: Vec<Bridge> = dominators.bridges(&web).collect();
            for &(from, to) in &edges {
                let mut lost = whole.clone();
                lost.difference_with(&closure(&edges, |a, b| (a, b) != (from, to)));
                let bridge = bridges.iter().find(|bridge| (bridge.from, bridge.to) == (from, to));
                let held = bridge.map(|bridge| elements(&dominators, bridge.rank));
                prop_assert_eq!(held.unwrap_or(FixedBitSet::with_capacity(NODES)), lost);
            }
        }

        #[test]
        fn sums_and_common_dominators_agree_with_the_tree(
            edges in proptest::collection::vec((0..NODES, 0..NODES), 0..40),
        ) {
            let dominators = Web::new(NODES, edges).dominators(0);
            let ranks = 0..dominators.nodes().len();
            let sums = dominators.sums(dominators.nodes().to_vec());
            for rank in ranks.clone() {
                prop_assert_eq!(sums[rank], elements(&dominators, rank).ones().sum::<usize>());
                for other in ranks.clone() {
                    let common = ranks.clone().filter(|above| {
                        dominators.dominates(*above, rank) && dominators.dominates(*above, other)
                    });
                    prop_assert_eq!(dominators.nearest_common(rank, other), common.max().unwrap());
                }
            }
        }
    }
}
