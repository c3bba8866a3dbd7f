//! # stale-keep
//!
//! ## What it finds
//!
//! A `# secateur: keep[…]` comment that suppresses nothing: the finding it was written for is gone, or it names a check
//! that does not exist.
//!
//! ## Why it matters
//!
//! It will hide the next finding in its place, which nobody has judged.
//!
//! ## Example
//!
//! ```python
//! "//features:store",  # secateur: keep[unused-dep] loaded by the plugin host     (and now imported)
//! ```
//!
//! ## Fix
//!
//! Delete the comment. Comments of other tools (`# @manual` and its kin) are never called stale, nor is one with
//! `# secateur: keep[stale-keep]` above it.

use super::context::Context;
use crate::buck::SourceFile;
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Region, Safety};
use crate::python::DirectiveKind;
use crate::source::{ProjectPath, Span};
use rustc_hash::FxHashMap;

/// A comment that silences findings.
struct Keep<'a> {
    path: &'a ProjectPath,
    span: Span,
    line: u32,
    /// The line it speaks of.
    speaks_of: u32,
    checks: Vec<&'a str>,
    build_file: Option<&'a SourceFile>,
    used: bool,
}

/// Takes out the findings that comments silence. Gives the rest, how many went, and findings for comments that silenced none.
pub(super) fn suppress(
    context: &Context<'_>,
    findings: Vec<Finding>,
) -> (Vec<Finding>, usize, Vec<Finding>) {
    let mut keeps = in_build_files(context);
    keeps.extend(in_python(context));
    let mut by_path: FxHashMap<&ProjectPath, Vec<usize>> = FxHashMap::default();
    for (at, keep) in keeps.iter().enumerate() {
        by_path.entry(keep.path).or_default().push(at);
    }
    let mut kept = Vec::with_capacity(findings.len());
    let mut suppressed = 0;
    for finding in findings {
        let candidates = by_path.get(&finding.region.path).map_or(&[][..], Vec::as_slice);
        let silencing = candidates.iter().find(|at| silences(&keeps[**at], &finding));
        match silencing {
            Some(at) => {
                keeps[*at].used = true;
                suppressed += 1;
            }
            None => kept.push(finding),
        }
    }
    let unused = keeps.iter().filter(|keep| !keep.used).count();
    let left = without_excused(&mut keeps);
    // Those that do excuse another are used now.
    let excusing = unused - keeps.iter().filter(|keep| !keep.used).count();
    suppressed += unused - excusing - left.len();
    let stale = left.into_iter().map(|at| stale(context, &keeps[at]));
    (kept, suppressed, stale.collect())
}

fn in_build_files<'a>(context: &Context<'a>) -> Vec<Keep<'a>> {
    let files = context.graph.evaluation.files.iter();
    let keeps = files.flat_map(|file| {
        file.directives().keeps.iter().map(move |keep| Keep {
            path: file.path(),
            span: keep.span,
            line: keep.line,
            speaks_of: keep.speaks_of,
            checks: keep.checks.iter().map(|check| &**check).collect(),
            build_file: Some(file),
            used: false,
        })
    });
    keeps.collect()
}

fn in_python<'a>(context: &Context<'a>) -> Vec<Keep<'a>> {
    let mut keeps = Vec::new();
    for (_, file) in context.graph.files.iter() {
        for directive in &file.facts.directives {
            let DirectiveKind::Keep { checks, .. } = &directive.kind else { continue };
            keeps.push(Keep {
                path: &file.path,
                span: directive.span,
                line: directive.line,
                speaks_of: directive.speaks_of,
                checks: checks.iter().map(|check| &**check).collect(),
                build_file: None,
                used: false,
            });
        }
    }
    keeps
}

fn silences(keep: &Keep<'_>, finding: &Finding) -> bool {
    let named = keep.checks.is_empty() || keep.checks.contains(&finding.check.as_str());
    if !named {
        return false;
    }
    // Beside what is meant, above it, or anywhere in a file that is meant as a whole.
    keep.speaks_of == finding.region.line
        || finding.check.is_about_file() && keep.build_file.is_none()
}

/// Takes out the comments that another one, which names this check, says to leave alone.
fn without_excused(keeps: &mut [Keep<'_>]) -> Vec<usize> {
    let names_us = |keep: &Keep<'_>| keep.checks.contains(&CheckId::StaleKeep.as_str());
    let (excuses, stale): (Vec<usize>, Vec<usize>) =
        (0..keeps.len()).filter(|at| !keeps[*at].used).partition(|at| names_us(&keeps[*at]));
    let mut left = Vec::new();
    for at in stale {
        let excuse = excuses.iter().find(|excuse| {
            let (excuse, keep) = (&keeps[**excuse], &keeps[at]);
            excuse.path == keep.path && excuse.speaks_of == keep.speaks_of
        });
        match excuse {
            Some(excuse) => keeps[*excuse].used = true,
            None => left.push(at),
        }
    }
    left.extend(excuses.into_iter().filter(|at| !keeps[*at].used));
    left.sort_unstable();
    left
}

fn stale(context: &Context<'_>, keep: &Keep<'_>) -> Finding {
    let unknown = keep.checks.iter().find(|check| CheckId::parse(check).is_none());
    let message = match unknown {
        Some(check) => format!("there is no check `{check}`"),
        None => "suppresses nothing".to_owned(),
    };
    let region = match keep.build_file {
        Some(file) => context.build_region(file.path(), keep.span),
        None => Region::line(keep.path.clone(), keep.line),
    };
    let mut finding = Finding::new(CheckId::StaleKeep, Confidence::Certain, region, message);
    if let Some((target, dep)) = beside(context, keep) {
        finding.target = Some(target);
        finding.dep = dep;
    }
    let change = Change::RemoveComment(keep.path.clone(), keep.span);
    finding.fix = Some(FixSet::new(Safety::Safe, [change]));
    finding.hint = Some("delete the comment".to_owned());
    finding
}

/// The dependency on the line that a comment speaks of, else the target around it.
fn beside(
    context: &Context<'_>,
    keep: &Keep<'_>,
) -> Option<(crate::label::Label, Option<crate::label::Label>)> {
    let file = keep.build_file?;
    let mut around = None;
    for (_, target) in context.defined() {
        for dep in &target.deps {
            let Some(literal) = dep.literal else { continue };
            let place = context.graph.evaluation.place(literal);
            if place.path == *keep.path && file.lines().line(place.span.start) == keep.speaks_of {
                return Some((target.label.clone(), Some(dep.to.clone())));
            }
        }
        let place = &target.place;
        if place.path == *keep.path && place.span.range().contains(&(keep.span.start as usize)) {
            around = Some((target.label.clone(), None));
        }
    }
    around
}
