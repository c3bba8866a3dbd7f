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
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Region, Safety};
use crate::graph::{Kind, TargetId};
use crate::source::ProjectPath;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    context.owners_of_file.keys().filter_map(|path| finding(context, path)).collect()
}

/// One finding a file, at the first of its owners, and only if it is dead under every name it has.
fn finding(context: &Context<'_>, path: &ProjectPath) -> Option<Finding> {
    let graph = context.graph;
    let owners = context.owners_of_file.get(path)?;
    if !owners.iter().all(|(id, _)| context.is_live(*id)) {
        return None;
    }
    let confidence = verdict(context, path)?;
    let (id, at) = *owners.iter().min_by_key(|(id, _)| context.label(*id))?;
    let name = graph.owners.name(graph.owners.provisions()[at].name);
    let message = format!("nothing imports, runs or names `{name}`");
    let region = Region::line(path.clone(), 1);
    let mut finding = Finding::new(CheckId::DeadModule, confidence, region, message);
    finding.target = Some(context.label(id).clone());
    finding.module = Some(name.to_owned());
    finding.evidence.extend(context.unbounded_loader(id));
    finding.fix = Some(FixSet::new(Safety::Unsafe, [Change::DeleteFile(path.clone())]));
    finding.hint =
        Some("delete it with its mention in `srcs`, or name it in `[roots] modules`".to_owned());
    Some(finding)
}

/// How sure it is that a file is dead, whatever becomes of its targets; `None` if it is not.
pub(super) fn verdict(context: &Context<'_>, path: &ProjectPath) -> Option<Confidence> {
    let graph = context.graph;
    let owners = context.owners_of_file.get(path)?;
    let judged = |(id, at): &(TargetId, usize)| {
        graph.targets.node(*id).kind == Kind::PythonLibrary
            && !context.roots.open.contains(id)
            && graph.definition(*id).is_some_and(|target| !target.manual)
            && !context.life.alive.contains(*at)
    };
    if !owners.iter().all(judged) || named_by_unread(context, path) {
        return None;
    }
    let (id, at) = *owners.first()?;
    let provision = &graph.owners.provisions()[at];
    let file = graph.files.get(provision.file?);
    if provision.type_only || file.is_empty && provision.is_package {
        return None;
    }
    let public = owners.iter().any(|(id, _)| context.roots.visible.contains(id));
    let facts = &file.facts;
    let odd = facts.is_script || facts.incomplete || facts.generated;
    let sure = context.unbounded_loader(id).is_none() && !public && !odd;
    Some(if sure { Confidence::Certain } else { Confidence::Likely })
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
