//! Why the thing that a finding speaks of is still needed, or not: chains through the graph. Pure.

use super::item::Item;
use super::message::{Page, Tab};
use super::model::Model;
use super::walk::{self, Layer, Net, Node, Ways, World, is_about_module};
use crate::finding::CheckId;
use crate::graph::TargetId;
use crate::source::ProjectPath;

/// At most so many chains are kept.
pub const MOST: usize = 20;

/// Chains of one finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chains {
    /// The finding.
    pub fingerprint: String,
    /// What the chains are, or why there are none.
    pub title: String,
    /// The shortest first, each from the one that needs the other.
    pub chains: Vec<Vec<Step>>,
    /// How many more there are.
    pub more: usize,
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The target or module.
    pub name: String,
    /// How it depends on the next one; empty for the last.
    pub how: String,
    /// The file and line that say so, or that define it.
    pub place: Option<(ProjectPath, u32)>,
}

/// Finds the chains of the finding at hand, if they are to be shown and are not there yet.
pub(super) fn look(model: &mut Model) {
    if model.page != Page::Findings || model.tab != Tab::Why {
        return;
    }
    let Some(item) = model.item().cloned() else { return };
    if model.chains.as_ref().is_none_or(|chains| chains.fingerprint != item.fingerprint) {
        model.chains = walk::world(model).map(|world| Chains::of(&world, &item));
    }
    let count = model.chains.as_ref().map_or(0, |chains| chains.chains.len());
    model.chain = model.chain.min(count.saturating_sub(1));
}

impl Chains {
    /// The chains of a finding.
    pub fn of(world: &World, item: &Item) -> Self {
        let finding = &item.finding;
        let find = |label| world.graph.targets.find(label).map(TargetId::index);
        let target = finding.target.as_ref().and_then(find);
        let dep = finding.dep.as_ref().and_then(find);
        let module = finding.module.as_ref().and_then(|name| world.graph.owners.find(name));
        let mut chains = match (finding.check, target, dep) {
            _ if is_about_module(finding) && module.is_some() => {
                module.map_or_else(Self::default, |name| importers(world, Node::module(name).at))
            }
            (CheckId::TransitiveDep | CheckId::MissingDep, Some(from), Some(to)) => {
                ways_now(world, from, to)
            }
            (CheckId::DeadTarget, Some(target), _) => dead(world, target),
            (CheckId::BrokenLabel | CheckId::AmbiguousOwner, Some(target), _)
            | (_, Some(target), None) => needed_by(world, target),
            (_, Some(from), Some(to)) => other_ways(world, from, to),
            (_, None, _) => Self {
                title: "no target has it, so there is no chain that leads to it".to_owned(),
                ..Self::default()
            },
        };
        chains.fingerprint.clone_from(&item.fingerprint);
        chains
    }

    fn new(
        world: &World,
        layer: Layer,
        title: String,
        ways: impl IntoIterator<Item = Vec<usize>>,
    ) -> Self {
        let mut ways = ways.into_iter();
        let chains = ways.by_ref().take(MOST).map(|way| steps(world, layer, &way)).collect();
        Self { title, chains, more: ways.count(), ..Self::default() }
    }
}

fn steps(world: &World, layer: Layer, way: &[usize]) -> Vec<Step> {
    let step = |(row, at): (usize, &usize)| {
        let node = Node { layer, at: *at };
        let tie = way.get(row + 1).map(|next| world.tie(layer, *at, *next));
        let (how, place) =
            tie.map_or_else(|| (String::new(), world.place(node)), |tie| (tie.how, tie.place));
        Step { name: world.name(node), how, place }
    };
    way.iter().enumerate().map(step).collect()
}

/// Roots from which a way leads, the nearest first.
fn roots<'a>(world: &'a World, ways: &'a Ways) -> impl Iterator<Item = usize> + Clone + 'a {
    ways.near().iter().copied().filter(|at| world.is_root(*at))
}

/// How executables reach the dependency without this edge.
fn other_ways(world: &World, from: usize, to: usize) -> Chains {
    let net = world.net(Layer::Targets);
    let holders: Vec<usize> = roots(world, &net.ways_to(from, None)).collect();
    // Where the same dependency stands elsewhere in the target, the target reaches it all the same.
    let edge = (!stands_twice(world, from, to)).then_some((from, to));
    let ways = net.ways_to(to, edge);
    let kept = holders.iter().filter(|root| ways.lead_from(**root)).count();
    let (target, dep) = (name(world, from), name(world, to));
    let others = if roots(world, &ways).next().is_some() { "; others reach it" } else { "" };
    let title = match (holders.len(), kept) {
        (0, _) => format!("no program or test needs {target}, so none needs this edge"),
        (all, 0) => format!(
            "without this edge {dep} leaves {}: nothing else there leads to it{others}",
            of_executables(all, all)
        ),
        (all, kept) if kept == all => format!(
            "{dep} stays in {} that {target} is in, by other ways; only {target} itself stops waiting for it",
            of_executables(all, all)
        ),
        (all, kept) => format!(
            "{dep} leaves {} that {target} is in, and stays in the others by other ways",
            of_executables(all - kept, all)
        ),
    };
    // First those that this edge could matter to.
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for root in roots(world, &ways) {
        if holders.contains(&root) { first.push(root) } else { rest.push(root) }
    }
    let ways = first.into_iter().chain(rest).map(|root| ways.from(root));
    Chains::new(world, Layer::Targets, title, ways)
}

fn of_executables(some: usize, all: usize) -> String {
    match (some, all) {
        (1, 1) => "the one root".to_owned(),
        (some, all) if some == all => format!("all {all} roots"),
        (some, all) => format!("{some} of the {all} roots"),
    }
}

/// Whether a target names another in more than one attribute, or twice in one.
fn stands_twice(world: &World, from: usize, to: usize) -> bool {
    let edges = &world.graph.targets.node(crate::graph::target_at(from)).edges;
    edges.iter().filter(|edge| edge.to.index() == to).count() > 1
}

/// How a target reaches what it does not declare: a way by each of its dependencies.
fn ways_now(world: &World, from: usize, to: usize) -> Chains {
    let net = world.net(Layer::Targets);
    let ways = net.ways_to(to, None);
    let mut by: Vec<usize> = net.ahead(from).filter(|dep| ways.lead_from(*dep)).collect();
    let length = |dep: &usize| ways.from(*dep).len();
    by.sort_by_key(length);
    let (target, owner) = (name(world, from), name(world, to));
    let title = match by.len() {
        0 => {
            let users = needed_by(world, from);
            let title = match users.chains.len() + users.more {
                0 => format!("{target} reaches {owner} by no way"),
                count => {
                    format!("{target} reaches {owner} by no way; {} needs it", roots_of(count))
                }
            };
            return Chains { title, ..users };
        }
        1 => format!("{target} reaches {owner} by one of its dependencies only"),
        count => format!("{target} reaches {owner} by {count} of its dependencies"),
    };
    let ways = by.iter().map(|dep| [vec![from], ways.from(*dep)].concat());
    Chains::new(world, Layer::Targets, title, ways.collect::<Vec<_>>())
}

fn roots_of(count: usize) -> String {
    if count == 1 { "one root".to_owned() } else { format!("each of {count} roots") }
}

/// Who would have to be a root for a dead target to live.
fn dead(world: &World, target: usize) -> Chains {
    let net = world.net(Layer::Targets);
    let ways = net.ways_to(target, None);
    let name = name(world, target);
    let tops = tops(world, Layer::Targets, net, &ways, target);
    let title = match tops.len() {
        0 => format!("nothing depends on {name}: it would have to be a root itself"),
        1 => format!("what depends on {name} is dead too: this one would have to be a root"),
        _ => format!("what depends on {name} is dead too: one of these would have to be a root"),
    };
    Chains::new(world, Layer::Targets, title, tops.into_iter().map(|top| ways.from(top)))
}

/// Who imports a module.
fn importers(world: &World, module: usize) -> Chains {
    let net = world.net(Layer::Modules);
    let name = world.name(Node { layer: Layer::Modules, at: module });
    let ways = net.ways_to(module, None);
    let tops = tops(world, Layer::Modules, net, &ways, module);
    let title = match (ways.near().len(), tops.len()) {
        (0 | 1, _) => format!("no module imports {name}: it would have to be a root itself"),
        (_, 0) => format!("only modules that {name} itself leads to import it"),
        (_, 1) => format!("one module that nobody imports leads to {name}"),
        (_, count) => format!("{count} modules that nobody imports lead to {name}"),
    };
    Chains::new(world, Layer::Modules, title, tops.into_iter().map(|top| ways.from(top)))
}

/// What leads to a node while nothing leads to it, the nearest first; else any that the node does not lead to itself.
fn tops(world: &World, layer: Layer, net: &Net, ways: &Ways, goal: usize) -> Vec<usize> {
    let users = || ways.near().iter().copied().filter(|at| *at != goal);
    let tops: Vec<usize> = users().filter(|at| world.is_top(layer, *at)).collect();
    if !tops.is_empty() {
        return tops;
    }
    users().filter(|at| !net.cycle(goal).contains(at)).take(1).collect()
}

/// The executables that need a target.
fn needed_by(world: &World, target: usize) -> Chains {
    let ways = world.net(Layer::Targets).ways_to(target, None);
    let name = name(world, target);
    let roots: Vec<usize> = roots(world, &ways).collect();
    let title = match roots.as_slice() {
        [] => format!("no program or test needs {name}"),
        [only] if *only == target => format!("{name} is a root itself"),
        [_] => format!("one root needs {name}"),
        roots => format!("{} roots need {name}", roots.len()),
    };
    let ways = roots.into_iter().map(|root| ways.from(root));
    Chains::new(world, Layer::Targets, title, ways)
}

fn name(world: &World, target: usize) -> String {
    world.name(Node { layer: Layer::Targets, at: target })
}
