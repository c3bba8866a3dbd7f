//! The verdict on each dependency: what uses it, and what taking it out would cost others. Pure.
//!
//! Python sees the whole closure of an executable, so a dependency that its own target does not use can still be what
//! another target leans on. All unused dependencies are taken out at once, and every use in every executable is asked
//! whether it still has an owner.

use super::liveness::{ModuleLife, RootTargets};
use super::outside;
use crate::buck;
use crate::graph::{Edge, EdgeKind, Graph, Kind, NameId, TargetId, Use, UseKind};
use crate::workspace::Workspace;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// How a target uses what a dependency brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// Something other than type checking needs it.
    Used,
    /// Only type checking needs it; the lines that show it.
    TypeOnly(Vec<(crate::source::ProjectPath, u32, String)>),
    /// Nothing names it.
    Unused,
    /// Imports cannot tell, or people manage it by hand.
    NotJudged,
}

/// One dependency by its owner and its position among that target's edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EdgeId {
    pub(super) from: TargetId,
    pub(super) position: usize,
}

/// What the sources of one target use.
#[derive(Debug, Default)]
pub(super) struct TargetUses<'g> {
    /// Every use by a source that counts, with the source's path.
    pub(super) uses: Vec<(&'g crate::source::ProjectPath, &'g Use)>,
    /// The modules by name, and whether something other than type checking uses them.
    pub(super) by_name: FxHashMap<NameId, bool>,
    /// Targets that `# @manual=` comments name.
    pub(super) providers: FxHashSet<TargetId>,
}

/// Facts about edges that all checks share.
pub(super) struct Edges<'g> {
    pub(super) graph: &'g Graph,
    pub(super) uses: Vec<TargetUses<'g>>,
    /// For each target, how it uses each of its edges.
    usage: Vec<Vec<Usage>>,
    forwards: Vec<Vec<TargetId>>,
    /// Libraries without sources may stand for something outside.
    has_stand_ins: bool,
}

impl<'g> Edges<'g> {
    /// Judges every edge by what its own target uses.
    pub(super) fn judge(
        workspace: &Workspace,
        graph: &'g Graph,
        roots: &RootTargets,
        life: &ModuleLife,
    ) -> Self {
        let ids: Vec<TargetId> = graph.targets.ids().collect();
        let uses = ids.par_iter().map(|id| collect(workspace, graph, roots, life, *id)).collect();
        let has_stand_ins = workspace.cells.is_bazel();
        let forwards = ids.par_iter().map(|id| forwarded(graph, *id, has_stand_ins)).collect();
        let mut edges = Self { graph, uses, usage: Vec::new(), forwards, has_stand_ins };
        let usages = |from: TargetId| {
            let positions = 0..graph.targets.node(from).edges.len();
            positions.map(|position| edges.usage_of(EdgeId { from, position })).collect()
        };
        edges.usage = ids.par_iter().map(|from| usages(*from)).collect();
        edges
    }

    /// Every edge, and how its target uses it.
    pub(super) fn usages(&self) -> impl Iterator<Item = (EdgeId, &Usage)> {
        self.graph.targets.ids().zip(&self.usage).flat_map(|(from, usages)| {
            let usages = usages.iter().enumerate();
            usages.map(move |(position, usage)| (EdgeId { from, position }, usage))
        })
    }

    /// The edge behind a handle.
    pub(super) fn edge(&self, id: EdgeId) -> &'g Edge {
        &self.graph.targets.node(id.from).edges[id.position]
    }

    /// The dependency as it was written.
    pub(super) fn dep(&self, id: EdgeId) -> Option<&'g buck::Dep> {
        self.graph.definition(id.from)?.deps.get(self.edge(id).dep)
    }

    /// What a target stands for: itself, or what it forwards to.
    pub(super) fn stands_for(&self, id: TargetId) -> &[TargetId] {
        &self.forwards[id.index()]
    }

    /// Whether a target only forwards to others.
    pub(super) fn is_forwarder(&self, id: TargetId) -> bool {
        self.forwards[id.index()] != [id]
    }

    /// Whether a target declares, directly or through what forwards, a provider of a module.
    pub(super) fn declares(&self, from: TargetId, name: NameId) -> bool {
        let edges = &self.graph.targets.node(from).edges;
        self.provides(from, name)
            || edges
                .iter()
                .filter(|edge| edge.kind != EdgeKind::Configuration)
                .any(|edge| self.stands_for(edge.to).iter().any(|to| self.provides(*to, name)))
    }

    /// Whether a target provides a module.
    pub(super) fn provides(&self, target: TargetId, name: NameId) -> bool {
        self.graph.owners.providers(name).any(|provision| provision.target == target)
    }

    fn usage_of(&self, id: EdgeId) -> Usage {
        let graph = self.graph;
        let edge = self.edge(id);
        let (Some(target), Some(dep)) = (graph.definition(id.from), self.dep(id)) else {
            return Usage::NotJudged;
        };
        if edge.kind != EdgeKind::Modules
            || !matches!(&*dep.attr, "deps" | "extra_deps")
            || target.manual
        {
            return Usage::NotJudged;
        }
        let manual = dep.literal.is_some_and(|literal| graph.evaluation.literal(literal).manual);
        if manual || !has_judged_sources(graph, id.from) || self.is_forwarder(id.from) {
            return Usage::NotJudged;
        }
        let owners = self.stands_for(edge.to);
        let judged = |to: &TargetId| graph.targets.node(*to).kind.is_judged_by_imports();
        let known = |to: &TargetId| {
            graph.targets.node(*to).origin.is_some() || !graph.owners.of_target(*to).is_empty()
        };
        if owners.is_empty() || !owners.iter().all(judged) || !owners.iter().all(known) {
            return Usage::NotJudged;
        }
        if self.is_stand_in(edge.to) && outside::leads_out(graph, &self.uses[id.from.index()]) {
            return Usage::NotJudged;
        }
        self.usage_by_sources(id, owners)
    }

    /// Whether a target may stand for something outside of the repository.
    pub(super) fn is_stand_in(&self, id: TargetId) -> bool {
        self.has_stand_ins && outside::is_stand_in(self.graph, id)
    }

    fn usage_by_sources(&self, id: EdgeId, owners: &[TargetId]) -> Usage {
        let graph = self.graph;
        let uses = &self.uses[id.from.index()];
        if uses.providers.contains(&self.edge(id).to)
            || owners.iter().any(|owner| uses.providers.contains(owner))
        {
            return Usage::Used;
        }
        // A dependency that another attribute names too serves that attribute.
        let serves_other = graph
            .targets
            .node(id.from)
            .edges
            .iter()
            .any(|other| other.to == self.edge(id).to && other.kind == EdgeKind::Build);
        if serves_other
            || self.is_fixture_provider(id.from, owners)
            || self.has_used_resource(id.from, owners)
        {
            return Usage::Used;
        }
        if self.has_stand_ins && outside::has_own_package(graph, id.from, owners) {
            return Usage::Used;
        }
        let mut type_only = false;
        for provision in owners.iter().flat_map(|owner| graph.owners.of_target(*owner)) {
            match uses.by_name.get(&provision.name) {
                _ if self.is_shadowed(id.from, provision) => {}
                Some(true) if !provision.type_only => return Usage::Used,
                Some(_) => type_only = true,
                None => {}
            }
        }
        if type_only {
            return self.type_only_usage(id, owners);
        }
        if self.has_unread_source(id.from) {
            return Usage::NotJudged;
        }
        Usage::Unused
    }

    fn type_only_usage(&self, id: EdgeId, owners: &[TargetId]) -> Usage {
        let typed = self
            .graph
            .definition(id.from)
            .and_then(|target| target.attr("typing"))
            .is_some_and(|value| *value == buck::Value::Bool(true));
        if typed {
            return Usage::Used;
        }
        let places = self.uses[id.from.index()].uses.iter().filter(|(_, used)| {
            used.name.is_some_and(|name| owners.iter().any(|owner| self.provides(*owner, name)))
        });
        Usage::TypeOnly(
            places
                .map(|(path, used)| ((*path).clone(), used.line, used.wanted.to_string()))
                .collect(),
        )
    }

    /// `foo.py` beside `foo/__init__.py`: Python loads the package, if both are in the closure.
    fn is_shadowed(&self, from: TargetId, provision: &crate::graph::Provision) -> bool {
        if provision.is_package || provision.is_prefix {
            return false;
        }
        let packages = self.graph.owners.providers(provision.name).filter(|other| {
            other.is_package
                && !other.is_prefix
                && !other.type_only
                && other.target != provision.target
        });
        let edges = &self.graph.targets.node(from).edges;
        packages.into_iter().any(|package| {
            package.target == from
                || edges.iter().any(|edge| self.stands_for(edge.to).contains(&package.target))
        })
    }

    /// pytest finds fixtures by name in `conftest.py` files above a test.
    fn is_fixture_provider(&self, from: TargetId, owners: &[TargetId]) -> bool {
        let graph = self.graph;
        if graph.targets.node(from).kind != Kind::PythonTest {
            return false;
        }
        let provisions = || owners.iter().flat_map(|owner| graph.owners.of_target(*owner));
        let conftest = |provision: &crate::graph::Provision| {
            let name = graph.owners.name(provision.name);
            let package =
                name.strip_suffix("conftest").map(|package| package.trim_end_matches('.'))?;
            Some(
                graph
                    .owners
                    .of_target(from)
                    .iter()
                    .any(|test| graph.owners.name(test.name).starts_with(package)),
            )
        };
        if provisions().any(|provision| conftest(provision) == Some(true)) {
            return true;
        }
        let requested = graph.units_of(from).filter_map(|(provision, _)| provision.file);
        let mut requested =
            requested.flat_map(|file| &graph.files.get(file).facts.pytest.requested);
        requested.any(|(fixture, _)| {
            PLUGIN_FIXTURES.iter().any(|(name, module)| {
                *name == &**fixture
                    && provisions().any(|provision| graph.owners.name(provision.name) == *module)
            })
        })
    }

    /// A resource is used by the name of its file, or through its package.
    fn has_used_resource(&self, from: TargetId, owners: &[TargetId]) -> bool {
        let graph = self.graph;
        let resources = owners.iter().flat_map(|owner| &graph.owners.offer(*owner).resources);
        let mut resources = resources.peekable();
        if resources.peek().is_none() {
            return false;
        }
        let files: Vec<_> = graph
            .units_of(from)
            .filter_map(|(provision, unit)| Some((graph.files.get(provision.file?), unit)))
            .collect();
        resources.any(|(package, name)| {
            files.iter().any(|(file, unit)| {
                file.facts.strings.iter().any(|string| string.text.ends_with(name.as_str()))
                    || unit.uses.iter().any(|used| {
                        matches!(used.kind, UseKind::Dynamic | UseKind::Optional)
                            && *used.wanted == **package
                    })
            })
        })
    }

    /// Whether some source was not read whole, was generated, or is not there: what it uses cannot be told.
    fn has_unread_source(&self, from: TargetId) -> bool {
        let graph = self.graph;
        let Some(target) = graph.definition(from) else { return true };
        if target.incomplete {
            return true;
        }
        for provision in graph.owners.of_target(from) {
            let Some(file) = provision.file else {
                // Generated, or not there: what it imports is not known.
                return true;
            };
            let file = graph.files.get(file);
            if file.facts.incomplete {
                return true;
            }
        }
        false
    }
}

/// Fixtures that well-known plugins bring, and the module that brings them.
const PLUGIN_FIXTURES: &[(&str, &str)] = &[
    ("aiohttp_client", "pytest_aiohttp"),
    ("benchmark", "pytest_benchmark"),
    ("event_loop", "pytest_asyncio"),
    ("freezer", "pytest_freezer"),
    ("httpx_mock", "pytest_httpx"),
    ("mocker", "pytest_mock"),
    ("requests_mock", "requests_mock"),
    ("snapshot", "syrupy"),
];

/// Whether the target has something that could use a dependency: sources, or a main module.
fn has_judged_sources(graph: &Graph, id: TargetId) -> bool {
    let kind = graph.targets.node(id).kind;
    let python =
        matches!(kind, Kind::PythonLibrary | Kind::PythonBinary | Kind::PythonTest | Kind::Unknown);
    python && (!graph.owners.of_target(id).is_empty() || !graph.entries(id).is_empty())
}

/// Libraries and aliases with neither sources nor resources stand for what they depend on.
fn forwarded(graph: &Graph, id: TargetId, is_bazel: bool) -> Vec<TargetId> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut stack = vec![id];
    while let Some(at) = stack.pop() {
        if !seen.insert(at) {
            continue;
        }
        let node = graph.targets.node(at);
        let offer = graph.owners.offer(at);
        let forwards = match node.kind {
            Kind::Alias => true,
            Kind::Proto => graph.owners.of_target(at).is_empty(),
            Kind::PythonLibrary => {
                !offer.has_sources && !offer.has_resources && graph.owners.of_target(at).is_empty()
                    || is_bazel && outside::is_blank(graph, at)
            }
            _ => false,
        };
        let onward = node.edges.iter().filter(|edge| edge.kind == EdgeKind::Modules);
        let onward: Vec<TargetId> = onward.map(|edge| edge.to).collect();
        if forwards && !onward.is_empty() {
            stack.extend(onward);
        } else {
            found.push(at);
        }
    }
    found.sort_unstable();
    found
}

/// Whether a source of a target counts as a user. What others may import from outside is not dead because nobody here does.
pub(super) fn counts(
    roots: &RootTargets,
    life: &ModuleLife,
    id: TargetId,
    provision: usize,
) -> bool {
    roots.public.contains(&id) || roots.open.contains(&id) || life.alive.contains(provision)
}

fn collect<'g>(
    workspace: &Workspace,
    graph: &'g Graph,
    roots: &RootTargets,
    life: &ModuleLife,
    id: TargetId,
) -> TargetUses<'g> {
    let mut collected = TargetUses::default();
    let Some(target) = graph.definition(id) else { return collected };
    let range = graph.owners.offer(id).provisions.clone();
    for at in range {
        let Some(unit) = graph.unit_at(at) else { continue };
        if !counts(roots, life, id, at) {
            continue;
        }
        let Some(path) = &graph.owners.provisions()[at].path else { continue };
        for used in &unit.uses {
            collected.uses.push((path, used));
            if let Some(provider) = &used.provider
                && let Some(written) =
                    buck::parse_label(provider, &target.label.package, &workspace.cells)
                && let Some(provider) = graph.targets.find(&written.label)
            {
                collected.providers.insert(provider);
            }
        }
    }
    // A genrule that runs a module by name keeps it alive, and has no link tree of its own.
    if graph.targets.node(id).kind.has_python_sources() {
        collected.uses.extend(graph.entries(id).iter().map(|used| (&target.place.path, used)));
    }
    for (_, used) in &collected.uses {
        if let Some(name) = used.name
            && !used.missing_name
        {
            *collected.by_name.entry(name).or_default() |= used.kind != UseKind::TypeOnly;
        }
    }
    collected
}
