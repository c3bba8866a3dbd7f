//! # broken-label
//!
//! ## What it finds
//!
//! A dependency or source whose label lies in this repository and that no build file defines. Labels into cells that are
//! not on disk and into packages of which a part could not be read are left out. In a branch of a `select` it is `likely`
//! only: Buck2 does not look into branches that are not taken.
//!
//! ## Why it matters
//!
//! The target cannot be built.
//!
//! ## Example
//!
//! ```python
//! deps = ["//features:stroe"]         # there is //features:store
//! ```
//!
//! ## Fix
//!
//! Correct the label or remove it.

use super::ground::Ground;
use crate::buck::{self, LiteralId};
use crate::finding::{CheckId, Confidence, Finding};
use crate::graph::Resolution;
use crate::label::Label;
use rustc_hash::FxHashSet;

/// Names further from the label than this are no suggestion.
const MAX_DISTANCE: usize = 3;

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // One literal is one mistake, however many targets a loop makes of it.
    let mut literals: FxHashSet<LiteralId> = FxHashSet::default();
    for (_, target) in ground.defined() {
        let mut reported: Vec<(&Label, Option<LiteralId>)> = Vec::new();
        for dep in &target.deps {
            let broken = ground.graph.targets.resolution(&dep.to) == Resolution::Broken;
            // What a rule has by itself is written nowhere.
            if !broken || dep.is_implicit() || reported.contains(&(&dep.to, dep.literal)) {
                continue;
            }
            // A label that a macro made up is that macro's, and in an exported tree the macro is only a stand-in.
            let written = dep.literal.filter(|literal| {
                let text = &ground.graph.evaluation.literal(*literal).text;
                let package = &target.label.package;
                let label = buck::parse_label(text, package, &ground.workspace.cells);
                label.is_some_and(|label| label.label == dep.to)
            });
            let is_exported = ground.workspace.settings.project.preset.is_some();
            if written.is_none() && is_exported {
                continue;
            }
            if dep.literal.is_some_and(|literal| !literals.insert(literal)) {
                continue;
            }
            reported.push((&dep.to, dep.literal));
            let region = match dep.literal {
                Some(literal) => ground.literal(literal),
                None => ground.call(target),
            };
            let message = format!("no build file defines `{}`", dep.to);
            // Buck2 does not look into a branch that is not taken.
            // An exported tree lacks what was left behind, and what its macros make may differ from what the stand-ins do.
            let sure = !is_exported && dep.branch.is_none() && (written.is_some() || dep.in_string);
            let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
            let mut finding = Finding::new(CheckId::BrokenLabel, confidence, region, message);
            finding.target = Some(target.label.clone());
            finding.dep = Some(dep.to.clone());
            finding.hint = Some(match similar(ground, &dep.to) {
                Some(name) => format!("did you mean `{}:{name}`?", dep.to.package),
                None => "correct the label, or remove it".to_owned(),
            });
            findings.push(finding);
        }
    }
    findings
}

fn similar(ground: &Ground<'_>, label: &Label) -> Option<String> {
    let package = ground.graph.evaluation.packages.iter().find(|p| p.id == label.package)?;
    let names = package.targets.iter().map(|target| &*target.label.name);
    let near = names.map(|name| (strsim::levenshtein(name, &label.name), name));
    let (_, name) = near.filter(|(distance, _)| *distance <= MAX_DISTANCE).min()?;
    Some(name.to_owned())
}
