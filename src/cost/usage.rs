//! Which imports a dependency serves, and where it is written. Pure.

use crate::graph::{EdgeKind, Graph, TargetId, UseKind, Via};
use crate::source::Place;
use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

/// The imports that a dependency serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Usage {
    /// Lines of the target's sources that name a module of the dependency, or load one on the way.
    pub imports: usize,
    /// Only type checkers read them.
    pub type_only: bool,
    /// The first of them.
    pub first: Option<FirstUse>,
}

/// A line that needs a dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FirstUse {
    /// Relative to the project root.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// The module that is used, by its dotted name.
    pub module: String,
    /// How it is used: `runtime`, `type-only`, `optional`, `deferred`, `lazy`, `dynamic` or `string`.
    pub kind: &'static str,
}

/// The imports of `from` that `to` serves, itself or by what it forwards to; `None` where imports cannot tell.
pub fn usage(graph: &Graph, from: TargetId, to: TargetId) -> Option<Usage> {
    let mut edges = graph.targets.node(from).edges.iter();
    let carries_modules = edges.any(|edge| edge.to == to && edge.kind == EdgeKind::Modules);
    let owners = graph.stands_for(to);
    let is_judged = |owner: &TargetId| {
        graph.targets.node(*owner).kind.is_judged_by_imports()
            && !graph.owners.of_target(*owner).is_empty()
    };
    let has_sources = graph.targets.node(from).kind.has_python_sources();
    if !carries_modules || !has_sources || !owners.iter().all(is_judged) {
        return None;
    }
    let provisions = owners.iter().flat_map(|owner| graph.owners.of_target(*owner));
    let names: FxHashSet<_> = provisions.map(|provision| provision.name).collect();
    let definition = graph.definition(from).map(|target| at(graph, &target.place));
    let mut lines = Vec::new();
    for (provision, unit) in graph.units_of(from) {
        let Some(path) = &provision.path else { continue };
        let served =
            unit.uses.iter().filter(|used| used.name.is_some_and(|it| names.contains(&it)));
        lines.extend(served.map(|used| (path.as_str(), used.line, used)));
    }
    let entries = graph.entries(from).iter();
    let entries = entries.filter(|used| used.name.is_some_and(|it| names.contains(&it)));
    // What starts a program is said where the program is defined.
    if let Some((path, line)) = &definition {
        lines.extend(entries.map(|used| (path.as_str(), *line, used)));
    }
    lines.sort_by_key(|(path, line, used)| (*path, *line, used.via != Via::Name, &used.wanted));
    let type_only =
        !lines.is_empty() && lines.iter().all(|(.., used)| used.kind == UseKind::TypeOnly);
    let first = lines.first().map(|(path, line, used)| FirstUse {
        path: (*path).to_owned(),
        line: *line,
        module: used.wanted.to_string(),
        kind: used.kind.as_str(),
    });
    lines.dedup_by_key(|(path, line, _)| (*path, *line));
    Some(Usage { imports: lines.len(), type_only, first })
}

/// The file and line where a dependency is written; where its target is defined, if no single literal makes it.
pub fn place_of(graph: &Graph, from: TargetId, to: TargetId) -> Option<(String, u32)> {
    let target = graph.definition(from)?;
    let edges = graph.targets.node(from).edges.iter();
    let mut deps = edges.filter(|edge| edge.to == to).filter_map(|edge| target.deps.get(edge.dep));
    Some(match deps.find_map(|dep| dep.literal) {
        Some(literal) => at(graph, &graph.evaluation.place(literal)),
        None => at(graph, &target.place),
    })
}

/// A place in a build file as its path and line.
fn at(graph: &Graph, place: &Place) -> (String, u32) {
    let file = graph.evaluation.file(&place.path);
    let line = file.map_or(1, |file| file.lines().line(place.span.start));
    (place.path.to_string(), line)
}
