//! Which modules and targets something outside still reaches. Pure.

use crate::graph::{Graph, Kind, TargetId, Unit, Use, Web};
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::{Pattern, Workspace};
use fixedbitset::FixedBitSet;
use rustc_hash::{FxHashMap, FxHashSet};

/// Modules as positions in the graph's provisions, and what reaches them.
#[derive(Debug)]
pub(super) struct ModuleLife {
    /// Reached from anything at all.
    pub(super) alive: FixedBitSet,
    /// Reached from something that is no test.
    pub(super) in_production: FixedBitSet,
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
    /// The same with those that say nothing about who may, in a tree whose macros then let everybody.
    pub(super) visible: FxHashSet<TargetId>,
    /// Targets that build files name of which a part failed: that part may depend on them, and lean on anything below.
    pub(super) unread: FxHashSet<TargetId>,
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
        Some(value) => value.for_each_text(&mut |text| public |= &*text.text == "PUBLIC"),
        None => {
            let package = graph.package(id);
            public = package.is_some_and(|p| p.default_visibility.iter().any(|v| &**v == "PUBLIC"));
        }
    }
    public
}

impl ModuleLife {
    /// Follows what sources use, from everything that starts.
    pub(super) fn trace(workspace: &Workspace, graph: &Graph, roots: &RootTargets) -> Self {
        let walker = Walker::new(graph);
        let production = walker.production_roots(workspace, roots);
        let in_production = walker.follow(production.clone());
        let mut everything = production;
        everything.extend(walker.test_roots());
        let alive = walker.follow(everything);
        Self { alive, in_production }
    }
}

/// Walks over provisions along the uses of their sources.
struct Walker<'a> {
    graph: &'a Graph,
    units: FxHashMap<usize, &'a Unit>,
}

impl<'a> Walker<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut units = FxHashMap::default();
        for id in graph.targets.ids() {
            let range = graph.owners.offer(id).provisions.clone();
            units.extend(range.filter_map(|at| Some((at, graph.unit_at(at)?))));
        }
        Self { graph, units }
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
            self.add_uses(graph.entries(id), &mut found, kind == Kind::PythonTest);
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
                self.add_unit(unit, &mut found);
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
                self.add_uses(graph.entries(id), &mut found, false);
            }
        }
        for (at, provision) in graph.owners.provisions().iter().enumerate() {
            let name = provision.path.as_ref().map_or("", |path| path.file_name());
            if matches!(name, "conftest.py" | "__main__.py" | "sitecustomize.py") {
                found.push(at);
            }
        }
        for (_, unit) in graph.unowned() {
            self.add_unit(unit, &mut found);
        }
        found
    }

    fn add_uses(&self, uses: &[Use], found: &mut Vec<usize>, skip: bool) {
        if skip {
            return;
        }
        for used in uses {
            found.extend(used.name.into_iter().flat_map(|name| self.graph.owners.positions(name)));
        }
    }

    fn add_unit(&self, unit: &Unit, found: &mut Vec<usize>) {
        self.add_uses(&unit.uses, found, false);
        for (prefix, _) in &unit.prefixes {
            found.extend(self.graph.owners.below(prefix));
        }
    }

    fn follow(&self, roots: Vec<usize>) -> FixedBitSet {
        let mut seen = FixedBitSet::with_capacity(self.graph.owners.provisions().len());
        let mut stack = roots;
        while let Some(at) = stack.pop() {
            if seen.put(at) {
                continue;
            }
            if let Some(unit) = self.units.get(&at) {
                self.add_unit(unit, &mut stack);
            }
            // A module's packages run when it is loaded.
            let name = self.graph.owners.name(self.graph.owners.provisions()[at].name);
            for ancestor in crate::python::modules::ancestors(name) {
                if let Some(id) = self.graph.owners.find(ancestor) {
                    stack.extend(self.graph.owners.positions(id));
                }
            }
        }
        seen
    }
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

/// For each module that only tests reach: whether none of those tests reaches anything that lives in production.
pub(super) fn test_only(graph: &Graph, life: &ModuleLife) -> FixedBitSet {
    let walker = Walker::new(graph);
    let mut candidates = life.alive.clone();
    candidates.difference_with(&life.in_production);
    for id in graph.targets.ids() {
        if graph.targets.node(id).kind != Kind::PythonTest {
            continue;
        }
        for source in walker.provisions_of(id) {
            let reached = walker.follow(vec![source]);
            let touches_production = reached.intersection(&life.in_production).any(|at| {
                let provision = &graph.owners.provisions()[at];
                // Other people's code, and packages on the way, are no sign of a living subject.
                provision.file.is_some() && !provision.is_package
            });
            if touches_production {
                candidates.difference_with(&reached);
            }
        }
    }
    candidates
}
