//! # missing-dep
//!
//! ## What it finds
//!
//! An import of a module that some target provides, where an executable that runs the import has no provider of the
//! module in its closure. `certain` ones fail when the executable starts; `likely` ones when something is called, or in
//! libraries that no program here has. Imports guarded by `except ImportError`, and those in a module's `__getattr__`, are
//! optional and never missing.
//!
//! ## Why it matters
//!
//! The import fails when it is reached.
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
use super::transitive_dep::{Undeclared, Without};
use crate::finding::{CheckId, Confidence, Evidence, Finding};
use crate::graph::{Resolution, TargetId, Via};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    context.undeclared.iter().filter_map(|case| finding(context, case)).collect()
}

/// How sure it is that an executable lacks a provider. What is not on disk brings modules that nobody here can see: other
/// people's, or our own where a part of the repository was left behind.
fn confidence(
    context: &Context<'_>,
    case: &Undeclared<'_>,
    without: Without,
) -> Option<Confidence> {
    let graph = context.graph;
    let is_exported = context.workspace.settings.project.preset.is_some();
    let held = || context.executables.closures[without.at].ones().map(crate::graph::target_at);
    let was_left_behind = |id: TargetId| {
        is_exported && graph.targets.resolution(context.label(id)) == Resolution::Broken
    };
    let is_unseen = |id: TargetId| {
        let definition = graph.definition(id);
        definition.is_none_or(|target| target.attr("external_deps").is_some())
    };
    let name = case.used.name;
    let ours = name.is_some_and(|name| graph.owners.providers(name).any(|p| p.first_party));
    if !ours && held().any(is_unseen) {
        return None;
    }
    let sure = without.fails_at_start && !held().any(was_left_behind);
    Some(if sure { Confidence::Certain } else { Confidence::Likely })
}

fn finding(context: &Context<'_>, case: &Undeclared<'_>) -> Option<Finding> {
    let without = case.without?;
    // An attribute that no import has loaded may have been set by hand.
    if case.used.via == Via::SideEffect {
        return None;
    }
    let confidence = confidence(context, case, without)?;
    let user = context.label(case.user);
    let owner = context.label(case.owner);
    let executable = context.executables.tops[without.at];
    let message = if executable == case.user {
        format!("`{user}` imports `{}` but nothing it depends on provides it", case.used.wanted)
    } else {
        format!(
            "`{user}` imports `{}`, which nothing in `{}` provides",
            case.used.wanted,
            context.label(executable)
        )
    };
    let mut finding = case.outline(context, CheckId::MissingDep, confidence, message);
    if context.known.has(&finding) {
        return Some(finding);
    }
    finding.region = case.region(context);
    let place = context.graph.definition(case.owner).map(|target| context.call(target));
    finding.evidence.extend(place.map(|region| Evidence {
        path: region.path.to_string(),
        line: region.line,
        text: format!("`{owner}` provides `{}`", case.used.wanted),
    }));
    finding.hint = Some(case.hint(context));
    finding.fix = case.fix(context);
    Some(finding)
}
