//! Nodes and edges, to go along both ways and to weigh what lies below many nodes at once. Pure; touches nothing.

use crate::graph::Web;
use fixedbitset::FixedBitSet;

/// So many nodes are weighed in one pass, a bit for each.
const BATCH: usize = 64;
/// The step after a node from which no way leads on.
const NOWHERE: u32 = u32::MAX;

/// What a node, or all that it needs, amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Targets or modules, itself included.
    pub nodes: usize,
    /// Source files; one that several targets share counts for each of them.
    pub sources: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.sources += other.sources;
        self.bytes += other.bytes;
    }
}

/// For each node the nodes beside it, sorted, in one piece of memory.
#[derive(Debug)]
struct Lists {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Lists {
    fn new(nodes: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; nodes + 1];
        for (from, _) in &pairs {
            starts[*from as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts, ends: pairs.into_iter().map(|(_, to)| to).collect() }
    }

    fn of(&self, node: usize) -> &[u32] {
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(start), Some(end)) => &self.ends[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

/// An edge that a net is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether what is at its end is needed for a build or a run; ways and weights go along such edges only.
    pub(super) carries: bool,
    /// Whether it must not lead back to where it began.
    pub(super) binds: bool,
}

/// A graph to walk in.
#[derive(Debug)]
pub struct Net {
    own: Vec<Weight>,
    ahead: Lists,
    behind: Lists,
    users: Lists,
    /// Every node after those that lead to it, but for cycles.
    order: Vec<u32>,
    /// The place of each node in that order.
    rank: Vec<u32>,
    cycles: Vec<Vec<usize>>,
}

impl Net {
    /// A net of nodes with weights of their own.
    pub(super) fn new(own: Vec<Weight>, links: &[Link]) -> Self {
        let nodes = own.len();
        let carrying = || links.iter().filter(|link| link.carries && link.from != link.to);
        let pairs = carrying().map(|link| (link.from as u32, link.to as u32));
        let ahead = Lists::new(nodes, pairs.collect());
        let back = carrying().map(|link| (link.to as u32, link.from as u32));
        let behind = Lists::new(nodes, back.collect());
        let users = links.iter().map(|link| (link.to as u32, link.from as u32));
        let users = Lists::new(nodes, users.collect());
        let binding = links.iter().filter(|link| link.binds);
        let cycles = Web::new(nodes, binding.map(|link| (link.from, link.to))).cycles();
        let order = order(&ahead, nodes);
        let mut rank = vec![0; nodes];
        for (at, node) in (0..).zip(&order) {
            rank[*node as usize] = at;
        }
        Self { own, ahead, behind, users, order, rank, cycles }
    }

    /// What a node is by itself.
    pub fn own(&self, node: usize) -> Weight {
        self.own.get(node).copied().unwrap_or_default()
    }

    /// What a node needs directly.
    pub fn ahead(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.ahead.of(node).iter().map(|next| *next as usize)
    }

    /// What has an edge to a node, one of configuration included.
    pub fn users(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.users.of(node).iter().map(|user| *user as usize)
    }

    /// The nodes that lead to each other and to this one, itself included; empty if it is on no cycle.
    pub fn cycle(&self, node: usize) -> &[usize] {
        let cycle = self.cycles.iter().find(|cycle| cycle.binary_search(&node).is_ok());
        cycle.map_or(&[], Vec::as_slice)
    }

    /// What each node and all that it needs amount to.
    pub fn weigh(&self, nodes: &[usize]) -> Vec<Weight> {
        nodes.chunks(BATCH).flat_map(|batch| self.weigh_batch(batch)).collect()
    }

    fn weigh_batch(&self, batch: &[usize]) -> Vec<Weight> {
        let mut needed_by = vec![0_u64; self.own.len()];
        for (bit, node) in batch.iter().enumerate() {
            if let Some(mask) = needed_by.get_mut(*node) {
                *mask |= 1 << bit;
            }
        }
        // One pass is enough but for cycles: only what leads back asks for another.
        let mut leads_back = true;
        while leads_back {
            leads_back = false;
            for node in &self.order {
                let mask = needed_by[*node as usize];
                if mask == 0 {
                    continue;
                }
                for next in self.ahead.of(*node as usize) {
                    let before = needed_by[*next as usize];
                    if before | mask != before {
                        needed_by[*next as usize] = before | mask;
                        leads_back |= self.rank[*next as usize] < self.rank[*node as usize];
                    }
                }
            }
        }
        let mut sums = vec![Weight::default(); batch.len()];
        for (own, mut mask) in self.own.iter().zip(needed_by) {
            while mask != 0 {
                sums[mask.trailing_zeros() as usize] += *own;
                mask &= mask - 1;
            }
        }
        sums
    }

    /// The shortest ways to a node from all that lead to it, one edge left out.
    pub fn ways_to(&self, goal: usize, without: Option<(usize, usize)>) -> Ways {
        let mut ways = Ways { next: vec![NOWHERE; self.own.len()], near: Vec::new() };
        let Some(next) = ways.next.get_mut(goal) else { return ways };
        *next = goal as u32;
        ways.near.push(goal);
        let mut at = 0;
        while let Some(node) = ways.near.get(at).copied() {
            at += 1;
            for from in self.behind.of(node).iter().map(|from| *from as usize) {
                if ways.next[from] == NOWHERE && without != Some((from, node)) {
                    ways.next[from] = node as u32;
                    ways.near.push(from);
                }
            }
        }
        ways
    }
}

/// The shortest ways to one node.
#[derive(Debug)]
pub struct Ways {
    next: Vec<u32>,
    near: Vec<usize>,
}

impl Ways {
    /// All nodes from which a way leads, the goal and what is nearest to it first.
    pub fn near(&self) -> &[usize] {
        &self.near
    }

    /// Whether a way leads from a node.
    pub fn lead_from(&self, node: usize) -> bool {
        self.next.get(node).is_some_and(|next| *next != NOWHERE)
    }

    /// The way from a node to the goal, both included; empty if there is none.
    pub fn from(&self, node: usize) -> Vec<usize> {
        let mut way = Vec::new();
        let mut at = node;
        while self.lead_from(at) {
            way.push(at);
            let next = self.next[at] as usize;
            if next == at {
                break;
            }
            at = next;
        }
        way
    }
}

/// Every node after those that lead to it: the order in which a search leaves them, turned round.
fn order(ahead: &Lists, nodes: usize) -> Vec<u32> {
    let mut seen = FixedBitSet::with_capacity(nodes);
    let mut left = Vec::with_capacity(nodes);
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for root in 0..nodes {
        if !seen.put(root) {
            stack.push((root, 0));
        }
        while let Some((node, at)) = stack.last_mut() {
            if let Some(next) = ahead.of(*node).get(*at) {
                *at += 1;
                if !seen.put(*next as usize) {
                    stack.push((*next as usize, 0));
                }
            } else {
                left.push(*node as u32);
                stack.pop();
            }
        }
    }
    left.reverse();
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(nodes: usize, edges: &[(usize, usize)]) -> Net {
        let own = (0..nodes).map(|at| Weight { nodes: 1, sources: at, bytes: 1 << at.min(40) });
        let link =
            |(from, to): &(usize, usize)| Link { from: *from, to: *to, carries: true, binds: true };
        Net::new(own.collect(), &edges.iter().map(link).collect::<Vec<_>>())
    }

    #[test]
    fn ways_are_the_shortest_and_leave_an_edge_out() {
        let net = net(5, &[(0, 1), (1, 4), (0, 2), (2, 3), (3, 4)]);
        assert_eq!(net.ways_to(4, None).from(0), [0, 1, 4]);
        assert_eq!(net.ways_to(4, Some((1, 4))).from(0), [0, 2, 3, 4]);
        assert!(net.ways_to(0, None).from(4).is_empty());
        assert_eq!(net.ways_to(4, None).near()[0], 4);
    }

    #[test]
    fn what_does_not_carry_has_users_and_no_weight() {
        let link = Link { from: 0, to: 1, carries: false, binds: true };
        let net = Net::new(vec![Weight { nodes: 1, ..Weight::default() }; 2], &[link]);
        assert_eq!(net.users(1).collect::<Vec<_>>(), [0]);
        assert_eq!(net.weigh(&[0])[0].nodes, 1);
        assert!(net.ways_to(1, None).from(0).is_empty());
    }

    #[test]
    fn cycles_are_known() {
        let net = net(4, &[(0, 1), (1, 2), (2, 1), (2, 3)]);
        assert_eq!(net.cycle(2), [1, 2]);
        assert!(net.cycle(0).is_empty());
    }

    proptest! {
        #[test]
        fn many_weights_at_once_are_those_of_closures(
            edges in proptest::collection::vec((0_usize..90, 0_usize..90), 0..200),
        ) {
            let net = net(90, &edges);
            let web = Web::new(90, edges);
            let all: Vec<usize> = (0..90).collect();
            for (node, weight) in net.weigh(&all).into_iter().enumerate() {
                let mut sum = Weight::default();
                web.closure([node]).ones().for_each(|at| sum += net.own(at));
                prop_assert_eq!(weight, sum);
            }
        }
    }
}
