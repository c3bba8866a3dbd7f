//! The graph as numbers: nodes with weights, roots, and which nodes each commit changed. Pure.
//!
//! Nodes are targets, and those files that several targets have as a source: such a file leaves a closure only with the last
//! of them. Every other file counts as a part of its target.

use super::change::GraphChange;
use super::history::History;
use crate::buck::SourceOrigin;
use crate::graph::{EdgeKind, Graph, Kind, Resolution, TargetId, Web};
use crate::source::ProjectPath;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a part of the graph amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Weight {
    /// Targets, those outside of the repository included.
    pub targets: usize,
    /// Source files, resources included.
    pub sources: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.targets += other.targets;
        self.sources += other.sources;
        self.bytes += other.bytes;
    }
}

/// A source file.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// The node that it goes with.
    pub(super) node: usize,
    pub(super) bytes: u64,
}

/// Something that stays alive whatever depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    pub(super) node: usize,
    /// Something that runs.
    pub(super) is_program: bool,
}

/// The graph as numbers.
#[derive(Debug)]
pub(super) struct Model {
    /// Every edge as often as it is written.
    pub(super) edges: Vec<(usize, usize)>,
    pub(super) web: Web,
    /// The same with all edges turned round.
    pub(super) back: Web,
    pub(super) roots: Vec<Root>,
    pub(super) weights: Vec<Weight>,
    pub(super) targets: usize,
    pub(super) files: Vec<File>,
    pub(super) file_at: FxHashMap<ProjectPath, usize>,
    /// The files that each commit changed.
    pub(super) commits: Option<Vec<Vec<usize>>>,
}

/// A [`GraphChange`] in numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Delta {
    pub(super) removed: Vec<(usize, usize)>,
    pub(super) added: Vec<(usize, usize)>,
    pub(super) deleted_nodes: FxHashSet<usize>,
    pub(super) deleted_files: FxHashSet<usize>,
}

/// Weighs a graph; `size` gives the bytes of a file.
pub(super) fn of_graph(
    graph: &Graph,
    history: Option<&History>,
    size: impl Fn(&ProjectPath) -> u64 + Sync,
) -> Model {
    let mut owners: BTreeMap<&ProjectPath, Vec<usize>> = BTreeMap::new();
    for id in graph.targets.ids() {
        for source in graph.definition(id).into_iter().flat_map(|target| &target.sources) {
            if let SourceOrigin::File { path, present: true } = &source.origin {
                owners.entry(path).or_default().push(id.index());
            }
        }
    }
    let sources: Vec<(&ProjectPath, Vec<usize>)> = owners.into_iter().collect();
    let sizes: Vec<u64> = sources.par_iter().map(|(path, _)| size(path)).collect();
    let is_target = |id| {
        let label = &graph.targets.node(id).label;
        graph.targets.resolution(label) != Resolution::Broken
    };
    let counted = graph.targets.ids().map(is_target).collect();
    let files = sources.iter().zip(sizes).map(|((_, owners), size)| (owners.clone(), size));
    let mut model = Model::new(counted, edges(graph), roots(graph), files);
    let paths = sources.iter().enumerate().map(|(at, (path, _))| ((*path).clone(), at));
    model.file_at = paths.collect();
    model.commits = history.map(|history| {
        let known = |path: &ProjectPath| model.file_at.get(path).copied();
        history.commits.iter().map(|files| files.iter().filter_map(known).collect()).collect()
    });
    model
}

fn edges(graph: &Graph) -> Vec<(usize, usize)> {
    let built = |from: TargetId| {
        let edges = graph.targets.node(from).edges.iter();
        edges
            .filter(|edge| edge.kind != EdgeKind::Configuration)
            .map(move |edge| (from.index(), edge.to.index()))
    };
    graph.targets.ids().flat_map(built).collect()
}

fn roots(graph: &Graph) -> Vec<Root> {
    let mut has_user = vec![false; graph.targets.len()];
    for (from, to) in edges(graph) {
        has_user[to] |= from != to;
    }
    let root = |id: TargetId| {
        let node = graph.targets.node(id);
        let is_program = node.kind.is_executable();
        let is_top = node.kind != Kind::Configuration && !has_user[id.index()];
        let is_root = node.origin.is_some() && (is_program || is_top);
        is_root.then_some(Root { node: id.index(), is_program })
    };
    graph.targets.ids().filter_map(root).collect()
}

impl Model {
    /// A model of targets, of which those that are `counted` weigh something, and of files with their owners and sizes.
    pub(super) fn new(
        counted: Vec<bool>,
        mut edges: Vec<(usize, usize)>,
        roots: Vec<Root>,
        sources: impl IntoIterator<Item = (Vec<usize>, u64)>,
    ) -> Self {
        let targets = counted.len();
        let weigh = |counts| Weight { targets: usize::from(counts), ..Weight::default() };
        let mut weights: Vec<Weight> = counted.into_iter().map(weigh).collect();
        let mut files = Vec::new();
        for (mut owners, bytes) in sources {
            owners.sort_unstable();
            owners.dedup();
            let node = match owners.as_slice() {
                [only] => *only,
                _ => {
                    edges.extend(owners.iter().map(|owner| (*owner, weights.len())));
                    weights.push(Weight::default());
                    weights.len() - 1
                }
            };
            weights[node] += Weight { targets: 0, sources: 1, bytes };
            files.push(File { node, bytes });
        }
        let web = Web::new(weights.len(), edges.iter().copied());
        let back = Web::new(weights.len(), edges.iter().map(|(from, to)| (*to, *from)));
        let file_at = FxHashMap::default();
        Self { edges, web, back, roots, weights, targets, files, file_at, commits: None }
    }

    /// A change in the numbers of this model.
    pub(super) fn delta(&self, change: &GraphChange) -> Delta {
        let ends = |pairs: &[(TargetId, TargetId)]| {
            pairs.iter().map(|(from, to)| (from.index(), to.index())).collect()
        };
        let files = change.deleted_files.iter();
        Delta {
            removed: ends(&change.removed),
            added: ends(&change.added),
            deleted_nodes: change.deleted_targets.iter().map(|id| id.index()).collect(),
            deleted_files: files.filter_map(|path| self.file_at.get(path).copied()).collect(),
        }
    }

    /// The web after a change, and the nodes that are gone.
    pub(super) fn after(&self, delta: &Delta) -> (Web, FxHashSet<usize>) {
        let mut gone = delta.deleted_nodes.clone();
        let nodes = delta.deleted_files.iter().map(|file| self.files[*file].node);
        gone.extend(nodes.filter(|node| *node >= self.targets));
        let mut times: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        for edge in &delta.removed {
            *times.entry(*edge).or_default() += 1;
        }
        let stays = |edge: &(usize, usize)| match times.get_mut(edge) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        let edges = self.edges.iter().copied().filter(stays).collect::<Vec<_>>();
        let edges = edges.into_iter().chain(delta.added.iter().copied());
        let edges = edges.filter(|(from, to)| !gone.contains(from) && !gone.contains(to));
        (Web::new(self.weights.len(), edges), gone)
    }

    /// What all roots reach together.
    pub(super) fn reached(&self) -> Weight {
        self.weigh(self.web.closure(self.roots.iter().map(|root| root.node)).ones())
    }

    /// The sum over some nodes.
    pub(super) fn weigh(&self, nodes: impl IntoIterator<Item = usize>) -> Weight {
        let mut sum = Weight::default();
        nodes.into_iter().for_each(|node| sum += self.weights[node]);
        sum
    }
}
