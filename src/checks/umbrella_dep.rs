//! # umbrella-dep
//!
//! ## What it finds
//!
//! A dependency on a library without sources that forwards to several targets, of which only some are used.
//!
//! ## Why it matters
//!
//! The rest is built and shipped for nothing, and a change to any part rebuilds the user.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "all_models", deps = [":bert", ":gpt", ":vit"])
//! python_library(name = "eval", srcs = ["eval.py"], deps = [":all_models"])   # imports bert only
//! ```
//!
//! ## Fix
//!
//! Depend on the parts that are used. Never applied without you: collections are often meant as such.

use super::context::Context;
use super::edges::{EdgeId, Usage};
use crate::finding::{Change, CheckId, Confidence, Evidence, Finding, FixSet, Safety};
use crate::graph::{Kind, TargetId};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let used = context.edges.usages().filter(|(_, usage)| **usage == Usage::Used);
    used.filter_map(|(id, _)| finding(context, id)).collect()
}

fn finding(context: &Context<'_>, id: EdgeId) -> Option<Finding> {
    let to = context.edges.edge(id).to;
    if context.graph.targets.node(to).kind != Kind::PythonLibrary || !context.is_live(id.from) {
        return None;
    }
    let parts = context.edges.stands_for(to);
    if parts.len() < 2 {
        return None;
    }
    let uses = &context.edges.uses[id.from.index()].by_name;
    let is_used = |part: &TargetId| {
        let provisions = context.graph.owners.of_target(*part);
        provisions.iter().any(|provision| uses.contains_key(&provision.name))
    };
    let (used, idle): (Vec<TargetId>, Vec<TargetId>) = parts.iter().copied().partition(is_used);
    if used.is_empty() || idle.is_empty() {
        return None;
    }
    let (from_label, to_label) = (context.label(id.from), context.label(to));
    let message = format!(
        "`{from_label}` uses {} of the {} targets behind `{to_label}`",
        used.len(),
        parts.len()
    );
    let region = context.dep(id);
    let mut finding = Finding::new(CheckId::UmbrellaDep, Confidence::Likely, region, message);
    finding.target = Some(from_label.clone());
    finding.dep = Some(to_label.clone());
    let describe = |part: &TargetId, what: &str| Evidence {
        path: finding.region.path.to_string(),
        line: finding.region.line,
        text: format!("`{}` is {what}", context.label(*part)),
    };
    let evidence = used.iter().map(|part| describe(part, "used"));
    finding.evidence = evidence.chain(idle.iter().map(|part| describe(part, "not used"))).collect();
    let names: Vec<String> =
        used.iter().map(|part| format!("`{}`", context.label(*part))).collect();
    finding.hint = Some(format!("depend on {} instead", names.join(", ")));
    let labels = used.iter().map(|part| context.label(*part).clone()).collect();
    let removal = context.removal(id).filter(|removal| removal.literal.is_some());
    let change = removal.map(|removal| Change::ReplaceDep(removal, labels));
    finding.fix = change.map(|change| FixSet::new(Safety::Unsafe, [change]));
    Some(finding)
}
