//! # missing-dep
//!
//! ## What it finds
//!
//! An import of a module that some target provides, where an executable that runs the import has no provider of the
//! module in its closure. Imports guarded by `except ImportError` are optional and never missing.
//!
//! ## Why it matters
//!
//! The import fails when that executable reaches it.
//!
//! ## Example
//!
//! ```python
//! # serving/app.py, whose target declares no dependency on //features:geo
//! import features.geo                 # missing-dep
//! ```
//!
//! ## Fix
//!
//! Add the dependency to the target whose source has the import.

use super::context::Context;
use super::transitive_dep::{Undeclared, undeclared};
use crate::finding::{CheckId, Confidence, Evidence, Finding};
use crate::graph::Via;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    undeclared(context).filter_map(|case| finding(context, &case)).collect()
}

/// What is not on disk brings dependencies that nobody here can see, other people's modules among them.
fn may_come_from_outside(context: &Context<'_>, case: &Undeclared<'_>, without: usize) -> bool {
    let graph = context.graph;
    let is_outside = |id: crate::graph::TargetId| graph.targets.node(id).origin.is_none();
    let name = case.used.name;
    let ours = name.is_some_and(|name| graph.owners.providers(name).any(|p| p.first_party));
    let closure = &context.executables.closures[without];
    let mut held = closure.ones().map(crate::graph::target_at);
    let unseen = |id| {
        is_outside(id) || graph.definition(id).is_some_and(|t| t.attr("external_deps").is_some())
    };
    !ours && held.any(unseen)
}

fn finding(context: &Context<'_>, case: &Undeclared<'_>) -> Option<Finding> {
    let without = case.without?;
    // An attribute that no import has loaded may have been set by hand.
    if case.used.via == Via::SideEffect || may_come_from_outside(context, case, without) {
        return None;
    }
    let user = context.label(case.user);
    let owner = context.label(case.owner);
    let executable = context.executables.tops[without];
    let message = if executable == case.user {
        format!("`{user}` imports `{}` but nothing it depends on provides it", case.used.wanted)
    } else {
        format!(
            "`{user}` imports `{}`, which `{}` runs without a provider",
            case.used.wanted,
            context.label(executable)
        )
    };
    let region = case.region(context);
    let mut finding = Finding::new(CheckId::MissingDep, Confidence::Certain, region, message);
    finding.target = Some(user.clone());
    finding.dep = Some(owner.clone());
    finding.module = Some(case.used.wanted.to_string());
    let place = context.graph.definition(case.owner).map(|target| context.call(target));
    finding.evidence.extend(place.map(|region| Evidence {
        path: region.path.to_string(),
        line: region.line,
        text: format!("`{owner}` provides `{}`", case.used.wanted),
    }));
    finding.hint = Some(format!("add `{owner}` to the deps of `{user}`"));
    Some(finding)
}
