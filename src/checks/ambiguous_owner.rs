//! # ambiguous-owner
//!
//! ## What it finds
//!
//! One module path that two targets provide, with both in the closure of one executable. Branches of one `select` are
//! never in one build together and do not count; neither does a stub beside its module.
//!
//! ## Why it matters
//!
//! With two different files Buck2 refuses the build; with one file twice it is built and checked twice, and no tool can
//! tell which dependency an import means.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "util", srcs = ["util.py"])
//! python_library(name = "all", srcs = glob(["*.py"]))      # util.py again
//! ```
//!
//! ## Fix
//!
//! Leave the file in one target, and let the other depend on it.

use super::context::Context;
use crate::finding::{CheckId, Confidence, Evidence, Finding, Severity};
use crate::graph::{Provision, TargetId};
use std::collections::{BTreeMap, BTreeSet};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    let mut by_module: BTreeMap<&str, Vec<&Provision>> = BTreeMap::new();
    for provision in graph.owners.provisions() {
        let first_party = provision.path.is_some() && !provision.is_prefix;
        if first_party && !provision.type_only {
            by_module.entry(graph.owners.name(provision.name)).or_default().push(provision);
        }
    }
    let mut findings = Vec::new();
    for (module, mut provisions) in by_module {
        provisions.sort_by_key(|provision| context.label(provision.target));
        provisions.dedup_by_key(|provision| (provision.target, provision.path.clone()));
        let pairs = pairs(context, &provisions).into_iter();
        let mut pairs = pairs.map(|(first, second)| (provisions[first], provisions[second]));
        let clash = |first: &Provision, second: &Provision| {
            first.target == second.target || !are_alternatives(context, first.target, second.target)
        };
        if let Some((first, second)) = pairs.find(|(a, b)| clash(a, b)) {
            findings.extend(finding(context, module, first, second, &provisions));
        }
    }
    findings
}

/// The pairs, by position, that one target or some executable holds. Few files have two owners, and fewer of them meet.
fn pairs(context: &Context<'_>, provisions: &[&Provision]) -> BTreeSet<(usize, usize)> {
    if provisions.len() < 2 {
        return BTreeSet::new();
    }
    let closures = context.executables.closures.iter();
    let together: BTreeSet<Vec<usize>> = closures
        .map(|closure| {
            let held = |at: &usize| closure.contains(provisions[*at].target.index());
            (0..provisions.len()).filter(held).collect()
        })
        .collect();
    let neighbours = (1..provisions.len()).map(|at| (at - 1, at));
    let twice = neighbours.filter(|(a, b)| provisions[*a].target == provisions[*b].target);
    let mut pairs: BTreeSet<(usize, usize)> = twice.collect();
    for held in &together {
        for (at, second) in held.iter().enumerate() {
            pairs.extend(held[..at].iter().map(|first| (*first, *second)));
        }
    }
    pairs
}

/// Whether every target that depends on both has them in different branches of a `select`.
fn are_alternatives(context: &Context<'_>, first: TargetId, second: TargetId) -> bool {
    let mut any = false;
    for (id, target) in context.defined() {
        let branch_of = |wanted: TargetId| {
            let edges = context.graph.targets.node(id).edges.iter();
            let dep =
                edges.filter(|edge| edge.to == wanted).find_map(|edge| target.deps.get(edge.dep));
            dep.map(|dep| dep.branch.clone())
        };
        match (branch_of(first), branch_of(second)) {
            (Some(Some(a)), Some(Some(b))) if a != b => any = true,
            (Some(_), Some(_)) => return false,
            _ => {}
        }
    }
    any
}

fn finding(
    context: &Context<'_>,
    module: &str,
    first: &Provision,
    second: &Provision,
    all: &[&Provision],
) -> Option<Finding> {
    let target = context.graph.definition(second.target)?;
    let (first_label, second_label) = (context.label(first.target), context.label(second.target));
    let same_file = first.path == second.path;
    let message = if first.target == second.target {
        format!("`{second_label}` provides `{module}` twice")
    } else if same_file {
        format!("`{second_label}` and `{first_label}` provide `{module}` from the same file")
    } else {
        format!("`{second_label}` and `{first_label}` provide `{module}` from different files")
    };
    let region = context.call(target);
    // Bazel puts the file in its place once, and targets of different extent often share it on purpose.
    let is_harmless = same_file && context.workspace.cells.is_bazel();
    let confidence = if is_harmless { Confidence::Likely } else { Confidence::Certain };
    let mut finding = Finding::new(CheckId::AmbiguousOwner, confidence, region, message);
    if !same_file {
        finding.severity = Severity::Error;
    }
    finding.target = Some(second_label.clone());
    finding.dep = Some(first_label.clone());
    finding.module = Some(module.to_owned());
    finding.evidence = all
        .iter()
        .filter_map(|provision| {
            let path = provision.path.as_ref()?.to_string();
            let text = format!("`{}` has it as `{module}`", context.label(provision.target));
            Some(Evidence { path, line: 1, text })
        })
        .collect();
    finding.hint = Some("leave the file in one of them, and let the other depend on it".to_owned());
    Some(finding)
}
