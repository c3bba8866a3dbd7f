//! # dead-module
//!
//! ## What it finds
//!
//! A source of a living target that nothing reaches: no import from a main module, a test, a root, a script or a
//! notebook leads to it, and no string names it. Modules that only import each other are dead together.
//!
//! ## Why it matters
//!
//! It is built, shipped, type-checked and read for nothing, and its dependencies with it.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "data", srcs = ["loader.py", "old_loader.py"])   # nothing imports data.old_loader
//! ```
//!
//! ## Fix
//!
//! Delete the file and its mention in `srcs`. If something outside of the repository imports it, say so:
//! `[roots] modules` in `secateur.toml`, or `# secateur: keep[dead-module] reason` in the file.

use super::context::Context;
use crate::finding::{CheckId, Confidence, Finding, Region};
use crate::graph::{Kind, TargetId};
use crate::source::ProjectPath;
use std::collections::BTreeMap;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    // One finding a file, at the first of its owners, and only if it is dead under every name it has.
    let mut files: BTreeMap<&ProjectPath, Vec<(TargetId, usize)>> = BTreeMap::new();
    for (id, _) in context.defined() {
        for at in graph.owners.offer(id).provisions.clone() {
            if let Some(path) = &graph.owners.provisions()[at].path {
                files.entry(path).or_default().push((id, at));
            }
        }
    }
    files.into_iter().filter_map(|(path, owners)| finding(context, path, &owners)).collect()
}

fn finding(
    context: &Context<'_>,
    path: &ProjectPath,
    owners: &[(TargetId, usize)],
) -> Option<Finding> {
    let graph = context.graph;
    let judged = |(id, at): &(TargetId, usize)| {
        let kind = graph.targets.node(*id).kind;
        let target = graph.definition(*id);
        kind == Kind::PythonLibrary
            && context.is_live(*id)
            && !context.roots.open.contains(id)
            && target.is_some_and(|target| !target.manual)
            && !context.life.alive.contains(*at)
    };
    if !owners.iter().all(judged) || named_by_unread(context, path) {
        return None;
    }
    let (id, at) = *owners.iter().min_by_key(|(id, _)| context.label(*id))?;
    let provision = &graph.owners.provisions()[at];
    let file = graph.files.get(provision.file?);
    if provision.type_only || file.is_empty && provision.is_package {
        return None;
    }
    let name = graph.owners.name(provision.name);
    let loader = context.unbounded_loader(id);
    let public = owners.iter().any(|(id, _)| context.roots.public.contains(id));
    let sure = loader.is_none() && !public && !file.facts.is_script && !file.facts.incomplete;
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let message = format!("nothing imports, runs or names `{name}`");
    let region = Region::line(path.clone(), 1);
    let mut finding = Finding::new(CheckId::DeadModule, confidence, region, message);
    finding.target = Some(context.label(id).clone());
    finding.module = Some(name.to_owned());
    finding.evidence.extend(loader);
    finding.hint =
        Some("delete it with its mention in `srcs`, or name it in `[roots] modules`".to_owned());
    Some(finding)
}

/// Whether something that was not read whole may name the module: a Python file with its name in the text, or anything.
pub(super) fn named_by_unread(context: &Context<'_>, path: &ProjectPath) -> bool {
    if context.blind_spot.is_some() {
        return true;
    }
    let name = path.file_name();
    let stem = name.strip_suffix(".py").or(name.strip_suffix(".pyi")).unwrap_or(name);
    let parent = path.parent();
    let stem = match (stem, &parent) {
        ("__init__", Some(dir)) => dir.file_name(),
        _ => stem,
    };
    context.graph.files.iter().any(|(_, file)| {
        let unread = file.facts.incomplete && file.path != *path;
        unread && file.text.as_ref().is_none_or(|text| text.contains(stem))
    })
}
