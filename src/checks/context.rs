//! What all checks share: verdicts computed once, and ways to say where. Reads sources again only to count columns.

use super::additions::{self, Additions};
use super::dead_module;
use super::disputed::disputed;
use super::doubt::{blind_spot, doubtful, shaky};
use super::edges::{self, EdgeId, Edges};
use super::leaning::{self, Executables, Outcome, Webs};
use super::liveness::{self, ModuleLife, RootTargets};
use super::loading::Loading;
use super::outside;
use super::transitive_dep::{self, Undeclared};
use crate::buck::{LiteralId, Target};
use crate::finding::{Addition, Confidence, Evidence, Known, Region, Removal};
use crate::graph::{Graph, Kind, NameId, TargetId, Use, Web};
use crate::label::Label;
use crate::source::{LineIndex, ProjectPath, Span};
use crate::workspace::Workspace;
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A source and where its lines begin; `None` if it cannot be read.
type Source = Arc<OnceLock<Option<(String, LineIndex)>>>;

/// The state of one run.
pub(super) struct Context<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) graph: &'a Graph,
    /// Findings that nobody will read.
    pub(super) known: &'a Known,
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
    sources: Mutex<FxHashMap<ProjectPath, Source>>,
}

impl<'a> Context<'a> {
    /// Computes everything that checks share.
    pub(super) fn new(workspace: &'a Workspace, graph: &'a Graph, known: &'a Known) -> Self {
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
            switched_on,
            workspace,
            graph,
            known,
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
            sources: Mutex::default(),
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

    /// The label of a target.
    pub(super) fn label(&self, id: TargetId) -> &'a Label {
        &self.graph.targets.node(id).label
    }

    /// All targets on disk with their definitions.
    pub(super) fn defined(&self) -> impl Iterator<Item = (TargetId, &'a Target)> + '_ {
        let graph = self.graph;
        graph.targets.ids().filter_map(move |id| Some((id, graph.definition(id)?)))
    }

    /// Where a literal of a build file stands.
    pub(super) fn literal(&self, id: LiteralId) -> Region {
        let place = self.graph.evaluation.place(id);
        self.build_region(&place.path, place.span)
    }

    /// Bytes of a build file, or of a file that it loads.
    pub(super) fn build_region(&self, path: &ProjectPath, span: Span) -> Region {
        let Some(file) = self.graph.evaluation.file(path) else {
            return Region::line(path.clone(), 1);
        };
        region(path, file.text(), file.lines(), span)
    }

    /// Where a target is defined: the first line of its call.
    pub(super) fn call(&self, target: &Target) -> Region {
        let start = target.place.span.start;
        let region = self.build_region(&target.place.path, Span::new(start, start));
        let Some(file) = self.graph.evaluation.file(&target.place.path) else { return region };
        let line = file.lines().span_of_line(file.text(), region.line);
        self.build_region(&target.place.path, Span::new(start, line.end.max(start)))
    }

    /// Where a dependency stands: its literal, else the call of its target.
    pub(super) fn dep(&self, id: EdgeId) -> Region {
        match (self.edges.dep(id).and_then(|dep| dep.literal), self.graph.definition(id.from)) {
            (Some(literal), _) => self.literal(literal),
            (None, Some(target)) => self.call(target),
            (None, None) => Region::line(ProjectPath::root(), 1),
        }
    }

    /// Where a source uses a module.
    pub(super) fn of_use(&self, path: &ProjectPath, used: &Use) -> Region {
        let nowhere = || Region::line(path.clone(), used.line);
        if used.span == Span::default() {
            return nowhere();
        }
        let source = self.source(path);
        let Some((text, lines)) = source.get_or_init(|| self.read(path)) else { return nowhere() };
        if used.span.end as usize > text.len() {
            return nowhere();
        }
        let whole = region(path, text, lines, used.span);
        if whole.line == used.line && whole.end_line == used.line {
            return whole;
        }
        // A statement over several lines: the line of the name is meant.
        let line = lines.span_of_line(text, used.line);
        let indent = text[line.range()].len() - text[line.range()].trim_start().len();
        region(path, text, lines, Span::new(line.start + indent as u32, line.end))
    }

    fn source(&self, path: &ProjectPath) -> Source {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sources.entry(path.clone()).or_default())
    }

    fn read(&self, path: &ProjectPath) -> Option<(String, LineIndex)> {
        let text = String::from_utf8(self.workspace.files.read(path).ok()?).ok()?;
        let lines = LineIndex::new(&text);
        Some((text, lines))
    }
}

fn region(path: &ProjectPath, text: &str, lines: &LineIndex, span: Span) -> Region {
    let (line, column) = lines.line_column(text, span.start);
    let (end_line, end_column) = lines.line_column(text, span.end);
    Region { path: path.clone(), line, column, end_line, end_column, span }
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
