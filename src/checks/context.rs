//! The verdicts that checks share, computed once. Pure.

use super::additions::{self, Additions};
use super::dead_module;
use super::disputed::disputed;
use super::doubt::{blind_spot, doubtful, shaky};
use super::edges::{self, EdgeId, Edges};
use super::ground::Ground;
use super::leaning::{self, Executables, Outcome, Webs};
use super::liveness::{self, ModuleLife, RootTargets};
use super::loading::Loading;
use super::outside;
use super::transitive_dep::{self, Undeclared};
use crate::buck::LiteralId;
use crate::finding::{Addition, Confidence, Evidence, Region, Removal};
use crate::graph::{Graph, Kind, NameId, TargetId, Web};
use crate::source::ProjectPath;
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// The state of one run.
pub(super) struct Context<'a> {
    ground: &'a Ground<'a>,
    pub(super) roots: RootTargets,
    pub(super) life: ModuleLife,
    pub(super) edges: Edges<'a>,
    pub(super) executables: Executables,
    pub(super) outcome: Outcome,
    pub(super) webs: Webs,
    /// Targets that something outside reaches, once the certain removals are made.
    pub(super) live: FixedBitSet,
    /// Targets in an executable that may load any module, with a place that does.
    shaky: FxHashMap<TargetId, Evidence>,
    /// Removals that something nobody read may lean on.
    doubtful: FxHashMap<EdgeId, Evidence>,
    /// Of Bazel: modules that somebody imports if they are there, without declaring them.
    switched_on: FxHashSet<NameId>,
    /// A part of the repository of which nothing is known: anything there may use anything.
    pub(super) blind_spot: Option<Evidence>,
    /// The edges that each literal makes.
    by_literal: FxHashMap<LiteralId, Vec<EdgeId>>,
    /// For each source, the targets that have it, with the position of what they make of it.
    pub(super) owners_of_file: BTreeMap<&'a ProjectPath, Vec<(TargetId, usize)>>,
    /// Which modules each executable loads.
    pub(super) loading: Loading,
    /// Removals that are reported.
    pub(super) reported: BTreeSet<EdgeId>,
    /// What has to be declared in their place.
    additions: Additions,
    /// Modules that targets need and do not declare.
    pub(super) undeclared: Vec<Undeclared<'a>>,
}

/// Whoever has the verdicts has what they stand on.
impl<'a> Deref for Context<'a> {
    type Target = Ground<'a>;

    fn deref(&self) -> &Ground<'a> {
        self.ground
    }
}

impl<'a> Context<'a> {
    /// Computes everything that checks share.
    pub(super) fn new(ground: &'a Ground<'a>) -> Self {
        let Ground { workspace, graph, .. } = *ground;
        let (roots, webs) =
            rayon::join(|| RootTargets::find(workspace, graph), || Webs::new(graph));
        let judged = || {
            let life = ModuleLife::trace(workspace, graph, &roots);
            let edges = Edges::judge(workspace, graph, &roots, &life);
            (life, edges)
        };
        let ((life, edges), executables) =
            rayon::join(judged, || Executables::find(graph, &webs.modules, &roots));
        let solved = || {
            let candidates = leaning::candidates(&edges);
            let outcome = leaning::solve(workspace, &edges, &webs, &executables, candidates);
            let is_exported = workspace.settings.project.preset.is_some();
            let before = &webs.modules;
            let mut doubtful =
                doubtful(is_exported, &roots, &edges, before, &executables, &outcome);
            doubtful.extend(disputed(workspace, &edges, outcome.removable.iter().copied()));
            (outcome, doubtful)
        };
        let indexed = || {
            let shaky = shaky(graph, &life, &executables);
            let loading = Loading::new(graph, &executables);
            (shaky, by_literal(&edges), owners_of_file(graph), loading)
        };
        let ((outcome, doubtful), (shaky, by_literal, owners_of_file, loading)) =
            rayon::join(solved, indexed);
        let is_bazel = workspace.cells.is_bazel();
        let switched_on =
            if is_bazel { outside::switched_on(&edges) } else { FxHashSet::default() };
        let mut context = Self {
            ground,
            switched_on,
            roots,
            life,
            edges,
            executables,
            outcome,
            webs,
            live: FixedBitSet::new(),
            shaky,
            doubtful,
            blind_spot: blind_spot(workspace, graph),
            loading,
            reported: BTreeSet::new(),
            additions: Additions::new(),
            undeclared: Vec::new(),
            owners_of_file,
            by_literal,
        };
        context.live = context.live_targets();
        context.reported = context.reported_removals();
        let (additions, undeclared) =
            rayon::join(|| context.needed_additions(), || transitive_dep::undeclared(&context));
        (context.additions, context.undeclared) = (additions, undeclared);
        context
    }

    /// A dead target goes as a whole: its dependencies are none of ours. And a dead source that cannot be deleted still needs
    /// what it imports.
    fn reported_removals(&self) -> BTreeSet<EdgeId> {
        let stays = |path: &ProjectPath| dead_module::verdict(self, path).is_none();
        let is_needed = |id: &EdgeId| self.dead_users(*id).any(stays);
        let removable = self.outcome.removable.par_iter().copied();
        let reported = removable.filter(|id| {
            let is_alive = self.is_live(id.from) || self.roots.public.contains(&id.from);
            is_alive && !self.made_by_the_same_literal(*id).iter().any(is_needed)
        });
        reported.collect()
    }

    fn needed_additions(&self) -> Additions {
        // A literal goes for all targets that it feeds.
        let gone = self.reported.iter().flat_map(|id| self.made_by_the_same_literal(*id));
        let (wanted, declared) = (&self.outcome.wanted, &self.outcome.declared);
        additions::needed(
            &self.edges,
            &self.webs,
            &self.executables,
            wanted,
            &gone.collect(),
            declared,
        )
    }

    fn live_targets(&self) -> FixedBitSet {
        let graph = self.graph;
        let kept = graph.targets.ids().flat_map(|from| {
            let edges = graph.targets.node(from).edges.iter().enumerate();
            let stays = edges.filter(move |(position, _)| {
                let id = EdgeId { from, position: *position };
                !self.outcome.removable.contains(&id)
                    || self.removal_confidence(id) != Confidence::Certain
            });
            stays.map(move |(_, edge)| (from.index(), edge.to.index()))
        });
        let added = self.outcome.declared.iter().map(|(user, dep)| (user.index(), dep.index()));
        let web = Web::new(graph.targets.len(), kept.chain(added));
        liveness::live_targets(&web, &self.roots)
    }

    /// How sure it is that an edge can go.
    pub(super) fn removal_confidence(&self, id: EdgeId) -> Confidence {
        let graph = self.graph;
        let owners = self.edges.stands_for(self.edges.edge(id).to);
        let from_known = graph.targets.node(id.from).kind != Kind::Unknown;
        let offers = || owners.iter().map(|owner| graph.owners.offer(*owner));
        let complete = offers().all(|offer| offer.complete);
        let native =
            owners.iter().any(|owner| graph.targets.node(*owner).kind == Kind::PythonExtension);
        let resources_only =
            offers().any(|offer| offer.has_resources && offer.provisions.is_empty());
        if resources_only {
            return Confidence::Possible;
        }
        let has_resources = offers().any(|offer| offer.has_resources);
        let sure = from_known
            && !self.is_explained(id)
            && complete
            && !native
            && !has_resources
            && !self.shaky.contains_key(&id.from)
            && !self.doubtful.contains_key(&id)
            && self.blind_spot.is_none()
            && self
                .dead_users(id)
                .all(|path| dead_module::verdict(self, path) == Some(Confidence::Certain));
        if sure { Confidence::Certain } else { Confidence::Likely }
    }

    /// Of Bazel: whether something else than an import may be what a dependency is there for: it stands for something outside,
    /// or is brought along for that; it has the same source; others import it if it is there; a comment beside it says what.
    fn is_explained(&self, id: EdgeId) -> bool {
        if !self.workspace.cells.is_bazel() {
            return false;
        }
        let has_comment = |literal: LiteralId| {
            let place = self.graph.evaluation.place(literal);
            let file = self.graph.evaluation.file(&place.path)?;
            let rest = file.text().get(place.span.end as usize..)?.lines().next()?;
            Some(rest.trim_start().trim_start_matches([',', ']']).trim_start().starts_with('#'))
        };
        let literal = self.edges.dep(id).and_then(|dep| dep.literal);
        let to = self.edges.edge(id).to;
        let owners = self.edges.stands_for(to);
        let switches =
            |provision: &crate::graph::Provision| self.switched_on.contains(&provision.name);
        self.edges.is_stand_in(to)
            || self.roots.brought_along.contains(&to)
            || self.graph.owners.share_source(id.from, to)
            || owners.iter().any(|owner| self.graph.owners.of_target(*owner).iter().any(switches))
            || literal.and_then(has_comment).unwrap_or(false)
    }

    /// Dead sources of a target that use what an edge brings: they have to go first.
    pub(super) fn dead_users(&self, id: EdgeId) -> impl Iterator<Item = &'a ProjectPath> + '_ {
        let graph = self.graph;
        let owners = self.edges.stands_for(self.edges.edge(id).to);
        let dead = graph.owners.offer(id.from).provisions.clone();
        let dead = dead.filter(move |at| !edges::counts(&self.roots, &self.life, id.from, *at));
        let uses = move |at: &usize| {
            let names = graph.unit_at(*at).into_iter().flat_map(|unit| &unit.uses);
            names
                .filter_map(|used| used.name)
                .any(|name| owners.iter().any(|owner| self.edges.provides(*owner, name)))
        };
        dead.filter(uses).filter_map(move |at| graph.owners.provisions()[at].path.as_ref())
    }

    /// The change that takes an edge away.
    pub(super) fn removal(&self, id: EdgeId) -> Option<Removal> {
        let dep = self.edges.dep(id)?;
        Some(Removal {
            from: self.label(id.from).clone(),
            to: self.label(self.edges.edge(id).to).clone(),
            attr: dep.attr.clone(),
            literal: dep.literal,
        })
    }

    /// All edges that the literal behind one makes; that one alone if it has no literal.
    pub(super) fn made_by_the_same_literal(&self, id: EdgeId) -> Vec<EdgeId> {
        let literal = self.edges.dep(id).and_then(|dep| dep.literal);
        let edges = literal.and_then(|literal| self.by_literal.get(&literal));
        edges.map_or_else(|| vec![id], Clone::clone)
    }

    /// The additions that the removal of an edge calls for.
    pub(super) fn additions_for(&self, id: EdgeId) -> Vec<Addition> {
        let called_for = self.additions.iter().filter(|(_, by)| by.contains(&id));
        let label = |id: TargetId| self.label(id).clone();
        called_for.map(|((to, dep), _)| Addition { to: label(*to), dep: label(*dep) }).collect()
    }

    /// A place in an executable around a target that may load any module.
    pub(super) fn unbounded_loader(&self, id: TargetId) -> Option<Evidence> {
        self.shaky.get(&id).cloned()
    }

    /// What nobody read that may lean on an edge.
    pub(super) fn unread_user(&self, id: EdgeId) -> Option<Evidence> {
        self.doubtful.get(&id).or(self.blind_spot.as_ref()).cloned()
    }

    /// Whether a root reaches a target.
    pub(super) fn is_live(&self, id: TargetId) -> bool {
        self.live.contains(id.index())
    }

    /// Where a dependency stands: its literal, else the call of its target.
    pub(super) fn dep(&self, id: EdgeId) -> Region {
        match (self.edges.dep(id).and_then(|dep| dep.literal), self.graph.definition(id.from)) {
            (Some(literal), _) => self.literal(literal),
            (None, Some(target)) => self.call(target),
            (None, None) => Region::line(ProjectPath::root(), 1),
        }
    }
}

fn by_literal(edges: &Edges<'_>) -> FxHashMap<LiteralId, Vec<EdgeId>> {
    let mut made: FxHashMap<LiteralId, Vec<EdgeId>> = FxHashMap::default();
    for from in edges.graph.targets.ids() {
        for position in 0..edges.graph.targets.node(from).edges.len() {
            let id = EdgeId { from, position };
            if let Some(literal) = edges.dep(id).and_then(|dep| dep.literal) {
                made.entry(literal).or_default().push(id);
            }
        }
    }
    made
}

fn owners_of_file(graph: &Graph) -> BTreeMap<&ProjectPath, Vec<(TargetId, usize)>> {
    let mut owners: BTreeMap<&ProjectPath, Vec<(TargetId, usize)>> = BTreeMap::new();
    for id in graph.targets.ids().filter(|id| graph.definition(*id).is_some()) {
        for at in graph.owners.offer(id).provisions.clone() {
            if let Some(path) = &graph.owners.provisions()[at].path {
                owners.entry(path).or_default().push((id, at));
            }
        }
    }
    owners
}
