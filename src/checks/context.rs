//! What all checks share: verdicts computed once, and ways to say where. Reads sources again only to count columns.

use super::edges::{EdgeId, Edges};
use super::leaning::{self, Executables, Outcome};
use super::liveness::{self, ModuleLife, RootTargets};
use crate::buck::{LiteralId, Target};
use crate::finding::{Addition, Confidence, Evidence, Region};
use crate::graph::{Graph, Kind, Resolution, TargetId, Use, Web};
use crate::label::Label;
use crate::source::{LineIndex, ProjectPath, Span};
use crate::workspace::Workspace;
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A source and where its lines begin.
type Source = Arc<(String, LineIndex)>;

/// The state of one run.
pub(super) struct Context<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) graph: &'a Graph,
    pub(super) roots: RootTargets,
    pub(super) life: ModuleLife,
    pub(super) test_only: FixedBitSet,
    pub(super) edges: Edges<'a>,
    pub(super) executables: Executables,
    pub(super) outcome: Outcome,
    /// The graph along which modules travel, before anything is taken out.
    pub(super) modules: Web,
    /// Every dependency, of whatever kind.
    pub(super) builds: Web,
    /// Targets that something outside reaches, once the certain removals are made.
    pub(super) live: FixedBitSet,
    /// Targets in an executable that may load any module, with a place that does.
    shaky: FxHashMap<TargetId, Evidence>,
    /// Removals that something nobody read may lean on.
    doubtful: FxHashMap<EdgeId, Evidence>,
    /// A part of the repository of which nothing is known: anything there may use anything.
    pub(super) blind_spot: Option<Evidence>,
    sources: Mutex<FxHashMap<ProjectPath, Option<Source>>>,
}

impl<'a> Context<'a> {
    /// Computes everything that checks share.
    pub(super) fn new(workspace: &'a Workspace, graph: &'a Graph) -> Self {
        let roots = RootTargets::find(workspace, graph);
        let life = ModuleLife::trace(workspace, graph, &roots);
        let test_only = liveness::test_only(graph, &life);
        let edges = Edges::judge(workspace, graph, &roots, &life);
        let executables = Executables::find(graph, &roots.open);
        let candidates = leaning::candidates(&edges);
        let outcome = leaning::solve(workspace, &edges, &executables, candidates);
        let shaky = shaky(graph, &life, &executables);
        let is_exported = workspace.settings.project.preset.is_some();
        let doubtful = doubtful(is_exported, &roots, &edges, &executables, &outcome);
        let mut context = Self {
            workspace,
            graph,
            roots,
            life,
            test_only,
            edges,
            executables,
            outcome,
            modules: graph.module_web(|_, _| true),
            builds: leaning::whole_web(graph),
            live: FixedBitSet::new(),
            shaky,
            doubtful,
            blind_spot: blind_spot(workspace, graph),
            sources: Mutex::default(),
        };
        context.live = context.live_targets();
        context
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
        let added = self.outcome.additions.iter().map(|(user, dep)| (user.index(), dep.index()));
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
            && complete
            && !native
            && !has_resources
            && !self.shaky.contains_key(&id.from)
            && !self.doubtful.contains_key(&id)
            && self.blind_spot.is_none();
        if sure { Confidence::Certain } else { Confidence::Likely }
    }

    /// The additions that the removal of an edge calls for.
    pub(super) fn additions_for(&self, id: EdgeId) -> Vec<Addition> {
        leaning::additions_for(&self.edges, &self.executables, &self.modules, &self.outcome, id)
    }

    /// A place in an executable around a target that may load any module.
    pub(super) fn unbounded_loader(&self, id: TargetId) -> Option<Evidence> {
        self.shaky.get(&id).cloned()
    }

    /// What nobody read that may lean on an edge.
    pub(super) fn unread_user(&self, id: EdgeId) -> Option<Evidence> {
        self.doubtful.get(&id).or(self.blind_spot.as_ref()).cloned()
    }

    /// Whether a source of a target counts as a user: it is reached from something, or others may import it.
    pub(super) fn source_counts(&self, id: TargetId, provision: usize) -> bool {
        self.roots.public.contains(&id)
            || self.roots.open.contains(&id)
            || self.life.alive.contains(provision)
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
        let Some(source) = self.source(path).filter(|_| used.span != Span::default()) else {
            return Region::line(path.clone(), used.line);
        };
        let (text, lines) = &*source;
        if used.span.end as usize > text.len() {
            return Region::line(path.clone(), used.line);
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

    fn source(&self, path: &ProjectPath) -> Option<Source> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let text = String::from_utf8(self.workspace.files.read(path).ok()?).ok()?;
            let lines = LineIndex::new(&text);
            Some(Arc::new((text, lines)))
        };
        sources.entry(path.clone()).or_insert_with(read).clone()
    }
}

fn region(path: &ProjectPath, text: &str, lines: &LineIndex, span: Span) -> Region {
    let (line, column) = lines.line_column(text, span.start);
    let (end_line, end_column) = lines.line_column(text, span.end);
    Region { path: path.clone(), line, column, end_line, end_column, span }
}

/// Targets whose executables hold a living source that may load anything.
fn shaky(
    graph: &Graph,
    life: &ModuleLife,
    executables: &Executables,
) -> FxHashMap<TargetId, Evidence> {
    let mut found: FxHashMap<TargetId, Evidence> = FxHashMap::default();
    for id in graph.targets.ids() {
        let Some(evidence) = loader(graph, life, id) else { continue };
        for executable in executables.holding(id) {
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

/// Removals by which something leaves an executable that holds a first-party target nobody read: that one may lean on it.
fn doubtful(
    is_exported: bool,
    roots: &RootTargets,
    edges: &Edges<'_>,
    executables: &Executables,
    outcome: &Outcome,
) -> FxHashMap<EdgeId, Evidence> {
    let graph = edges.graph;
    let unread: Vec<(TargetId, Evidence)> = graph
        .targets
        .ids()
        .filter_map(|id| Some((id, unread_evidence(graph, id, is_exported)?)))
        .collect();
    if unread.is_empty() && roots.unread.is_empty() {
        return FxHashMap::default();
    }
    let before = graph.module_web(|_, _| true);
    let after = leaning::web_after(edges, outcome);
    let removable: Vec<EdgeId> = outcome.removable.iter().copied().collect();
    let below: Vec<FixedBitSet> =
        removable.par_iter().map(|id| before.closure([edges.edge(*id).to.index()])).collect();
    // For each executable, the removals in doubt and the first unread target that makes them so.
    let in_doubt = |at: usize| {
        let held = &executables.closures[at];
        let held_unread = unread.iter().find(|(id, _)| held.contains(id.index()));
        let top = executables.tops[at];
        let reason = match held_unread {
            Some((_, evidence)) => evidence.clone(),
            None if roots.unread.contains(&top) => named_by_unread(graph, top)?,
            None => return None,
        };
        let mut gone = held.clone();
        gone.difference_with(&after.closure([top.index()]));
        let leaves = |(id, below): &(&EdgeId, &FixedBitSet)| {
            held.contains(id.from.index()) && !below.is_disjoint(&gone)
        };
        let ids: Vec<EdgeId> =
            removable.iter().zip(&below).filter(leaves).map(|(id, _)| *id).collect();
        Some((reason, ids))
    };
    let doubts: Vec<_> = (0..executables.tops.len()).into_par_iter().filter_map(in_doubt).collect();
    let mut found: FxHashMap<EdgeId, Evidence> = FxHashMap::default();
    for (evidence, ids) in doubts {
        for id in ids {
            found.entry(id).or_insert_with(|| evidence.clone());
        }
    }
    found
}

/// What a build file that failed may have in mind for a target that it names.
fn named_by_unread(graph: &Graph, id: TargetId) -> Option<Evidence> {
    let target = graph.definition(id)?;
    let line = graph.evaluation.file(&target.place.path)?.lines().line(target.place.span.start);
    let text = "is named where a build file failed, which may lean on this edge".to_owned();
    Some(Evidence { path: target.place.path.to_string(), line, text })
}

/// The first directory or build file of which nothing could be read.
fn blind_spot(workspace: &Workspace, graph: &Graph) -> Option<Evidence> {
    let is_blank =
        |path: &ProjectPath| graph.evaluation.file(path).is_none_or(|file| file.text().is_empty());
    let packages = graph.evaluation.packages.iter().filter(|package| package.failed);
    let files = packages.map(|package| &package.build_file).filter(|path| is_blank(path));
    let path = workspace.tree.unread().chain(files).min()?;
    let text = "could not be read, and may lean on this edge".to_owned();
    Some(Evidence { path: path.to_string(), line: 1, text })
}

/// Where a label of this repository is named that no target was found for.
fn unread_evidence(graph: &Graph, id: TargetId, is_exported: bool) -> Option<Evidence> {
    let label = &graph.targets.node(id).label;
    let exists_elsewhere = match graph.targets.resolution(label) {
        Resolution::MaybeDefined => true,
        // What an exported tree lacks was left behind; elsewhere it is nowhere.
        Resolution::Broken => is_exported,
        Resolution::Defined | Resolution::Outside => false,
    };
    if !exists_elsewhere {
        return None;
    }
    let places = graph.targets.ids().filter_map(|user| {
        let dep = graph.definition(user)?.deps.iter().find(|dep| dep.to == *label)?;
        Some(graph.evaluation.place(dep.literal?))
    });
    let place = places.min()?;
    let line = graph.evaluation.file(&place.path)?.lines().line(place.span.start);
    let text = format!("`{label}` was not read, and may lean on this edge");
    Some(Evidence { path: place.path.to_string(), line, text })
}
