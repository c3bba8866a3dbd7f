//! What keeps a removal below `certain`: code that may load anything, and users that nobody could read. Pure.

use super::edges::{EdgeId, Edges};
use super::leaning::{self, Executables, Outcome};
use super::liveness::{ModuleLife, RootTargets};
use crate::finding::Evidence;
use crate::graph::{Graph, NameId, Resolution, TargetId, Use, Via, Web};
use crate::source::{Place, ProjectPath};
use crate::workspace::Workspace;
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Targets whose executables hold a living source that may load anything.
pub(super) fn shaky(
    graph: &Graph,
    life: &ModuleLife,
    executables: &Executables,
) -> FxHashMap<TargetId, Evidence> {
    let mut found: FxHashMap<TargetId, Evidence> = FxHashMap::default();
    let mut done = FixedBitSet::with_capacity(executables.tops.len());
    for id in graph.targets.ids() {
        let Some(evidence) = loader(graph, life, id) else { continue };
        for executable in executables.holding(id).ones() {
            if done.put(executable) {
                continue;
            }
            for held in executables.closures[executable].ones() {
                found.entry(crate::graph::target_at(held)).or_insert_with(|| evidence.clone());
            }
        }
    }
    found
}

fn loader(graph: &Graph, life: &ModuleLife, id: TargetId) -> Option<Evidence> {
    let mut range = graph.owners.offer(id).provisions.clone();
    range.find_map(|at| {
        let line = *graph.unit_at(at)?.unbounded.first()?;
        let path =
            graph.owners.provisions()[at].path.as_ref().filter(|_| life.alive.contains(at))?;
        let text = "may load any module; bound it with `# secateur: loads[…]`".to_owned();
        Some(Evidence { path: path.to_string(), line, text })
    })
}

/// Removals by which something leaves an executable in which somebody may lean on it who was not read, or whose imports
/// cannot be told from what it depends on.
pub(super) fn doubtful(
    is_exported: bool,
    roots: &RootTargets,
    edges: &Edges<'_>,
    before: &Web,
    executables: &Executables,
    outcome: &Outcome,
) -> FxHashMap<EdgeId, Evidence> {
    let doubt = Doubt::new(is_exported, roots, edges, before, executables, outcome);
    let tops = 0..executables.tops.len();
    let found: Vec<_> = tops.into_par_iter().map(|at| doubt.of_executable(at)).collect();
    let mut doubtful: FxHashMap<EdgeId, Evidence> = FxHashMap::default();
    for (id, evidence) in found.into_iter().flatten() {
        doubtful.entry(id).or_insert(evidence);
    }
    doubtful
}

struct Doubt<'a> {
    edges: &'a Edges<'a>,
    roots: &'a RootTargets,
    executables: &'a Executables,
    /// Targets of this repository that nobody read.
    unread: Vec<(TargetId, Evidence)>,
    /// Targets with modules that nobody can name.
    opaque: FixedBitSet,
    /// Imports of other people's modules, by target.
    seeking: Vec<(TargetId, (&'a ProjectPath, &'a Use))>,
    /// What each executable holds once everything is taken out.
    after: Vec<FixedBitSet>,
    /// Each removal, and what lies at or below its dependency.
    removals: Vec<(EdgeId, FixedBitSet)>,
}

impl<'a> Doubt<'a> {
    fn new(
        is_exported: bool,
        roots: &'a RootTargets,
        edges: &'a Edges<'a>,
        before: &Web,
        executables: &'a Executables,
        outcome: &Outcome,
    ) -> Self {
        let graph = edges.graph;
        let ids = || graph.targets.ids();
        let removable: Vec<EdgeId> = outcome.removable.iter().copied().collect();
        let deps: Vec<usize> = removable.iter().map(|id| edges.edge(*id).to.index()).collect();
        Self {
            edges,
            roots,
            executables,
            unread: unread(graph, is_exported),
            opaque: ids()
                .filter(|id| is_opaque(graph, *id) || edges.is_stand_in(*id))
                .map(TargetId::index)
                .collect(),
            seeking: ids().flat_map(|id| foreign_imports(edges, id)).collect(),
            after: outcome.after.closures(&leaning::positions(&executables.tops)),
            removals: removable.into_iter().zip(before.closures(&deps)).collect(),
        }
    }

    /// The removals that an executable casts doubt on, with the reason.
    fn of_executable(&self, at: usize) -> Vec<(EdgeId, Evidence)> {
        let held = &self.executables.closures[at];
        let top = self.executables.tops[at];
        let after = &self.after[at];
        let mut gone = held.clone();
        gone.difference_with(after);
        if gone.is_clear() {
            return Vec::new();
        }
        let mut found = Vec::new();
        if let Some(reason) = self.unread_user(held, top) {
            self.removals_taking(&gone, held, &reason, &mut found);
        }
        gone.intersect_with(&self.opaque);
        if gone.is_clear() {
            return found;
        }
        // Whatever no known target of this executable provides comes through an opaque one.
        let is_provided = |name: &NameId| {
            let mut owners = self.edges.graph.owners.providers(*name);
            owners.any(|owner| held.contains(owner.target.index()))
        };
        let seeker = self.seeking.iter().find(|(id, (_, used))| {
            after.contains(id.index()) && !used.name.as_ref().is_some_and(is_provided)
        });
        if let Some((_, (path, used))) = seeker {
            let text = format!("imports `{}`, which may come through this edge", used.wanted);
            let reason = Evidence { path: path.to_string(), line: used.line, text };
            self.removals_taking(&gone, held, &reason, &mut found);
        }
        found
    }

    fn unread_user(&self, held: &FixedBitSet, top: TargetId) -> Option<Evidence> {
        let unread = self.unread.iter().find(|(id, _)| held.contains(id.index()));
        match unread {
            Some((_, evidence)) => Some(evidence.clone()),
            None if self.roots.unread.contains(&top) => named_by_unread(self.edges.graph, top),
            None => None,
        }
    }

    /// The removals within `held` that take something of `gone` along.
    fn removals_taking(
        &self,
        gone: &FixedBitSet,
        held: &FixedBitSet,
        reason: &Evidence,
        found: &mut Vec<(EdgeId, Evidence)>,
    ) {
        let taking = self
            .removals
            .iter()
            .filter(|(id, below)| held.contains(id.from.index()) && !below.is_disjoint(gone));
        found.extend(taking.map(|(id, _)| (*id, reason.clone())));
    }
}

/// Whether a target brings modules that are not known: from outside, or by `external_deps`.
fn is_opaque(graph: &Graph, id: TargetId) -> bool {
    match graph.definition(id) {
        None => !graph.owners.offer(id).complete,
        Some(target) => target.attr("external_deps").is_some_and(|value| {
            let mut any = value.has_unknown();
            value.for_each_text(&mut |_| any = true);
            any
        }),
    }
}

/// The imports of a target that name no module of this repository, each module once.
fn foreign_imports<'a>(
    edges: &'a Edges<'a>,
    id: TargetId,
) -> impl Iterator<Item = (TargetId, (&'a ProjectPath, &'a Use))> {
    let owners = &edges.graph.owners;
    let is_foreign = move |used: &Use| match used.name {
        Some(name) => owners.providers(name).all(|provision| !provision.first_party),
        None => !owners.is_first_party(&used.wanted),
    };
    let mut seen: FxHashSet<Option<NameId>> = FxHashSet::default();
    let uses = edges.uses[id.index()].uses.iter().filter(move |(_, used)| {
        used.kind.is_required()
            && used.via == Via::Name
            && !used.missing_name
            && is_foreign(used)
            && seen.insert(used.name)
    });
    uses.map(move |used| (id, *used))
}

/// What a build file that failed may have in mind for a target that it names.
fn named_by_unread(graph: &Graph, id: TargetId) -> Option<Evidence> {
    let target = graph.definition(id)?;
    let line = graph.evaluation.file(&target.place.path)?.lines().line(target.place.span.start);
    let text = "is named where a build file failed, which may lean on this edge".to_owned();
    Some(Evidence { path: target.place.path.to_string(), line, text })
}

/// The first directory or build file of which nothing could be read.
pub(super) fn blind_spot(workspace: &Workspace, graph: &Graph) -> Option<Evidence> {
    let is_blank =
        |path: &ProjectPath| graph.evaluation.file(path).is_none_or(|file| file.text().is_empty());
    let packages = graph.evaluation.packages.iter().filter(|package| package.failed);
    let files = packages.map(|package| &package.build_file).filter(|path| is_blank(path));
    let path = workspace.tree.unread().chain(files).min()?;
    let text = "could not be read, and may lean on this edge".to_owned();
    Some(Evidence { path: path.to_string(), line: 1, text })
}

/// Labels of this repository that no target was found for, and the first place where each is named.
fn unread(graph: &Graph, is_exported: bool) -> Vec<(TargetId, Evidence)> {
    let exists_elsewhere = |id: &TargetId| {
        match graph.targets.resolution(&graph.targets.node(*id).label) {
            Resolution::MaybeDefined => true,
            // What an exported tree lacks was left behind; elsewhere it is nowhere.
            Resolution::Broken => is_exported,
            Resolution::Defined | Resolution::Outside => false,
        }
    };
    let mut places: BTreeMap<TargetId, Option<Place>> =
        graph.targets.ids().filter(exists_elsewhere).map(|id| (id, None)).collect();
    for user in graph.targets.ids() {
        let Some(target) = graph.definition(user) else { continue };
        for edge in &graph.targets.node(user).edges {
            let Some(first) = places.get_mut(&edge.to) else { continue };
            let literal = target.deps.get(edge.dep).and_then(|dep| dep.literal);
            let place = literal.map(|literal| graph.evaluation.place(literal));
            *first = first.take().into_iter().chain(place).min();
        }
    }
    let evidence = |(id, place): (TargetId, Option<Place>)| {
        let place = place?;
        let line = graph.evaluation.file(&place.path)?.lines().line(place.span.start);
        let label = &graph.targets.node(id).label;
        let text = format!("`{label}` was not read, and may lean on this edge");
        Some((id, Evidence { path: place.path.to_string(), line, text }))
    };
    places.into_iter().filter_map(evidence).collect()
}
