//! Reachability: closures, cycles, and many questions at once. Only this file and `dominators.rs` see petgraph's types.

use super::ids::{NameId, TargetId};
use fixedbitset::FixedBitSet;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::OnceLock;

/// Goals are propagated in blocks of this many bits.
const BLOCK: usize = 512;
const WORD: usize = usize::BITS as usize;
const WORDS: usize = BLOCK / WORD;
/// The predecessor of a node that no path has come to.
const UNSEEN: usize = usize::MAX;

/// A directed graph over dense handles.
#[derive(Clone, Debug, Default)]
pub struct Web {
    pub(super) graph: DiGraph<(), ()>,
    /// The same without cycles, made when many questions are asked at once.
    condensed: OnceLock<Condensed>,
}

impl Web {
    /// A graph of `nodes` nodes and these edges; parallel edges are kept once.
    pub fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut edges: Vec<(usize, usize)> = edges.into_iter().collect();
        edges.sort_unstable();
        edges.dedup();
        // Neighbours come out in the opposite order to that in which they went in: smaller handles first.
        edges.reverse();
        let mut graph = DiGraph::with_capacity(nodes, edges.len());
        for _ in 0..nodes {
            graph.add_node(());
        }
        for (from, to) in edges {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        Self { graph, condensed: OnceLock::new() }
    }

    /// The same without some edges and with others. Neighbours that came last come first.
    #[must_use]
    pub fn changed(
        &self,
        removed: impl IntoIterator<Item = (usize, usize)>,
        added: impl IntoIterator<Item = (usize, usize)>,
    ) -> Self {
        let mut graph = self.graph.clone();
        for (from, to) in removed {
            if let Some(edge) = graph.find_edge(NodeIndex::new(from), NodeIndex::new(to)) {
                graph.remove_edge(edge);
            }
        }
        for (from, to) in added {
            graph.update_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        Self { graph, condensed: OnceLock::new() }
    }

    /// Whether an edge leads from one node to another.
    pub fn has_edge(&self, from: usize, to: usize) -> bool {
        self.graph.contains_edge(NodeIndex::new(from), NodeIndex::new(to))
    }

    /// Everything that can be reached from `roots`, the roots included.
    pub fn closure(&self, roots: impl IntoIterator<Item = usize>) -> FixedBitSet {
        let mut seen = FixedBitSet::with_capacity(self.graph.node_count());
        let mut stack: Vec<usize> = Vec::new();
        for root in roots {
            if !seen.put(root) {
                stack.push(root);
            }
        }
        while let Some(node) = stack.pop() {
            for next in self.graph.neighbors(NodeIndex::new(node)) {
                if !seen.put(next.index()) {
                    stack.push(next.index());
                }
            }
        }
        seen
    }

    /// For each of these nodes, everything that can be reached from it, itself included.
    ///
    /// Cycles are condensed; then blocks of 512 goals travel up the acyclic rest as bit sets, all blocks in parallel.
    pub fn closures(&self, from: &[usize]) -> Vec<FixedBitSet> {
        let condensed = self.condensed();
        let nodes = self.graph.node_count();
        let goals: Vec<usize> = (0..nodes).collect();
        let blocks: Vec<Vec<Bits>> = goals
            .par_chunks(BLOCK)
            .map(|block| {
                let reached = condensed.propagate(block);
                from.iter().map(|node| reached[condensed.set_of[*node]]).collect()
            })
            .collect();
        let closure = |at: usize| {
            let words = blocks.iter().flat_map(|block| block[at]);
            FixedBitSet::with_capacity_and_blocks(nodes, words)
        };
        (0..from.len()).into_par_iter().map(closure).collect()
    }

    fn condensed(&self) -> &Condensed {
        self.condensed.get_or_init(|| Condensed::new(&self.graph))
    }

    /// The shortest ways from any of these nodes to all others; ties go to the smaller handle.
    pub fn ways_from(&self, from: impl IntoIterator<Item = usize>) -> Ways {
        let mut previous = vec![UNSEEN; self.graph.node_count()];
        let mut queue: VecDeque<usize> = from.into_iter().collect();
        for &start in &queue {
            previous[start] = start;
        }
        while let Some(node) = queue.pop_front() {
            for next in self.graph.neighbors(NodeIndex::new(node)).map(NodeIndex::index) {
                if previous[next] == UNSEEN {
                    previous[next] = node;
                    queue.push_back(next);
                }
            }
        }
        Ways { previous }
    }

    /// The way between two nodes, both included, on which the fewest edges are `dear`. The second is one of the `goals`.
    pub fn cheapest_path(
        &self,
        from: usize,
        to: usize,
        goals: &Goals<'_>,
        dear: impl Fn(usize, usize) -> bool,
    ) -> Option<Vec<usize>> {
        if !goals.is_reached(from, to) {
            return None;
        }
        let mut cost = vec![usize::MAX; self.graph.node_count()];
        let mut previous = vec![UNSEEN; self.graph.node_count()];
        let mut queue = VecDeque::from([(0, from)]);
        cost[from] = 0;
        previous[from] = from;
        while let Some((spent, node)) = queue.pop_front() {
            if node == to {
                return Some(path_back(&previous, to));
            }
            if spent > cost[node] {
                continue;
            }
            let next = self.graph.neighbors(NodeIndex::new(node)).map(NodeIndex::index);
            for next in next.filter(|next| goals.is_reached(*next, to)) {
                let is_dear = dear(node, next);
                let sum = spent + usize::from(is_dear);
                if sum < cost[next] {
                    cost[next] = sum;
                    previous[next] = node;
                    // Cheap ones first: the queue holds at most two sums, in order.
                    if is_dear {
                        queue.push_back((sum, next));
                    } else {
                        queue.push_front((sum, next));
                    }
                }
            }
        }
        None
    }

    /// Strongly connected sets of more than one node, or of one that points to itself; each sorted, in the order of their first.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        // Kosaraju's is iterative; Tarjan's recursion would be as deep as the graph.
        let sets = kosaraju_scc(&self.graph).into_iter();
        let is_cycle = |set: &Vec<NodeIndex>| {
            set.len() > 1 || set.iter().any(|&node| self.graph.contains_edge(node, node))
        };
        let mut cycles: Vec<Vec<usize>> = sets
            .filter(is_cycle)
            .map(|set| {
                let mut nodes: Vec<usize> = set.into_iter().map(NodeIndex::index).collect();
                nodes.sort_unstable();
                nodes
            })
            .collect();
        cycles.sort_unstable();
        cycles
    }

    /// For each pair, whether the second can be reached from the first.
    pub fn reaches(&self, pairs: &[(usize, usize)]) -> Vec<bool> {
        let goals = self.goals(pairs.iter().map(|&(_, to)| to));
        pairs.iter().map(|&(from, to)| goals.is_reached(from, to)).collect()
    }

    /// Who reaches these nodes; found as [`Web::closures`] are, for these goals alone.
    pub fn goals(&self, goals: impl IntoIterator<Item = usize>) -> Goals<'_> {
        let condensed = self.condensed();
        let mut goals: Vec<usize> = goals.into_iter().collect();
        goals.sort_unstable();
        goals.dedup();
        let positions = goals.iter().enumerate().map(|(at, goal)| (*goal, at)).collect();
        let blocks = goals.par_chunks(BLOCK).map(|block| condensed.propagate(block)).collect();
        Goals { condensed, positions, blocks }
    }
}

/// Who reaches some nodes.
pub struct Goals<'w> {
    condensed: &'w Condensed,
    positions: FxHashMap<usize, usize>,
    /// For each block of goals and each set of the condensed graph, those that it reaches.
    blocks: Vec<Vec<Bits>>,
}

impl Goals<'_> {
    /// For each goal, the positions of those of these nodes that reach it.
    pub fn reached_from(&self, nodes: &[usize]) -> FxHashMap<usize, FixedBitSet> {
        let none = FixedBitSet::with_capacity(nodes.len());
        let mut reached = vec![none; self.positions.len()];
        for (at, node) in nodes.iter().enumerate() {
            for (number, block) in self.blocks.iter().enumerate() {
                let goals = FixedBitSet::with_capacity_and_blocks(
                    BLOCK,
                    block[self.condensed.set_of[*node]],
                );
                goals.ones().for_each(|goal| reached[number * BLOCK + goal].insert(at));
            }
        }
        let take = |(goal, at): (&usize, &usize)| (*goal, std::mem::take(&mut reached[*at]));
        self.positions.iter().map(take).collect()
    }

    /// Whether a node reaches one of the goals.
    pub fn is_reached(&self, from: usize, goal: usize) -> bool {
        self.positions.get(&goal).is_some_and(|at| {
            let bits = &self.blocks[at / BLOCK][self.condensed.set_of[from]];
            bits[at % BLOCK / WORD] >> (at % WORD) & 1 == 1
        })
    }
}

/// The shortest ways from some nodes.
pub struct Ways {
    previous: Vec<usize>,
}

impl Ways {
    /// The one to a node, both ends included; `None` if there is none.
    pub fn to(&self, node: usize) -> Option<Vec<usize>> {
        (self.previous[node] != UNSEEN).then(|| path_back(&self.previous, node))
    }
}

fn path_back(previous: &[usize], to: usize) -> Vec<usize> {
    let mut path = vec![to];
    let mut at = to;
    while previous[at] != at {
        at = previous[at];
        path.push(at);
    }
    path.reverse();
    path
}

/// Which goals of a block are reached.
type Bits = [usize; WORDS];

/// The graph with each strongly connected set as one node. Sets are numbered so that edges lead to smaller numbers.
#[derive(Clone, Debug)]
struct Condensed {
    set_of: Vec<usize>,
    edges: Vec<Vec<usize>>,
}

impl Condensed {
    fn new(graph: &DiGraph<(), ()>) -> Self {
        let sets = kosaraju_scc(graph);
        let mut set_of = vec![0; graph.node_count()];
        for (number, set) in sets.iter().enumerate() {
            for node in set {
                set_of[node.index()] = number;
            }
        }
        let mut edges = vec![Vec::new(); sets.len()];
        for edge in graph.edge_indices() {
            if let Some((from, to)) = graph.edge_endpoints(edge) {
                let (from, to) = (set_of[from.index()], set_of[to.index()]);
                if from != to {
                    edges[from].push(to);
                }
            }
        }
        for targets in &mut edges {
            targets.sort_unstable();
            targets.dedup();
        }
        Self { set_of, edges }
    }

    /// For every set, which of the goals, at most a block of nodes, it reaches.
    fn propagate(&self, goals: &[usize]) -> Vec<Bits> {
        let mut bits = vec![[0; WORDS]; self.edges.len()];
        for (at, &goal) in goals.iter().enumerate() {
            bits[self.set_of[goal]][at / WORD] |= 1 << (at % WORD);
        }
        for set in 0..self.edges.len() {
            for &next in &self.edges[set] {
                let below = bits[next];
                for (word, other) in bits[set].iter_mut().zip(below) {
                    *word |= other;
                }
            }
        }
        bits
    }
}

/// The handle of a name by its position.
pub fn name_at(index: usize) -> NameId {
    NameId::new(index)
}

/// The handle of a target by its position in a bit set.
pub fn target_at(index: usize) -> TargetId {
    TargetId::new(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cycles_are_found_and_ordered() {
        let web = Web::new(6, [(0, 1), (1, 0), (2, 3), (3, 4), (4, 2), (5, 5)]);
        assert_eq!(web.cycles(), [vec![0, 1], vec![2, 3, 4], vec![5]]);
    }

    #[test]
    fn the_shortest_way_is_found() {
        let web = Web::new(5, [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4)]);
        assert_eq!(web.ways_from([0]).to(4), Some(vec![0, 1, 4]));
        assert_eq!(web.ways_from([4]).to(0), None);
    }

    #[test]
    fn all_ways_from_a_node_are_the_shortest() {
        let web = Web::new(6, [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4), (4, 0), (5, 0)]);
        for from in 0..6 {
            let ways = web.ways_from([from]);
            for to in 0..6 {
                assert_eq!(
                    ways.to(to),
                    web.cheapest_path(from, to, &web.goals([to]), |_, _| true),
                    "{from} to {to}"
                );
            }
        }
    }

    #[test]
    fn the_cheapest_way_is_found() {
        let web = Web::new(5, [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4)]);
        let dear = |from: usize, _: usize| from == 1;
        let goals = web.goals([0, 4]);
        assert_eq!(web.cheapest_path(0, 4, &goals, dear), Some(vec![0, 2, 3, 4]));
        assert_eq!(web.cheapest_path(0, 4, &goals, |_, to| to != 1), Some(vec![0, 1, 4]));
        assert_eq!(web.cheapest_path(4, 0, &goals, dear), None);
    }

    #[test]
    fn edges_are_taken_out_and_put_in() {
        let web = Web::new(4, [(0, 1), (1, 2), (0, 2), (2, 3)]);
        let changed = web.changed([(0, 2), (1, 2), (3, 0)], [(1, 3), (2, 3)]);
        let edges = |web: &Web| -> Vec<(usize, usize)> {
            let pairs = (0..4).flat_map(|from| (0..4).map(move |to| (from, to)));
            pairs.filter(|(from, to)| web.has_edge(*from, *to)).collect()
        };
        assert_eq!(edges(&changed), [(0, 1), (1, 3), (2, 3)]);
        assert_eq!(edges(&web), [(0, 1), (0, 2), (1, 2), (2, 3)]);
        assert_eq!(changed.closures(&[0])[0], changed.closure([0]));
    }

    #[test]
    fn many_closures_go_over_more_than_one_block() {
        let nodes = 2 * BLOCK + 100;
        let next =
            (0..nodes).map(|node| (node, (node + 7) % nodes)).filter(|(from, _)| *from != 50);
        let web = Web::new(nodes, next.chain([(nodes - 1, 3), (600, 1)]));
        let from: Vec<usize> = (0..nodes).step_by(13).collect();
        let alone: Vec<FixedBitSet> = from.iter().map(|node| web.closure([*node])).collect();
        assert_eq!(web.closures(&from), alone);
        assert!(alone.iter().any(|closure| closure.count_ones(..) > BLOCK));
    }

    proptest! {
        #[test]
        fn many_questions_at_once_agree_with_one_at_a_time(
            edges in proptest::collection::vec((0_usize..40, 0_usize..40), 0..120),
        ) {
            let web = Web::new(40, edges);
            let pairs: Vec<_> = (0..40).flat_map(|from| (0..40).map(move |to| (from, to))).collect();
            let answers = web.reaches(&pairs);
            for ((from, to), answer) in pairs.into_iter().zip(answers) {
                prop_assert_eq!(web.closure([from]).contains(to), answer);
            }
            let nodes: Vec<usize> = (0..40).collect();
            let reached = web.goals(10..30).reached_from(&nodes);
            for (from, to) in (0..40).flat_map(|from| (10..30).map(move |to| (from, to))) {
                prop_assert_eq!(reached[&to].contains(from), web.closure([from]).contains(to));
            }
            let alone: Vec<FixedBitSet> = nodes.iter().map(|node| web.closure([*node])).collect();
            prop_assert_eq!(web.closures(&nodes), alone);
        }
    }
}
