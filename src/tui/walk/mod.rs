//! The page of the graph: one target or module, what it depends on and what depends on it. Pure.
//!
//! | file | is |
//! |---|---|
//! | `net` | nodes and edges, weights and ways |
//! | `world` | the graph of an analysis as such nets, with names and places |
//! | `facts` | what is said of a target or module |
//! | `spoken` | which findings speak of what |
//! | `jump` | going to a name |
//! | `steps` | marks and their way, the other layer, to a finding |
//! | `sight` | what of it is on the screen |

mod facts;
mod jump;
mod net;
mod sight;
mod spoken;
mod steps;
#[cfg(test)]
mod tests;
mod world;

pub use facts::Facts;
pub(super) use jump::{choose, found, jump, search};
pub use net::{Net, Ways, Weight};
pub use sight::{Sight, sight};
pub(super) use spoken::is_about_module;
pub use world::{Layer, Node, Tie, World};

use super::item::Item;
use super::message::{Message, Page};
use super::model::Model;
use super::update::moved;
use crate::source::ProjectPath;
use spoken::Spoken;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many steps back are remembered.
const MAX_HISTORY: usize = 1_000;

/// What the keys move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// What the node depends on.
    #[default]
    Deps,
    /// What depends on it.
    Users,
    /// The way between two marks.
    Path,
}

/// Nodes below each other.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What they are.
    pub layer: Layer,
    /// Their positions in the graph.
    pub nodes: Arc<Vec<usize>>,
    /// The one at hand.
    pub cursor: usize,
    /// The first that is shown.
    pub top: usize,
}

impl List {
    fn new(layer: Layer, nodes: Vec<usize>, at: Option<usize>) -> Self {
        let cursor = at.and_then(|at| nodes.iter().position(|node| *node == at)).unwrap_or(0);
        Self { layer, nodes: Arc::new(nodes), cursor, top: 0 }
    }

    /// The node at hand.
    pub fn at_hand(&self) -> Option<Node> {
        self.nodes.get(self.cursor).map(|at| Node { layer: self.layer, at: *at })
    }
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
struct Stop {
    node: Node,
    side: Side,
    at_hand: Option<usize>,
}

/// Where the walk is.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// The graph that it is in.
    pub world: Option<Arc<World>>,
    /// The target or module that is shown.
    pub here: Option<Node>,
    /// What the keys move in.
    pub side: Side,
    /// What it depends on.
    pub deps: List,
    /// What depends on it.
    pub users: List,
    /// The way between the marks, from the one that needs the other.
    pub path: List,
    /// One end or both ends of a way.
    pub marks: Vec<Node>,
    /// How many depend on it, directly or through others.
    pub reached_from: usize,
    /// The node that the lists are of; they are made when they are needed.
    listed: Option<Node>,
    /// What is to be at hand in the lists once they are made.
    wanted: [Option<usize>; 2],
    history: Vec<Stop>,
    weights: BTreeMap<Node, Weight>,
    spoken: Arc<Spoken>,
    jump: jump::Jump,
}

impl Walk {
    /// The list of a side.
    pub fn list(&self, side: Side) -> &List {
        match side {
            Side::Deps => &self.deps,
            Side::Users => &self.users,
            Side::Path => &self.path,
        }
    }

    fn list_mut(&mut self) -> &mut List {
        match self.side {
            Side::Deps => &mut self.deps,
            Side::Users => &mut self.users,
            Side::Path => &mut self.path,
        }
    }

    /// What a node and all that it needs amount to; known for what is in sight.
    pub fn weight(&self, node: Node) -> Option<Weight> {
        self.weights.get(&node).copied()
    }

    /// The edge that a row of a side stands for, from user to dependency.
    pub fn edge(&self, side: Side, row: usize) -> Option<(Node, Node)> {
        let list = self.list(side);
        let node = |row: usize| Some(Node { layer: list.layer, at: *list.nodes.get(row)? });
        match side {
            Side::Deps => Some((self.here?, node(row)?)),
            Side::Users => Some((node(row)?, self.here?)),
            Side::Path => Some((node(row)?, node(row + 1)?)),
        }
    }

    /// Findings that speak of the edge of a row, by their position.
    pub fn spoken_of(&self, side: Side, row: usize) -> &[usize] {
        self.edge(side, row).map_or(&[], |(from, to)| self.spoken.of_edge(from, to))
    }

    /// Findings that speak of the target or module that is shown, by their position.
    pub fn spoken_here(&self) -> &[usize] {
        self.here.map_or(&[], |here| self.spoken.of_node(here))
    }

    /// The nodes that lead to each other and to the one that is shown.
    pub fn cycle(&self) -> &[usize] {
        match (&self.world, self.here) {
            (Some(world), Some(here)) => world.net(here.layer).cycle(here.at),
            _ => &[],
        }
    }
}

/// The graph at hand as a world, made when it is first asked for.
pub(super) fn world(model: &mut Model) -> Option<Arc<World>> {
    if model.walk.world.is_none() {
        let world = World::new(Arc::clone(model.graph.as_ref()?), Arc::clone(&model.bytes));
        model.walk.spoken = Arc::new(Spoken::new(&world, &model.items));
        model.walk.world = Some(Arc::new(world));
    }
    model.walk.world.clone()
}

/// What a message does on this page.
pub(super) fn update(model: &mut Model, message: &Message) {
    let lines = sight(model).lines(model.walk.side).saturating_sub(1).max(1);
    let page = i32::try_from(lines).unwrap_or(i32::MAX);
    match message {
        Message::Move(by) | Message::Scroll(by) => step(model, *by),
        Message::Page(by) => step(model, by.saturating_mul(page)),
        Message::First => step(model, i32::MIN),
        Message::Last => step(model, i32::MAX),
        Message::Open => open(model),
        Message::Close => back(model),
        Message::Side => turn(model),
        Message::Mark => steps::mark(model),
        Message::Layer => steps::other_layer(model),
        Message::ToFinding => steps::to_finding(model),
        Message::Click { column, row } => steps::click(model, *column, *row),
        _ => {}
    }
}

fn step(model: &mut Model, by: i32) {
    let list = model.walk.list_mut();
    list.cursor = moved(list.cursor, by, list.nodes.len());
}

fn open(model: &mut Model) {
    let walk = &model.walk;
    match walk.list(walk.side).at_hand() {
        Some(node) if Some(node) == walk.here => {
            model.notice = Some("this is what is shown already".to_owned());
        }
        Some(node) => go(model, node),
        None => model.notice = Some("there is nothing on this side to go to".to_owned()),
    }
}

/// Goes to a node, so that the way back is known.
fn go(model: &mut Model, node: Node) {
    let walk = &mut model.walk;
    if let Some(here) = walk.here.filter(|here| *here != node) {
        let at_hand = walk.list(walk.side).at_hand().map(|node| node.at);
        walk.history.push(Stop { node: here, side: walk.side, at_hand });
        if walk.history.len() > MAX_HISTORY {
            walk.history.remove(0);
        }
        let at = (here.layer == node.layer).then_some(here.at);
        walk.wanted = [at, at];
    }
    (walk.here, walk.listed) = (Some(node), None);
}

fn back(model: &mut Model) {
    let walk = &mut model.walk;
    let Some(stop) = walk.history.pop() else {
        model.notice = Some("this is where you began".to_owned());
        return;
    };
    (walk.here, walk.listed, walk.side) = (Some(stop.node), None, stop.side);
    walk.wanted = [stop.at_hand, stop.at_hand];
}

fn turn(model: &mut Model) {
    let walk = &mut model.walk;
    walk.side = match walk.side {
        Side::Deps => Side::Users,
        Side::Users if !walk.path.nodes.is_empty() => Side::Path,
        Side::Users | Side::Path => Side::Deps,
    };
}

/// Begins at the finding at hand.
pub(super) fn enter(model: &mut Model) {
    let Some(world) = world(model) else { return };
    let first = model.row().and_then(|row| row.items.first());
    let Some(item) = first.and_then(|at| model.items.get(*at)) else { return };
    let Some(node) = node_of(&world, item) else { return };
    let dep = item.finding.dep.as_ref().and_then(|dep| world.graph.targets.find(dep));
    if model.walk.here != Some(node) {
        go(model, node);
    }
    if let Some(dep) = dep {
        let walk = &mut model.walk;
        (walk.side, walk.listed) = (Side::Deps, None);
        walk.wanted = [Some(dep.index()), walk.wanted[1]];
    }
}

fn node_of(world: &World, item: &Item) -> Option<Node> {
    let finding = &item.finding;
    let module = || finding.module.as_ref().and_then(|module| world.graph.owners.find(module));
    if is_about_module(finding)
        && let Some(name) = module()
    {
        return Some(Node::module(name));
    }
    let target = finding.target.as_ref().and_then(|label| world.graph.targets.find(label));
    target.map(Node::target).or_else(|| module().map(Node::module))
}

/// Finds its place again in a new graph.
pub(super) fn settle(model: &mut Model) {
    let old = std::mem::take(&mut model.walk);
    let (Some(before), Some(now)) = (&old.world, world(model)) else { return };
    let again = |node: Node| now.find_again(before, node);
    let at_again = |layer: Layer| move |at: usize| again(Node { layer, at }).map(|node| node.at);
    let stop = |stop: &Stop| {
        let node = again(stop.node)?;
        let at_hand = stop.at_hand.and_then(at_again(node.layer));
        Some(Stop { node, side: stop.side, at_hand })
    };
    let wanted = |list: &List| list.at_hand().and_then(again).map(|node| node.at);
    let walk = &mut model.walk;
    walk.here = old.here.and_then(again);
    walk.wanted = [wanted(&old.deps), wanted(&old.users)];
    walk.history = old.history.iter().filter_map(stop).collect();
    walk.marks = old.marks.iter().copied().filter_map(again).collect();
    walk.side = old.side;
    if let Some(gone) = old.here.filter(|_| walk.here.is_none()) {
        let name = before.name(gone);
        let stop = walk.history.pop();
        walk.here = stop.map(|stop| stop.node);
        model.notice = Some(format!("{name} is no longer there"));
    }
}

/// Makes ready what is on the screen: lists, and weights of what is in sight.
pub(super) fn look(model: &mut Model) {
    if model.page != Page::Graph {
        return;
    }
    let Some(world) = world(model) else { return };
    if model.walk.here.is_none() {
        enter(model);
    }
    let Some(here) = model.walk.here else { return };
    if model.walk.listed != Some(here) {
        let walk = &mut model.walk;
        let [dep, user] = std::mem::take(&mut walk.wanted);
        walk.deps = List::new(here.layer, world.deps(here), dep);
        walk.users = List::new(here.layer, world.users(here), user);
        let ways = world.net(here.layer).ways_to(here.at, None);
        walk.reached_from = ways.near().len().saturating_sub(1);
        walk.listed = Some(here);
        if walk.path.nodes.is_empty() {
            steps::make_path(walk, &world);
        }
    }
    sight::keep(model);
    weigh(model, &world, here);
}

fn weigh(model: &mut Model, world: &World, here: Node) {
    let sight = sight(model);
    let walk = &mut model.walk;
    let mut nodes = vec![here];
    for side in [Side::Deps, Side::Users, Side::Path] {
        let list = walk.list(side);
        let shown = list.nodes.iter().skip(list.top).take(sight.lines(side));
        nodes.extend(shown.map(|at| Node { layer: list.layer, at: *at }));
    }
    nodes.retain(|node| !walk.weights.contains_key(node));
    nodes.sort_unstable();
    nodes.dedup();
    for of_layer in nodes.chunk_by(|a, b| a.layer == b.layer) {
        let Some(first) = of_layer.first() else { continue };
        let positions: Vec<usize> = of_layer.iter().map(|node| node.at).collect();
        let weights = world.net(first.layer).weigh(&positions);
        walk.weights.extend(of_layer.iter().copied().zip(weights));
    }
}

/// Where the target at hand is defined.
pub(super) fn place(model: &Model) -> Option<(ProjectPath, u32)> {
    model.walk.world.as_ref()?.place(model.walk.here?)
}
