//! The graph of an analysis as the screen walks through it: its targets, and its modules. Pure; touches nothing.

use super::net::{Link, Net, Weight};
use crate::buck::SourceOrigin;
use crate::graph::{EdgeKind, Graph, NameId, Resolution, TargetId, UseKind, Via};
use crate::graph::{name_at, target_at};
use crate::source::ProjectPath;
use std::sync::{Arc, OnceLock};

/// What the nodes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Targets, and dependencies between them.
    #[default]
    Targets,
    /// Modules, and imports between them.
    Modules,
}

/// A target or a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Which of the two.
    pub layer: Layer,
    /// Its position in the graph.
    pub at: usize,
}

impl Node {
    /// A target.
    pub fn target(id: TargetId) -> Self {
        Self { layer: Layer::Targets, at: id.index() }
    }

    /// A module.
    pub fn module(id: NameId) -> Self {
        Self { layer: Layer::Modules, at: id.index() }
    }
}

/// How one node depends on another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tie {
    /// The attributes that have the dependency, or the kinds of import.
    pub how: String,
    /// The file and line that have it, or that define the node if there is none.
    pub place: Option<(ProjectPath, u32)>,
}

/// The graph of an analysis.
#[derive(Debug)]
pub struct World {
    /// Everything that was read.
    pub graph: Arc<Graph>,
    bytes: Arc<Vec<u64>>,
    targets: OnceLock<Net>,
    modules: OnceLock<Net>,
    names: OnceLock<Vec<(Node, String)>>,
}

impl World {
    /// The world of a graph, with the bytes of each target's sources. Cheap: nets are made when they are first asked for.
    pub fn new(graph: Arc<Graph>, bytes: Arc<Vec<u64>>) -> Self {
        let (targets, modules, names) = Default::default();
        Self { graph, bytes, targets, modules, names }
    }

    /// Its targets or its modules.
    pub fn net(&self, layer: Layer) -> &Net {
        match layer {
            Layer::Targets => self.targets.get_or_init(|| self.of_targets()),
            Layer::Modules => self.modules.get_or_init(|| self.of_modules()),
        }
    }

    /// The label, or the dotted name.
    pub fn name(&self, node: Node) -> String {
        match node.layer {
            Layer::Targets => self.graph.targets.node(target_at(node.at)).label.to_string(),
            Layer::Modules => self.graph.owners.name(name_at(node.at)).to_owned(),
        }
    }

    /// All targets and modules with their names, in the order of the graph.
    pub fn names(&self) -> &[(Node, String)] {
        self.names.get_or_init(|| {
            let targets = self.graph.targets.ids().map(Node::target);
            let mut modules: Vec<Node> =
                self.graph.owners.provisions().iter().map(|it| Node::module(it.name)).collect();
            modules.sort_unstable();
            modules.dedup();
            targets.chain(modules).map(|node| (node, self.name(node))).collect()
        })
    }

    /// The same target or module of another analysis here, if it is still there.
    pub fn find_again(&self, other: &Self, node: Node) -> Option<Node> {
        let owners = &self.graph.owners;
        match node.layer {
            Layer::Targets => {
                let label = &other.graph.targets.node(target_at(node.at)).label;
                self.graph.targets.find(label).map(Node::target)
            }
            Layer::Modules => {
                owners.find(other.graph.owners.name(name_at(node.at))).map(Node::module)
            }
        }
    }

    /// What a node depends on, by what it means for a build, then by name.
    pub fn deps(&self, node: Node) -> Vec<usize> {
        if node.layer == Layer::Modules {
            return self.sorted(node.layer, self.net(node.layer).ahead(node.at).collect());
        }
        let targets = &self.graph.targets;
        let mut deps: Vec<(bool, usize)> = targets
            .node(target_at(node.at))
            .edges
            .iter()
            .map(|edge| (edge.kind == EdgeKind::Configuration, edge.to.index()))
            .collect();
        deps.sort_by_key(|(last, at)| (*last, &targets.node(target_at(*at)).label, *at));
        let mut seen = rustc_hash::FxHashSet::default();
        deps.retain(|(_, at)| seen.insert(*at));
        deps.into_iter().map(|(_, at)| at).collect()
    }

    /// What depends on a node, by name.
    pub fn users(&self, node: Node) -> Vec<usize> {
        self.sorted(node.layer, self.net(node.layer).users(node.at).collect())
    }

    fn sorted(&self, layer: Layer, mut nodes: Vec<usize>) -> Vec<usize> {
        match layer {
            Layer::Targets => {
                nodes.sort_by(|a, b| self.label(*a).cmp(self.label(*b)).then(a.cmp(b)));
            }
            Layer::Modules => nodes.sort_by_key(|at| self.graph.owners.name(name_at(*at))),
        }
        nodes
    }

    fn label(&self, at: usize) -> &crate::label::Label {
        &self.graph.targets.node(target_at(at)).label
    }

    /// How a node depends on another, and where it says so.
    pub fn tie(&self, layer: Layer, from: usize, to: usize) -> Tie {
        match layer {
            Layer::Targets => self.dependency(from, to),
            Layer::Modules => self.import(from, to),
        }
    }

    fn dependency(&self, from: usize, to: usize) -> Tie {
        let id = target_at(from);
        let Some(target) = self.graph.definition(id) else {
            return Tie { how: "macro".to_owned(), place: None };
        };
        let edges = self.graph.targets.node(id).edges.iter();
        let between = edges.filter(|edge| edge.to.index() == to);
        let deps: Vec<_> = between.filter_map(|edge| target.deps.get(edge.dep)).collect();
        let mut attrs: Vec<&str> = deps.iter().map(|dep| &*dep.attr).collect();
        attrs.sort_unstable();
        attrs.dedup();
        let literal = deps.iter().find_map(|dep| dep.literal);
        let place = literal.map(|literal| self.graph.evaluation.place(literal));
        let (path, start) = place.map_or_else(
            || (target.place.path.clone(), target.place.span.start),
            |place| (place.path, place.span.start),
        );
        Tie { how: attrs.join(", "), place: Some(self.at_line(path, start)) }
    }

    fn import(&self, from: usize, to: usize) -> Tie {
        let owners = &self.graph.owners;
        let mut kinds = Vec::new();
        let mut place: Option<(ProjectPath, u32)> = None;
        for position in owners.positions(name_at(from)) {
            let provision = &owners.provisions()[position];
            let uses = self.graph.unit_at(position).map_or(&[][..], |unit| &unit.uses);
            for used in uses.iter().filter(|used| is_import(used, to)) {
                kinds.push(used.kind);
                let here = provision.path.clone().map(|path| (path, used.line));
                place = match (place, here) {
                    (Some(first), Some(here)) => Some(first.min(here)),
                    (first, here) => first.or(here),
                };
            }
        }
        kinds.sort_unstable();
        let mut kinds: Vec<&str> = kinds.into_iter().map(UseKind::as_str).collect();
        kinds.dedup();
        Tie { how: kinds.join(", "), place: place.or_else(|| self.place(module(from))) }
    }

    /// Where a target is defined, or the source of a module.
    pub fn place(&self, node: Node) -> Option<(ProjectPath, u32)> {
        match node.layer {
            Layer::Targets => {
                let place = &self.graph.definition(target_at(node.at))?.place;
                Some(self.at_line(place.path.clone(), place.span.start))
            }
            Layer::Modules => {
                let providers = self.graph.owners.providers(name_at(node.at));
                providers.filter_map(|it| it.path.clone()).min().map(|path| (path, 1))
            }
        }
    }

    fn at_line(&self, path: ProjectPath, start: u32) -> (ProjectPath, u32) {
        let file = self.graph.evaluation.file(&path);
        let line = file.map_or(1, |file| file.lines().line(start));
        (path, line)
    }

    /// The same in the other layer: a module of a target, or a target that provides a module.
    pub fn other_side(&self, node: Node) -> Option<Node> {
        let owners = &self.graph.owners;
        match node.layer {
            Layer::Targets => {
                let modules = owners.of_target(target_at(node.at)).iter();
                // Its sources come before what it has from elsewhere.
                let key = |name: NameId| owners.name(name);
                let first = modules.min_by_key(|it| (it.path.is_none(), key(it.name)));
                first.map(|provision| Node::module(provision.name))
            }
            Layer::Modules => {
                let targets = owners.providers(name_at(node.at)).map(|it| it.target);
                targets.min_by_key(|id| self.label(id.index())).map(Node::target)
            }
        }
    }

    /// Whether something starts a target from outside, or nothing depends on it.
    pub fn is_root(&self, target: usize) -> bool {
        let node = self.graph.targets.node(target_at(target));
        node.origin.is_some() && (node.kind.is_executable() || self.is_top(Layer::Targets, target))
    }

    /// Whether nothing depends on a node but itself.
    pub fn is_top(&self, layer: Layer, at: usize) -> bool {
        self.net(layer).users(at).all(|user| user == at)
    }

    fn of_targets(&self) -> Net {
        let graph = &self.graph;
        let links: Vec<Link> = graph
            .targets
            .ids()
            .flat_map(|from| graph.targets.node(from).edges.iter().map(move |edge| (from, edge)))
            .map(|(from, edge)| Link {
                from: from.index(),
                to: edge.to.index(),
                carries: edge.kind != EdgeKind::Configuration,
                // The edge from what a macro may make to the macro's own target is nobody's.
                binds: graph.targets.node(from).origin.is_some(),
            })
            .collect();
        let own = graph.targets.ids().map(|id| self.weight_of_target(id)).collect();
        Net::new(own, &links)
    }

    fn weight_of_target(&self, id: TargetId) -> Weight {
        let targets = &self.graph.targets;
        let is_there = targets.resolution(&targets.node(id).label) != Resolution::Broken;
        let sources = self.graph.definition(id).map_or(&[][..], |target| &target.sources);
        let mut files: Vec<&ProjectPath> = sources
            .iter()
            .filter_map(|source| match &source.origin {
                SourceOrigin::File { path, present: true } => Some(path),
                _ => None,
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        let bytes = self.bytes.get(id.index()).copied().unwrap_or(0);
        Weight { nodes: usize::from(is_there), sources: files.len(), bytes }
    }

    fn of_modules(&self) -> Net {
        let owners = &self.graph.owners;
        let count = owners.provisions().iter().map(|it| it.name.index() + 1).max().unwrap_or(0);
        let mut own = vec![Weight::default(); count];
        let mut links = Vec::new();
        for (position, provision) in owners.provisions().iter().enumerate() {
            let from = provision.name.index();
            own[from] = Weight { nodes: 1, sources: own[from].sources, bytes: 0 };
            own[from].sources |= usize::from(provision.file.is_some());
            let uses = self.graph.unit_at(position).map_or(&[][..], |unit| &unit.uses);
            for used in uses {
                if let Some(to) = used.name.filter(|to| is_import(used, to.index()))
                    && to != provision.name
                {
                    let loads = used.kind == UseKind::Runtime && used.via == Via::Name;
                    let binds = loads && !used.missing_name && !provision.type_only;
                    links.push(Link { from, to: to.index(), carries: true, binds });
                }
            }
        }
        Net::new(own, &links)
    }
}

fn module(at: usize) -> Node {
    Node { layer: Layer::Modules, at }
}

/// Whether a source names the module itself, not only its name in a text.
fn is_import(used: &crate::graph::Use, to: usize) -> bool {
    used.name.is_some_and(|name| name.index() == to)
        && used.via != Via::Implied
        && used.kind != UseKind::String
}
