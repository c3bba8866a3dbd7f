//! # dead-target
//!
//! ## What it finds
//!
//! A target that no root depends on, directly or through others, once unused dependencies are gone. Roots are programs
//! and tests, what `[roots]` in `secateur.toml` names, and every label that CI files and scripts name.
//!
//! ## Why it matters
//!
//! It is parsed in every build, tested and maintained for nobody.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "old_client", srcs = ["old_client.py"])     # nobody depends on it
//! ```
//!
//! ## Fix
//!
//! Delete it. If something outside of the repository uses it, name it in `[roots] targets`. A target that is visible to
//! everybody is reported as `likely` at most.

use super::context::Context;
use crate::buck::{self, LiteralId};
use crate::finding::{CheckId, Confidence, Finding};
use crate::graph::{Kind, TargetId};
use crate::label::Label;
use crate::source::{Place, ProjectPath};
use rustc_hash::FxHashSet;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    // Where a build file could not be read at all, anything may be used by it.
    let failed = context.graph.evaluation.packages.iter().any(|package| package.failed);
    if failed || context.blind_spot.is_some() {
        return Vec::new();
    }
    let wanted = wanted(context);
    let kept_by_macro = live_calls(context);
    let dead: Vec<TargetId> = context
        .defined()
        .filter(|(id, target)| {
            !context.is_live(*id)
                && !target.manual
                && !wanted.contains(id)
                && !kept_by_macro.contains(&target.place)
        })
        .map(|(id, _)| id)
        .collect();
    // What a doubtful target needs is as doubtful.
    let named = named_elsewhere(context);
    let doubtful = dead.iter().filter(|id| {
        confidence(context, **id) != Confidence::Certain || named.contains(context.label(**id))
    });
    let doubtful = context.builds.closure(doubtful.map(|id| id.index()));
    let mut findings = Vec::new();
    for id in dead {
        let Some(target) = context.graph.definition(id) else { continue };
        let doubt = doubtful.contains(id.index());
        let confidence = if doubt { Confidence::Likely } else { Confidence::Certain };
        let message = format!("nothing alive depends on `{}`", target.label);
        let region = context.call(target);
        let mut finding = Finding::new(CheckId::DeadTarget, confidence, region, message);
        finding.target = Some(target.label.clone());
        finding.hint = Some("delete it, or name it in `[roots] targets`".to_owned());
        findings.push(finding);
    }
    findings
}

fn confidence(context: &Context<'_>, id: TargetId) -> Confidence {
    let kind = context.graph.targets.node(id).kind;
    let public = context.roots.public.contains(&id);
    let sure = matches!(kind, Kind::PythonLibrary | Kind::PythonPrebuilt | Kind::Files);
    if public || !sure { Confidence::Likely } else { Confidence::Certain }
}

/// Dead targets whose modules something alive imports without declaring it: what they lack is a dependency on them.
fn wanted(context: &Context<'_>) -> FxHashSet<TargetId> {
    let graph = context.graph;
    let mut wanted = FxHashSet::default();
    for (id, _) in context.defined().filter(|(id, _)| context.is_live(*id)) {
        for name in context.edges.uses[id.index()].by_name.keys() {
            let owners = || graph.owners.providers(*name).map(|provision| provision.target);
            if !owners().any(|owner| context.is_live(owner)) {
                wanted.extend(owners());
            }
        }
    }
    wanted
}

/// Labels that literals name without feeding any target here: another configuration may use them.
fn named_elsewhere(context: &Context<'_>) -> FxHashSet<Label> {
    let graph = context.graph;
    let mut fed: FxHashSet<LiteralId> = FxHashSet::default();
    for (_, target) in context.defined() {
        fed.extend(target.deps.iter().filter_map(|dep| dep.literal));
        fed.extend(target.sources.iter().filter_map(|source| source.literal));
    }
    let mut named = FxHashSet::default();
    for (file, number) in graph.evaluation.files.iter().zip(0_u32..) {
        let dir = file.path().parent().unwrap_or_else(ProjectPath::root);
        let package = context.workspace.cells.package_of_dir(&dir);
        for (literal, index) in file.literals().iter().zip(0_u32..) {
            if !fed.contains(&LiteralId { file: number, index }) {
                let written = buck::parse_label(&literal.text, &package, &context.workspace.cells);
                named.extend(written.map(|written| written.label));
            }
        }
    }
    named
}

/// The calls that define something alive. A macro that defines several targets in one call is used if any of them is.
fn live_calls<'a>(context: &Context<'a>) -> FxHashSet<&'a Place> {
    let live = context.defined().filter(|(id, _)| context.is_live(*id));
    live.map(|(_, target)| &target.place).collect()
}
