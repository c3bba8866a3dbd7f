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
use crate::finding::{CheckId, Confidence, Finding};
use crate::graph::{Kind, TargetId};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    // Where a build file could not be read at all, anything may be used by it.
    if context.graph.evaluation.packages.iter().any(|package| package.failed) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (id, target) in context.defined() {
        if context.is_live(id) || target.manual || is_kept_by_macro(context, id) {
            continue;
        }
        let kind = context.graph.targets.node(id).kind;
        let confidence = confidence(context, id, kind);
        let message = format!("nothing alive depends on `{}`", target.label);
        let region = context.call(target);
        let mut finding = context.finding(CheckId::DeadTarget, confidence, region, message);
        finding.target = Some(target.label.clone());
        finding.hint = Some("delete it, or name it in `[roots] targets`".to_owned());
        findings.push(finding);
    }
    findings
}

fn confidence(context: &Context<'_>, id: TargetId, kind: Kind) -> Confidence {
    let public = context.roots.public.contains(&id);
    let sure = matches!(kind, Kind::PythonLibrary | Kind::PythonPrebuilt | Kind::Files);
    if public || !sure { Confidence::Likely } else { Confidence::Certain }
}

/// A macro that defines several targets in one call is used if any of them is.
fn is_kept_by_macro(context: &Context<'_>, id: TargetId) -> bool {
    let Some(place) = context.graph.definition(id).map(|target| &target.place) else {
        return false;
    };
    let mut siblings =
        context.defined().filter(|(other, target)| *other != id && target.place == *place);
    siblings.any(|(other, _)| context.is_live(other))
}
