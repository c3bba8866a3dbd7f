//! Who leans on an edge that its own target does not use: all candidates go out at once, and every use must keep an owner. Pure.

use super::additions::Declared;
use super::edges::{EdgeId, Edges, Usage};
use super::liveness::RootTargets;
use super::visibility;
use crate::graph::{EdgeKind, Goals, Graph, Kind, NameId, TargetId, Use, Via, Web};
use crate::workspace::Workspace;
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Which edges can go, and what has to come in their place.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Edges that can go, all of them together.
    pub(super) removable: BTreeSet<EdgeId>,
    /// Dependencies that make up for all of them. What was put back later may have made some needless.
    pub(super) declared: Declared,
    /// Every use that must keep an owner.
    pub(super) wanted: Wanted,
    /// The edges along which modules travel once all that is done.
    pub(super) after: Web,
}

/// The graph before anything is taken out.
pub(super) struct Webs {
    /// The edges along which modules travel.
    pub(super) modules: Web,
    /// Every kind of edge: what Buck2 itself would call a cycle.
    pub(super) builds: Web,
}

impl Webs {
    /// Those of a graph.
    pub(super) fn new(graph: &Graph) -> Self {
        let (modules, builds) = rayon::join(|| graph.module_web(|_, _| true), || whole_web(graph));
        Self { modules, builds }
    }
}

/// Executables, and the tops of what is in none of them, with their closures.
pub(super) struct Executables {
    /// Targets that start, or from which something outside may import.
    pub(super) tops: Vec<TargetId>,
    /// For each, everything whose modules are in its link tree.
    pub(super) closures: Vec<FixedBitSet>,
    /// The same the other way round: for each target, the positions of those that hold it.
    holders: Vec<FixedBitSet>,
    /// Targets that anybody may put into an executable of their own: they have to keep what they need.
    open: FxHashSet<TargetId>,
}

impl Executables {
    /// Finds them on the whole graph, along `web` as modules travel.
    pub(super) fn find(graph: &Graph, web: &Web, roots: &RootTargets) -> Self {
        let is_python = |id: &TargetId| graph.targets.node(*id).kind.has_python_sources();
        let is_open = |id: &TargetId| roots.visible.contains(id) && is_python(id);
        let runs = |id: &TargetId| {
            let kind = graph.targets.node(*id).kind;
            matches!(kind, Kind::PythonBinary | Kind::PythonTest)
                || roots.open.contains(id)
                || is_open(id)
        };
        let mut tops: Vec<TargetId> = graph.targets.ids().filter(runs).collect();
        let mut covered = web.closure(tops.iter().map(|id| id.index()));
        // What is in no executable is judged by closures of its own, from those that nothing depends on.
        let mut has_user = FixedBitSet::with_capacity(graph.targets.len());
        for id in graph.targets.ids() {
            for edge in &graph.targets.node(id).edges {
                if edge.kind == EdgeKind::Modules && edge.to != id {
                    has_user.insert(edge.to.index());
                }
            }
        }
        for pass in 0..2 {
            for id in graph.targets.ids().filter(is_python) {
                let is_top = pass == 1 || !has_user.contains(id.index());
                if is_top && !covered.contains(id.index()) {
                    tops.push(id);
                    covered.union_with(&web.closure([id.index()]));
                }
            }
        }
        tops.sort_unstable();
        let closures = web.closures(&positions(&tops));
        let holders = holders(graph, &closures);
        let open = tops.iter().copied().filter(is_open).collect();
        Self { tops, closures, holders, open }
    }

    /// Whether the one at a position is run as it is, and not only a part of what others may run.
    pub(super) fn is_run(&self, graph: &Graph, at: usize) -> bool {
        let top = self.tops[at];
        let kind = graph.targets.node(top).kind;
        matches!(kind, Kind::PythonBinary | Kind::PythonTest) || !self.open.contains(&top)
    }

    /// Positions of those whose closure holds a target.
    pub(super) fn holding(&self, id: TargetId) -> &FixedBitSet {
        &self.holders[id.index()]
    }

    /// Positions of those whose closure holds any of these.
    pub(super) fn holding_any(&self, ids: impl IntoIterator<Item = TargetId>) -> FixedBitSet {
        let mut union = FixedBitSet::new();
        ids.into_iter().for_each(|id| union.union_with(self.holding(id)));
        union
    }
}

/// Targets as nodes of a web.
pub(super) fn positions(targets: &[TargetId]) -> Vec<usize> {
    targets.iter().map(|id| id.index()).collect()
}

/// For each target, the positions of the closures that hold it.
fn holders(graph: &Graph, closures: &[FixedBitSet]) -> Vec<FixedBitSet> {
    let mut holders = vec![FixedBitSet::with_capacity(closures.len()); graph.targets.len()];
    for (at, closure) in closures.iter().enumerate() {
        closure.ones().for_each(|target| holders[target].insert(at));
    }
    holders
}

/// A use that would lose its owner.
pub(super) struct Lost {
    pub(super) user: TargetId,
    pub(super) name: NameId,
    can_be_declared: bool,
    /// Positions of those that lose it.
    pub(super) executables: Vec<usize>,
}

/// Every use of a provided module, by user and name, each once and in their order; the flag says whether a dependency can be
/// declared for it.
pub(super) type Wanted = Vec<(TargetId, NameId, bool)>;

/// Takes candidates out until nothing is lost that an addition does not give back.
pub(super) fn solve(
    workspace: &Workspace,
    edges: &Edges<'_>,
    webs: &Webs,
    executables: &Executables,
    candidates: BTreeSet<EdgeId>,
) -> Outcome {
    let graph = edges.graph;
    let mut removable = candidates;
    let mut taken = Declared::new();
    keep_shared_literals(edges, &mut removable);
    let adding = Adding { workspace, graph, executables, builds: &webs.builds };
    let mut refused: FxHashSet<(TargetId, NameId)> = FxHashSet::default();
    let wanted = wanted(edges);
    loop {
        let after = web_after(edges, &webs.modules, &removable, &taken);
        let lost = find_lost(graph, executables, &wanted, &after);
        if lost.is_empty() {
            return Outcome { removable, declared: taken, wanted, after };
        }
        let was_severed = Severed::by(edges, &removable);
        let mut severed = was_severed.clone();
        let owners: Vec<Option<TargetId>> =
            lost.par_iter().map(|loss| owner_held(edges, executables, loss)).collect();
        let goals = webs.modules.goals(owners.iter().flatten().map(|owner| owner.index()));
        for (loss, owner) in lost.iter().zip(owners) {
            let Some(owner) = owner else { continue };
            let allowed = loss.can_be_declared
                && !refused.contains(&(loss.user, loss.name))
                && adding.allows(&taken, loss.user, owner);
            if allowed && taken.insert((loss.user, owner)) {
                continue;
            }
            refused.insert((loss.user, loss.name));
            restore(executables, &webs.modules, &goals, &mut severed, loss, owner);
        }
        removable.retain(|id| {
            let ends = (id.from.index(), edges.edge(*id).to.index());
            severed.has(ends) || !was_severed.has(ends)
        });
        keep_shared_literals(edges, &mut removable);
    }
}

/// A literal that feeds several edges can only go if all of them agree.
fn keep_shared_literals(edges: &Edges<'_>, removable: &mut BTreeSet<EdgeId>) {
    let graph = edges.graph;
    let literals: FxHashSet<_> =
        removable.iter().filter_map(|id| edges.dep(*id)?.literal).collect();
    let mut kept: FxHashSet<buck_literal::Id> = FxHashSet::default();
    for from in graph.targets.ids() {
        for position in 0..graph.targets.node(from).edges.len() {
            let id = EdgeId { from, position };
            if let Some(literal) = edges.dep(id).and_then(|dep| dep.literal)
                && literals.contains(&literal)
                && !removable.contains(&id)
            {
                kept.insert(literal);
            }
        }
    }
    removable.retain(|id| {
        let literal = edges.dep(*id).and_then(|dep| dep.literal);
        literal.is_none_or(|literal| !kept.contains(&literal))
    });
}

mod buck_literal {
    pub(super) use crate::buck::LiteralId as Id;
}

/// The graph along which modules travel, without what goes and with what comes.
pub(super) fn web_after<'d>(
    edges: &Edges<'_>,
    before: &Web,
    removable: &BTreeSet<EdgeId>,
    added: impl IntoIterator<Item = &'d (TargetId, TargetId)>,
) -> Web {
    let added = added.into_iter().map(|(user, owner)| (user.index(), owner.index()));
    before.changed(Severed::by(edges, removable).pairs, added)
}

fn whole_web(graph: &Graph) -> Web {
    let edges = graph.targets.ids().flat_map(|from| {
        graph.targets.node(from).edges.iter().map(move |edge| (from.index(), edge.to.index()))
    });
    Web::new(graph.targets.len(), edges)
}

/// First the cheap sufficient conditions, that the user still depends on an owner, or reaches one; what fails them is asked of
/// each executable.
pub(super) fn find_lost(
    graph: &Graph,
    executables: &Executables,
    wanted: &Wanted,
    after: &Web,
) -> Vec<Lost> {
    let owners = |(user, name, _): &(TargetId, NameId, bool)| {
        let user = user.index();
        graph.owners.providers(*name).map(move |owner| (user, owner.target.index()))
    };
    let is_far = |wanted: &&(TargetId, NameId, bool)| {
        !owners(wanted).any(|(user, owner)| after.has_edge(user, owner))
    };
    let mut doubtful: Wanted = wanted.par_iter().filter(is_far).copied().collect();
    let pairs: Vec<(usize, usize)> = doubtful.iter().flat_map(owners).collect();
    let mut answers = after.reaches(&pairs).into_iter();
    doubtful.retain(|wanted| {
        let count = owners(wanted).count();
        !answers.by_ref().take(count).fold(false, |any, one| any | one)
    });
    if doubtful.is_empty() {
        return Vec::new();
    }
    let users = doubtful.iter().map(|(user, ..)| user.index());
    let ends = users.chain(pairs.into_iter().map(|(_, owner)| owner));
    let holders = after.goals(ends).reached_from(&positions(&executables.tops));
    let loss = |(user, name, can_be_declared): (TargetId, NameId, bool)| {
        let owners = || graph.owners.providers(name).map(|owner| owner.target);
        let mut losing = holders[&user.index()].clone();
        losing.intersect_with(&executables.holding_any(owners()));
        owners().for_each(|owner| losing.difference_with(&holders[&owner.index()]));
        let executables: Vec<usize> = losing.ones().collect();
        (!executables.is_empty()).then_some(Lost { user, name, can_be_declared, executables })
    };
    doubtful.into_par_iter().filter_map(loss).collect()
}

fn wanted(edges: &Edges<'_>) -> Wanted {
    let graph = edges.graph;
    let users: Vec<TargetId> = graph.targets.ids().collect();
    let of_user = |user: &TargetId| {
        let user = *user;
        let uses = edges.uses[user.index()].uses.iter().filter(|(_, used)| !used.missing_name);
        uses.filter_map(move |(_, used)| Some((user, used.name?, used)))
            .filter(|(user, name, _)| !edges.provides(*user, *name))
            .map(|(user, name, used)| (user, name, can_be_declared(graph, user, used)))
    };
    let mut wanted: Wanted = users.par_iter().flat_map_iter(of_user).collect();
    let by_prefix = loaded_by_prefix(graph).into_iter().map(|(user, name)| (user, name, false));
    wanted.extend(by_prefix);
    // One that can be declared comes first, and stays.
    wanted.par_sort_unstable_by_key(|(user, name, declarable)| (*user, *name, !declarable));
    wanted.dedup_by_key(|(user, name, _)| (*user, *name));
    wanted
}

fn can_be_declared(graph: &Graph, user: TargetId, used: &Use) -> bool {
    let known = graph
        .definition(user)
        .is_some_and(|target| target.known && !target.unread && !target.manual);
    known && used.kind.is_required() && used.via != Via::Implied && !used.manual
}

/// The owner that the closures of a loss hold; the smallest label among those that are in all of them, else in the first.
fn owner_held(edges: &Edges<'_>, executables: &Executables, loss: &Lost) -> Option<TargetId> {
    let graph = edges.graph;
    let mut owners: Vec<TargetId> =
        graph.owners.providers(loss.name).map(|owner| owner.target).collect();
    owners.sort_by(|a, b| graph.targets.node(*a).label.cmp(&graph.targets.node(*b).label));
    owners.dedup();
    let count = |owner: &TargetId| {
        let held = |at: &&usize| executables.closures[**at].contains(owner.index());
        loss.executables.iter().filter(held).count()
    };
    let best = owners.iter().map(count).max().filter(|best| *best > 0)?;
    let mut held = owners.into_iter().filter(|owner| count(owner) == best);
    let first = held.next()?;
    // Nothing of Python can depend on definitions of protocol buffers themselves.
    let named = std::iter::once(first).chain(held).find(|owner| !is_proto(graph, *owner));
    Some(named.unwrap_or(first))
}

/// Whether a target only defines protocol buffers; the modules are made for whoever depends on a rule for Python.
pub(super) fn is_proto(graph: &Graph, id: TargetId) -> bool {
    graph.targets.node(id).kind == Kind::Proto
}

/// What additions are checked against: the graphs before, and the additions that were taken so far.
struct Adding<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    executables: &'a Executables,
    builds: &'a Web,
}

impl Adding<'_> {
    /// Whether `user` may depend on `owner`, in Buck2's eyes and in those of every executable above.
    fn allows(&self, taken: &Declared, user: TargetId, owner: TargetId) -> bool {
        !is_proto(self.graph, owner)
            && visibility::allows(self.workspace, self.graph, user, owner)
            && !closure_with(self.builds, taken, owner).contains(user.index())
            && self.is_held_wherever(user, owner)
    }

    /// Whether every executable with `user` in it holds `owner` already: an addition brings nothing new into any, least of
    /// all a second file for one module path, which Buck2 refuses to build.
    fn is_held_wherever(&self, user: TargetId, owner: TargetId) -> bool {
        self.executables.holding(user).is_subset(self.executables.holding(owner))
    }
}

/// What can be reached from a target, additions included: two that are harmless alone can close a cycle together.
fn closure_with(web: &Web, additions: &Declared, from: TargetId) -> FixedBitSet {
    let mut reached = web.closure([from.index()]);
    loop {
        let next = additions.iter().find(|(user, owner)| {
            reached.contains(user.index()) && !reached.contains(owner.index())
        });
        let Some((_, owner)) = next else { return reached };
        reached.union_with(&web.closure([owner.index()]));
    }
}

/// The pairs of targets between which every way for modules is out.
#[derive(Clone)]
struct Severed {
    pairs: FxHashSet<(usize, usize)>,
    /// Where one of them begins, or did once.
    begin: FixedBitSet,
}

impl Severed {
    fn by(edges: &Edges<'_>, removable: &BTreeSet<EdgeId>) -> Self {
        let ends = |id: &EdgeId| (id.from.index(), edges.edge(*id).to.index());
        let is_out = |id: &&EdgeId| parallel(edges, **id).all(|other| removable.contains(&other));
        let pairs: FxHashSet<(usize, usize)> = removable.iter().filter(is_out).map(ends).collect();
        let begin = pairs.iter().map(|(from, _)| *from).collect();
        Self { pairs, begin }
    }

    fn has(&self, pair: (usize, usize)) -> bool {
        self.begin.contains(pair.0) && self.pairs.contains(&pair)
    }

    fn put_back(&mut self, way: &[usize]) {
        for step in way.windows(2) {
            self.pairs.remove(&(step[0], step[1]));
        }
    }
}

/// The edges along which modules travel between the ends of one, itself among them.
fn parallel<'a>(edges: &'a Edges<'_>, id: EdgeId) -> impl Iterator<Item = EdgeId> + 'a {
    let to = edges.edge(id).to;
    let all = edges.graph.targets.node(id.from).edges.iter().enumerate();
    let same = all.filter(move |(_, edge)| edge.to == to && edge.kind == EdgeKind::Modules);
    same.map(move |(position, _)| EdgeId { from: id.from, position })
}

/// Puts candidates back by which the user had its owner: as few as will do, with those that are back already.
fn restore(
    executables: &Executables,
    before: &Web,
    goals: &Goals<'_>,
    severed: &mut Severed,
    loss: &Lost,
    owner: TargetId,
) {
    let way = |severed: &Severed, top: TargetId| {
        let is_out = |from, to| severed.has((from, to));
        before.cheapest_path(top.index(), owner.index(), goals, is_out)
    };
    if let Some(way) = way(severed, loss.user) {
        return severed.put_back(&way);
    }
    for top in loss.executables.iter().map(|at| executables.tops[*at]) {
        if let Some(way) = way(severed, top) {
            severed.put_back(&way);
        }
    }
}

/// Candidates: edges that nothing in their own target uses.
pub(super) fn candidates(edges: &Edges<'_>) -> BTreeSet<EdgeId> {
    let unused = edges.usages().filter(|(_, usage)| **usage == Usage::Unused);
    unused.map(|(id, _)| id).collect()
}

/// What bounded loaders may load: a use of every module below their prefix, in every executable that holds them.
fn loaded_by_prefix(graph: &Graph) -> BTreeSet<(TargetId, NameId)> {
    let mut cache: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut found = BTreeSet::new();
    for id in graph.targets.ids() {
        for (_, unit) in graph.units_of(id) {
            for (prefix, _) in &unit.prefixes {
                let below = cache.entry(prefix).or_insert_with(|| graph.owners.below(prefix));
                found.extend(below.iter().map(|at| (id, graph.owners.provisions()[*at].name)));
            }
        }
    }
    found
}
