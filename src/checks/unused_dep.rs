//! # unused-dep
//!
//! ## What it finds
//!
//! A dependency in `deps` of a Python target of which no source of the target uses anything: no import (type-only ones
//! included), no literal dynamic import, no dotted string that resolves, no entry point, no resource, no `# @manual=`
//! comment. Aliases and libraries without sources stand for what they forward to.
//!
//! ## Why it matters
//!
//! Every build of every executable above waits for it, and every change to it rebuilds and ships them again.
//!
//! ## Example
//!
//! ```python
//! python_library(
//!     name = "trainer",
//!     srcs = ["trainer.py"],          # imports features.store only
//!     deps = [
//!         "//features:store",
//!         "//serving:client",         # unused-dep
//!     ],
//! )
//! ```
//!
//! ## Fix
//!
//! Remove it. Python sees the whole closure of an executable, so another target may lean on the edge; the fix then adds
//! the dependency there, if that is possible, and the edge is not reported if it is not. `certain` findings are safe to
//! fix: everything was read, nothing in any executable above loads modules that cannot be told, and all removals
//! together leave every import of every executable with an owner.
//!
//! To keep it: `# secateur: keep[unused-dep] reason` beside it, or `# @manual`.

use super::context::Context;
use super::edges::EdgeId;
use crate::finding::{Addition, Change, CheckId, Confidence, Evidence, Finding, FixSet, Safety};
use crate::graph::{UseKind, Via};
use crate::source::ProjectPath;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// At most this many sources are listed as evidence.
const MAX_SOURCES: usize = 12;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let removable = &context.outcome.removable;
    let judged: Judged<'_> =
        removable.par_iter().map(|id| (*id, Removable::judge(context, *id))).collect();
    context.reported.par_iter().filter_map(|id| finding(context, &judged, *id)).collect()
}

/// Every edge that can go; findings speak of those of the same literal as well.
type Judged<'a> = BTreeMap<EdgeId, Removable<'a>>;

/// What is known of an edge that can go.
struct Removable<'a> {
    confidence: Confidence,
    /// Dead sources that use what it brings.
    dead: Vec<&'a ProjectPath>,
    additions: Vec<Addition>,
}

impl<'a> Removable<'a> {
    fn judge(context: &Context<'a>, id: EdgeId) -> Self {
        Self {
            confidence: context.removal_confidence(id),
            dead: context.dead_users(id).collect(),
            additions: context.additions_for(id),
        }
    }
}

fn finding(context: &Context<'_>, judged: &Judged<'_>, id: EdgeId) -> Option<Finding> {
    let dep = context.edges.dep(id)?;
    let Removable { confidence, dead, additions } = judged.get(&id)?;
    let to = context.edges.edge(id).to;
    let (from_label, to_label) = (context.label(id.from), context.label(to));
    let living = if dead.is_empty() { "" } else { " alive" };
    let message = format!("nothing{living} in `{from_label}` uses `{to_label}`");
    let mut finding = Finding::new(CheckId::UnusedDep, *confidence, context.dep(id), message);
    finding.target = Some(from_label.clone());
    finding.dep = Some(to_label.clone());
    if context.known.has(&finding) {
        return Some(finding);
    }
    finding.evidence = evidence(context, id, dead);
    for addition in additions {
        finding.evidence.extend(leaning_evidence(context, addition));
    }
    finding.hint = Some(match additions.as_slice() {
        [] => format!("remove `{}`", dep.text),
        [one] => format!("remove `{}` and add `{}` to `{}`", dep.text, one.dep, one.to),
        many => format!(
            "remove `{}` and declare it where it is used ({} targets)",
            dep.text,
            many.len()
        ),
    });
    finding.fix = dep.literal.map(|_| fix(context, judged, id));
    Some(finding)
}

/// The literal goes, and with it every edge that it makes: all of them are unused, and what leans on them is added elsewhere.
fn fix(context: &Context<'_>, judged: &Judged<'_>, id: EdgeId) -> FixSet {
    let edges = context.made_by_the_same_literal(id);
    let all = || edges.iter().filter_map(|id| judged.get(id));
    let is_safe = judged.get(&id).is_some_and(|edge| edge.dead.is_empty())
        && all().count() == edges.len()
        && all().all(|edge| edge.confidence == Confidence::Certain);
    let removals = edges.iter().filter_map(|id| context.removal(*id)).map(Change::RemoveDep);
    let additions = all().flat_map(|edge| &edge.additions).cloned().map(Change::AddDep);
    let deletions = all().flat_map(|edge| &edge.dead);
    let deletions = deletions.map(|path| Change::DeleteFile((*path).clone()));
    let safety = if is_safe { Safety::Safe } else { Safety::Unsafe };
    FixSet::new(safety, removals.chain(additions).chain(deletions))
}

/// What the dependency offers, and what each source uses instead.
fn evidence(context: &Context<'_>, id: EdgeId, dead: &[&ProjectPath]) -> Vec<Evidence> {
    let graph = context.graph;
    let mut evidence = Vec::new();
    let owners = context.edges.stands_for(context.edges.edge(id).to);
    let mut modules: Vec<&str> = owners
        .iter()
        .flat_map(|owner| graph.owners.of_target(*owner))
        .map(|provision| graph.owners.name(provision.name))
        .collect();
    modules.sort_unstable();
    modules.dedup();
    let region = context.dep(id);
    let offers = if modules.is_empty() {
        "provides no modules".to_owned()
    } else {
        format!("provides {}", list(&modules, 4))
    };
    evidence.push(Evidence { path: region.path.to_string(), line: region.line, text: offers });
    let sources = graph
        .owners
        .offer(id.from)
        .provisions
        .clone()
        .filter_map(|at| graph.unit_at(at).zip(graph.owners.provisions()[at].path.as_ref()));
    // A source may go by several names.
    let mut seen = BTreeSet::new();
    for (unit, path) in sources.filter(|(_, path)| seen.insert(*path)).take(MAX_SOURCES) {
        if dead.contains(&path) {
            let text = "is dead: nothing imports, runs or names it; it goes first".to_owned();
            evidence.push(Evidence { path: path.to_string(), line: 1, text });
            continue;
        }
        let mut names: Vec<&str> = unit
            .uses
            .iter()
            .filter(|used| {
                used.via != Via::Implied && used.kind != UseKind::String && used.name.is_some()
            })
            .map(|used| &*used.wanted)
            .collect();
        names.sort_unstable();
        names.dedup();
        let text = if names.is_empty() {
            "imports nothing of this repository".to_owned()
        } else {
            format!("imports {}", list(&names, 5))
        };
        evidence.push(Evidence { path: path.to_string(), line: 1, text });
    }
    evidence.extend(context.unbounded_loader(id.from));
    evidence.extend(context.unread_user(id));
    evidence
}

/// Where a user that leans on the edge imports what it needs.
fn leaning_evidence(
    context: &Context<'_>,
    addition: &crate::finding::Addition,
) -> Option<Evidence> {
    let graph = context.graph;
    let user = graph.targets.find(&addition.to)?;
    let owner = graph.targets.find(&addition.dep)?;
    let uses = &context.edges.uses[user.index()].uses;
    let (path, used) = uses.iter().find(|(_, used)| {
        used.via != Via::Implied
            && used.name.is_some_and(|name| context.edges.provides(owner, name))
    })?;
    let text = format!("`{}` imports `{}` through this edge", addition.to, used.wanted);
    Some(Evidence { path: path.to_string(), line: used.line, text })
}

fn list(names: &[&str], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
