//! Which modules and targets something outside still reaches. Pure.

use super::outside;
use super::test_only::TestOnly;
use super::visibility;
use crate::graph::{Graph, Kind, TargetId, Unit, Use, Via, Web};
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::{Pattern, Workspace};
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// Modules as positions in the graph's provisions, and what reaches them.
#[derive(Debug)]
pub(super) struct ModuleLife {
    /// Reached from anything at all.
    pub(super) alive: FixedBitSet,
    /// Reached from something that is no test.
    pub(super) in_production: FixedBitSet,
    /// Reached by tests alone.
    pub(super) test_only: TestOnly,
}

/// Targets that something outside of the graph needs, and why.
#[derive(Debug)]
pub(super) struct RootTargets {
    /// Programs, tests, and what configuration, CI and scripts name.
    pub(super) roots: FxHashSet<TargetId>,
    /// Of these, the ones whose modules others may import: all their sources count as used.
    pub(super) open: FxHashSet<TargetId>,
    /// Targets that anybody may depend on.
    pub(super) public: FxHashSet<TargetId>,
    /// The same with those that say nothing about who may, in a tree whose macros then let everybody, and with what is brought
    /// along for something outside.
    pub(super) visible: FxHashSet<TargetId>,
    /// Targets that build files name of which a part failed: that part may depend on them, and lean on anything below.
    pub(super) unread: FxHashSet<TargetId>,
    /// Of Bazel: libraries that those without sources bring along, for something outside.
    pub(super) brought_along: FxHashSet<TargetId>,
}

impl RootTargets {
    /// Finds the roots.
    pub(super) fn find(workspace: &Workspace, graph: &Graph) -> Self {
        let patterns: Vec<Pattern> = workspace
            .settings
            .roots
            .targets
            .iter()
            .filter_map(|text| Pattern::parse(text, &workspace.cells, &ProjectPath::root()).ok())
            .collect();
        let mut found = Self {
            roots: FxHashSet::default(),
            open: FxHashSet::default(),
            public: FxHashSet::default(),
            visible: FxHashSet::default(),
            unread: FxHashSet::default(),
            brought_along: FxHashSet::default(),
        };
        let unread = labels_in_unread_parts(graph);
        let is_exported = workspace.settings.project.preset.is_some();
        for id in graph.targets.ids() {
            let Some(target) = graph.definition(id) else { continue };
            let kind = graph.targets.node(id).kind;
            let is_public = is_public(graph, id);
            if is_public {
                found.public.insert(id);
            }
            // What fbcode's macros do; the stand-ins for them don't set it.
            if is_public || is_exported && target.attr("visibility").is_none() {
                found.visible.insert(id);
            }
            if unread.contains(&target.label) {
                found.unread.insert(id);
            }
            let named = patterns.iter().any(|pattern| pattern.matches_label(&target.label))
                || graph.mentions.labels.contains_key(&target.label)
                || found.unread.contains(&id)
                || workspace.settings.roots.kinds.iter().any(|kind| **kind == *target.kind)
                || is_public && workspace.settings.roots.public;
            let always = matches!(kind, Kind::Unknown | Kind::Configuration);
            if named || always {
                found.open.insert(id);
            }
            if named || always || kind.is_executable() {
                found.roots.insert(id);
            }
        }
        if workspace.cells.is_bazel() {
            found.brought_along.extend(outside::brought_by_stand_ins(graph));
            found.visible.extend(&found.brought_along);
        }
        found
    }
}

/// Labels in build files of which a part failed: that part may depend on them.
fn labels_in_unread_parts(graph: &Graph) -> FxHashSet<Label> {
    let failed: FxHashSet<&ProjectPath> = graph
        .problems
        .iter()
        .filter(|problem| problem.costs_targets())
        .map(|problem| &problem.path)
        .collect();
    let mut labels = FxHashSet::default();
    for package in &graph.evaluation.packages {
        if !failed.contains(&package.build_file) {
            continue;
        }
        let Some(file) = graph.evaluation.file(&package.build_file) else { continue };
        for word in file.text().split(['"', '\'']) {
            if let Some(name) = word.strip_prefix(':') {
                labels.insert(package.id.target(name));
            } else if let Some((cell, rest)) = word.split_once("//")
                && let Some((path, name)) = rest.split_once(':')
            {
                let cell = if cell.is_empty() { &*package.id.cell } else { cell };
                labels.insert(crate::label::PackageId::new(cell, path).target(name));
            }
        }
    }
    labels
}

/// Whether a target's visibility lets everybody depend on it.
fn is_public(graph: &Graph, id: TargetId) -> bool {
    let Some(target) = graph.definition(id) else { return false };
    let mut public = false;
    match target.attr("visibility") {
        Some(value) => value.for_each_text(&mut |text| public |= visibility::is_public(&text.text)),
        None => {
            let package = graph.package(id);
            public = package
                .is_some_and(|p| p.default_visibility.iter().any(|v| visibility::is_public(v)));
        }
    }
    public
}

impl ModuleLife {
    /// Follows what sources use, from everything that starts.
    pub(super) fn trace(workspace: &Workspace, graph: &Graph, roots: &RootTargets) -> Self {
        let walker = Walker::new(graph);
        let production = walker.production_roots(workspace, roots);
        let in_production = walker.follow(production.iter().copied());
        let alive = walker.follow(production.into_iter().chain(walker.test_roots()));
        let test_only = TestOnly::find(&walker, &alive, &in_production);
        Self { alive, in_production, test_only }
    }
}

/// Walks over provisions along the uses of their sources.
pub(super) struct Walker<'a> {
    pub(super) graph: &'a Graph,
    /// For each provision, those that are loaded with it.
    next: Vec<Vec<usize>>,
}

impl<'a> Walker<'a> {
    fn new(graph: &'a Graph) -> Self {
        let count = graph.owners.provisions().len();
        let next = (0..count).into_par_iter().map(|at| loaded_with(graph, at)).collect();
        Self { graph, next }
    }

    fn provisions_of(&self, id: TargetId) -> std::ops::Range<usize> {
        self.graph.owners.offer(id).provisions.clone()
    }

    /// What programs, configuration, scripts and loose files start.
    fn production_roots(&self, workspace: &Workspace, roots: &RootTargets) -> Vec<usize> {
        let graph = self.graph;
        let mut found = Vec::new();
        for id in graph.targets.ids() {
            let Some(target) = graph.definition(id) else { continue };
            let kind = graph.targets.node(id).kind;
            if kind != Kind::PythonTest {
                add_uses(graph, graph.entries(id), &mut found);
            }
            // What is never called dead counts as alive: programs' own sources, and what people manage by hand.
            let is_kept = kind == Kind::PythonBinary || target.manual || roots.open.contains(&id);
            if is_kept && kind != Kind::PythonTest {
                found.extend(self.provisions_of(id));
            }
        }
        for (at, provision) in graph.owners.provisions().iter().enumerate() {
            let name = graph.owners.name(provision.name);
            let is_notebook = name.ends_with(".ipynb");
            if is_notebook || is_named(workspace, graph, name, provision.path.as_ref()) {
                found.push(at);
            }
        }
        for (file, unit) in graph.unowned() {
            let is_test = looks_like_test(graph.files.get(*file).path.file_name());
            if !is_test {
                add_unit(self.graph, unit, &mut found);
            }
        }
        found
    }

    /// What tests start, and files that pytest loads by itself.
    fn test_roots(&self) -> Vec<usize> {
        let graph = self.graph;
        let mut found = Vec::new();
        for id in graph.targets.ids() {
            if graph.targets.node(id).kind == Kind::PythonTest {
                found.extend(self.provisions_of(id));
                add_uses(graph, graph.entries(id), &mut found);
            }
        }
        for (at, provision) in graph.owners.provisions().iter().enumerate() {
            let name = provision.path.as_ref().map_or("", |path| path.file_name());
            if matches!(name, "conftest.py" | "__main__.py" | "sitecustomize.py") {
                found.push(at);
            }
        }
        for (_, unit) in graph.unowned() {
            add_unit(self.graph, unit, &mut found);
        }
        found
    }

    /// Everything that runs when these are loaded.
    pub(super) fn follow(&self, roots: impl IntoIterator<Item = usize>) -> FixedBitSet {
        reached(&self.next, roots)
    }

    /// What entry points of tests and files without a target name.
    pub(super) fn named_elsewhere(&self) -> FixedBitSet {
        let mut found = Vec::new();
        for id in self.graph.targets.ids() {
            if self.graph.targets.node(id).kind == Kind::PythonTest {
                add_uses(self.graph, self.graph.entries(id), &mut found);
            }
        }
        for (_, unit) in self.graph.unowned() {
            add_unit(self.graph, unit, &mut found);
        }
        found.into_iter().collect()
    }
}

/// What a provision's source names itself, without the packages that are loaded on the way.
pub(super) fn named_by(graph: &Graph, at: usize) -> Vec<usize> {
    let Some(unit) = graph.unit_at(at) else { return Vec::new() };
    let uses = unit.uses.iter().filter(|used| used.via != Via::Implied);
    let names = uses.filter_map(|used| used.name);
    let by_prefix = unit.prefixes.iter().flat_map(|(prefix, _)| graph.owners.below(prefix));
    names.flat_map(|name| graph.owners.positions(name)).chain(by_prefix).collect()
}

/// What a provision's source uses, and its packages, which run when it is loaded.
fn loaded_with(graph: &Graph, at: usize) -> Vec<usize> {
    let mut found = Vec::new();
    if let Some(unit) = graph.unit_at(at) {
        add_unit(graph, unit, &mut found);
    }
    let name = graph.owners.name(graph.owners.provisions()[at].name);
    for ancestor in crate::python::modules::ancestors(name) {
        found.extend(
            graph.owners.find(ancestor).into_iter().flat_map(|id| graph.owners.positions(id)),
        );
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn add_uses(graph: &Graph, uses: &[Use], found: &mut Vec<usize>) {
    let names = uses.iter().filter_map(|used| used.name);
    found.extend(names.flat_map(|name| graph.owners.positions(name)));
}

fn add_unit(graph: &Graph, unit: &Unit, found: &mut Vec<usize>) {
    add_uses(graph, &unit.uses, found);
    for (prefix, _) in &unit.prefixes {
        found.extend(graph.owners.below(prefix));
    }
}

/// Everything that can be reached from `roots`, the roots included.
pub(super) fn reached(next: &[Vec<usize>], roots: impl IntoIterator<Item = usize>) -> FixedBitSet {
    let mut seen = FixedBitSet::with_capacity(next.len());
    let mut stack: Vec<usize> = roots.into_iter().collect();
    while let Some(at) = stack.pop() {
        if !seen.put(at) {
            stack.extend_from_slice(&next[at]);
        }
    }
    seen
}

/// Whether configuration, CI or a script names a module or its file.
fn is_named(workspace: &Workspace, graph: &Graph, name: &str, path: Option<&ProjectPath>) -> bool {
    let by_pattern =
        workspace.settings.roots.modules.iter().any(|pattern| match pattern.strip_suffix(".*") {
            Some(prefix) => {
                name == prefix
                    || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
            }
            None => name == pattern,
        });
    by_pattern
        || graph.mentions.modules.contains_key(name)
        || path.is_some_and(|path| graph.mentions.paths.contains_key(path.as_str()))
}

fn looks_like_test(name: &str) -> bool {
    name.starts_with("test_") || name.ends_with("_test.py") || name == "conftest.py"
}

/// Targets reached from the roots along `web`.
pub(super) fn live_targets(web: &Web, roots: &RootTargets) -> FixedBitSet {
    web.closure(roots.roots.iter().map(|id| id.index()))
}
