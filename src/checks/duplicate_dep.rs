//! # duplicate-dep
//!
//! ## What it finds
//!
//! The same target twice in one attribute, in whatever spelling: `:x`, `//pkg:x` and `cell//pkg:x` are one. Two branches
//! of one `select` may both name it; a branch and the unconditional part may not.
//!
//! ## Why it matters
//!
//! Removing one of them changes nothing, which makes the next clean-up look broken.
//!
//! ## Example
//!
//! ```python
//! deps = [":store", "//features:store"]
//! ```
//!
//! ## Fix
//!
//! Remove the second. Always safe.

use super::context::Context;
use crate::buck::Dep;
use crate::finding::{CheckId, Confidence, Evidence, Finding, FixSet, Removal, Safety};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, target) in context.defined() {
        for (at, dep) in target.deps.iter().enumerate() {
            let earlier = target.deps[..at].iter().find(|earlier| repeats(earlier, dep));
            let (Some(first), Some(literal)) = (earlier.and_then(|dep| dep.literal), dep.literal)
            else {
                continue;
            };
            let message = format!("`{}` is in `{}` twice", dep.to, dep.attr);
            let region = context.literal(literal);
            let mut finding =
                Finding::new(CheckId::DuplicateDep, Confidence::Certain, region, message);
            finding.target = Some(target.label.clone());
            finding.dep = Some(dep.to.clone());
            let place = context.literal(first);
            let text = "is there already".to_owned();
            finding.evidence.push(Evidence {
                path: place.path.to_string(),
                line: place.line,
                text,
            });
            finding.hint = Some(format!("remove `{}`", dep.text));
            finding.fix = Some(FixSet {
                safety: Safety::Safe,
                removals: vec![Removal {
                    from: target.label.clone(),
                    to: dep.to.clone(),
                    attr: dep.attr.clone(),
                    literal: dep.literal,
                }],
                additions: Vec::new(),
            });
            findings.push(finding);
        }
    }
    findings
}

/// Whether `dep` adds nothing to `earlier`. A literal that a loop uses twice is not written twice.
fn repeats(earlier: &Dep, dep: &Dep) -> bool {
    let may_meet = earlier.branch == dep.branch || earlier.branch.is_none() || dep.branch.is_none();
    earlier.to == dep.to
        && earlier.sub_target == dep.sub_target
        && earlier.attr == dep.attr
        && &*dep.attr != "srcs"
        && &*dep.attr != "resources"
        && !earlier.in_string
        && !dep.in_string
        && earlier.literal != dep.literal
        && may_meet
}
