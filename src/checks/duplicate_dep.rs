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
//! Remove one of them: the second, or the one that serves this target alone. What a constant or macro gives to several
//! targets is reported once, as `likely`, and only if it is there twice for each of them.

use super::ground::Ground;
use crate::buck::{Dep, LiteralId, Target};
use crate::finding::{Change, CheckId, Confidence, Evidence, Finding, FixSet, Removal, Safety};
use rustc_hash::{FxHashMap, FxHashSet};

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let literals = Literals::count(ground);
    let mut reported: FxHashSet<LiteralId> = FxHashSet::default();
    let mut findings = Vec::new();
    for (_, target) in ground.defined() {
        for (at, dep) in target.deps.iter().enumerate() {
            let Some(earlier) = target.deps[..at].iter().find(|earlier| is_same(earlier, dep))
            else {
                continue;
            };
            let pairs = [(dep, earlier), (earlier, dep)];
            let can_go = |(dep, other): &&(&Dep, &Dep)| {
                is_redundant(dep, other)
                    && literals.can_go(dep)
                    && other.literal.is_none_or(|other| !reported.contains(&other))
            };
            let Some((dep, other)) = pairs.iter().find(can_go) else { continue };
            let Some(literal) = dep.literal else { continue };
            if reported.insert(literal) {
                findings.extend(finding(ground, target, dep, other, &literals));
            }
        }
    }
    findings
}

fn finding(
    ground: &Ground<'_>,
    target: &Target,
    dep: &Dep,
    other: &Dep,
    literals: &Literals,
) -> Option<Finding> {
    let message = format!("`{}` is in `{}` twice", dep.to, dep.attr);
    let shared = literals.is_shared(dep);
    let region = ground.literal(dep.literal?);
    let confidence = if shared { Confidence::Likely } else { Confidence::Certain };
    let mut finding = Finding::new(CheckId::DuplicateDep, confidence, region, message);
    finding.target = Some(target.label.clone());
    finding.dep = Some(dep.to.clone());
    let place = ground.literal(other.literal?);
    let text = "is there already".to_owned();
    finding.evidence.push(Evidence { path: place.path.to_string(), line: place.line, text });
    finding.hint = Some(format!("remove `{}`", dep.text));
    let safety = if shared { Safety::Unsafe } else { Safety::Safe };
    let removals = Literals::made_by(ground, dep).map(Change::RemoveDep);
    finding.fix = Some(FixSet::new(safety, removals));
    Some(finding)
}

/// How many dependencies each literal makes, and how many of those are there by another literal too.
#[derive(Default)]
struct Literals(FxHashMap<LiteralId, (usize, usize)>);

impl Literals {
    fn count(ground: &Ground<'_>) -> Self {
        let mut counts = Self::default();
        for (_, target) in ground.defined() {
            for dep in &target.deps {
                let Some(literal) = dep.literal else { continue };
                let twice = target.deps.iter().any(|o| is_same(o, dep) && is_redundant(dep, o));
                let (all, redundant) = counts.0.entry(literal).or_default();
                *all += 1;
                *redundant += usize::from(twice);
            }
        }
        counts
    }

    /// Whether no target would miss the literal.
    fn can_go(&self, dep: &Dep) -> bool {
        let counts = dep.literal.and_then(|literal| self.0.get(&literal));
        counts.is_some_and(|(all, redundant)| all == redundant)
    }

    /// Every dependency that the literal of one makes.
    fn made_by<'a>(ground: &'a Ground<'_>, dep: &'a Dep) -> impl Iterator<Item = Removal> + 'a {
        ground
            .defined()
            .flat_map(|(_, target)| target.deps.iter().map(move |d| (target, d)))
            .filter(|(_, other)| other.literal == dep.literal)
            .map(|(target, dep)| Removal {
                from: target.label.clone(),
                to: dep.to.clone(),
                attr: dep.attr.clone(),
                literal: dep.literal,
            })
    }

    fn is_shared(&self, dep: &Dep) -> bool {
        dep.literal.and_then(|literal| self.0.get(&literal)).is_some_and(|(all, _)| *all > 1)
    }
}

/// The same dependency of the same attribute, written elsewhere. A literal that a loop uses twice is not written twice.
fn is_same(one: &Dep, other: &Dep) -> bool {
    // Names differ at their ends first.
    one.to.name == other.to.name
        && one.to == other.to
        && one.sub_target == other.sub_target
        && one.attr == other.attr
        && !matches!(&*one.attr, "srcs" | "resources")
        && !one.in_string
        && !other.in_string
        && one.literal.is_some()
        && other.literal.is_some()
        && one.literal != other.literal
}

/// Whether `other` is there wherever `dep` is.
fn is_redundant(dep: &Dep, other: &Dep) -> bool {
    other.branch.is_none() || other.branch == dep.branch
}
