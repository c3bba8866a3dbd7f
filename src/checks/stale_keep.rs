//! # stale-keep
//!
//! ## What it finds
//!
//! A `# secateur: keep[…]` comment that suppresses nothing: the finding it was written for is gone, or it names a check
//! that does not exist. Also one that suppresses something and gives no reason, unless `[lint] keep-reason` is
//! `"optional"`.
//!
//! ## Why it matters
//!
//! It will hide the next finding in its place, which nobody has judged. Without a reason nobody can tell whether the
//! finding may still stay.
//!
//! ## Example
//!
//! ```python
//! "//features:store",  # secateur: keep[unused-dep] loaded by the plugin host     (and now imported)
//! ```
//!
//! ## Fix
//!
//! Delete the comment, correct the name, or say why. Comments of other tools (`# @manual` and its kin) are never called stale, nor is one with
//! `# secateur: keep[stale-keep]` above it.

use super::context::Context;
use crate::buck::SourceFile;
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Region, Safety};
use crate::python::DirectiveKind;
use crate::source::{ProjectPath, Span};
use crate::workspace::KeepReason;
use rustc_hash::FxHashMap;

/// A comment that silences findings.
struct Keep<'a> {
    path: &'a ProjectPath,
    span: Span,
    line: u32,
    /// The line it speaks of.
    speaks_of: u32,
    checks: Vec<&'a str>,
    has_reason: bool,
    build_file: Option<&'a SourceFile>,
    /// Literals on other lines that it speaks of: it stands behind the bracket of a list of one.
    literals: Vec<Span>,
    used: bool,
}

/// What is wrong with a comment.
enum Fault<'a> {
    /// There is nothing that it silences.
    Stale,
    /// It names something that is no check.
    Unknown(&'a str),
    /// It does not say why.
    Unreasoned,
}

/// Takes out the findings that comments silence, and adds those for comments that are not as they should be. Gives how many
/// are silenced.
pub(super) fn suppress(context: &Context<'_>, findings: &mut Vec<Finding>) -> usize {
    let mut keeps = in_build_files(context);
    keeps.extend(in_python(context));
    let mut by_path: FxHashMap<&ProjectPath, Vec<usize>> = FxHashMap::default();
    for (at, keep) in keeps.iter().enumerate() {
        by_path.entry(keep.path).or_default().push(at);
    }
    let before = findings.len();
    findings.retain(|finding| {
        let candidates = by_path.get(&finding.region.path).map_or(&[][..], Vec::as_slice);
        let silencing = candidates.iter().find(|at| silences(&keeps[**at], finding));
        silencing.map(|at| keeps[*at].used = true).is_none()
    });
    let suppressed = before - findings.len();
    let (faults, excused) = faults(context, &mut keeps);
    findings.extend(faults.into_iter().map(|(at, fault)| finding(context, &keeps[at], &fault)));
    suppressed + excused
}

fn in_build_files<'a>(context: &Context<'a>) -> Vec<Keep<'a>> {
    let files = context.graph.evaluation.files.iter();
    let keeps = files.flat_map(|file| {
        file.directives().keeps.iter().zip(0..).map(move |(keep, at)| Keep {
            path: file.path(),
            span: keep.span,
            line: keep.line,
            speaks_of: keep.speaks_of,
            checks: keep.checks.iter().map(|check| &**check).collect(),
            has_reason: !keep.reason.is_empty(),
            build_file: Some(file),
            literals: literals(file, at),
            used: false,
        })
    });
    keeps.collect()
}

fn literals(file: &SourceFile, keep: u32) -> Vec<Span> {
    let literals = file.literals().iter().filter(|literal| literal.keep == Some(keep));
    literals.map(|literal| literal.span).collect()
}

fn in_python<'a>(context: &Context<'a>) -> Vec<Keep<'a>> {
    let mut keeps = Vec::new();
    for (_, file) in context.graph.files.iter() {
        for directive in &file.facts.directives {
            let DirectiveKind::Keep { checks, reason } = &directive.kind else { continue };
            keeps.push(Keep {
                path: &file.path,
                span: directive.span,
                line: directive.line,
                speaks_of: directive.speaks_of,
                checks: checks.iter().map(|check| &**check).collect(),
                has_reason: !reason.is_empty(),
                build_file: None,
                literals: Vec::new(),
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
        || keep.literals.contains(&finding.region.span)
        || finding.check.is_about_file() && keep.build_file.is_none()
}

/// What is wrong with which comment, but for those that another one, which names this check, says to leave alone; these are
/// counted.
fn faults<'a>(context: &Context<'_>, keeps: &mut [Keep<'a>]) -> (Vec<(usize, Fault<'a>)>, usize) {
    let needs_reason = context.workspace.settings.lint.keep_reason == KeepReason::Required;
    let (excuses, others): (Vec<usize>, Vec<usize>) =
        (0..keeps.len()).partition(|at| keeps[*at].checks.contains(&CheckId::StaleKeep.as_str()));
    let (mut faults, mut excused) = (Vec::new(), 0);
    for at in others {
        let keep = &keeps[at];
        let Some(fault) = fault(keep, needs_reason) else { continue };
        let is_meant = |excuse: &&usize| {
            let excuse = &keeps[**excuse];
            excuse.path == keep.path && excuse.speaks_of == keep.speaks_of
        };
        match excuses.iter().find(is_meant) {
            Some(excuse) => {
                keeps[*excuse].used = true;
                excused += 1;
            }
            None => faults.push((at, fault)),
        }
    }
    // Which of these are of use is known only now.
    let excuses = excuses.into_iter();
    faults.extend(excuses.filter_map(|at| Some((at, fault(&keeps[at], needs_reason)?))));
    (faults, excused)
}

fn fault<'a>(keep: &Keep<'a>, needs_reason: bool) -> Option<Fault<'a>> {
    let unknown = keep.checks.iter().find(|check| CheckId::parse(check).is_none());
    match unknown {
        Some(check) => Some(Fault::Unknown(check)),
        None if !keep.used => Some(Fault::Stale),
        None => (needs_reason && !keep.has_reason).then_some(Fault::Unreasoned),
    }
}

fn finding(context: &Context<'_>, keep: &Keep<'_>, fault: &Fault<'_>) -> Finding {
    let (message, hint) = match fault {
        Fault::Stale => ("suppresses nothing".to_owned(), None),
        Fault::Unknown(check) => {
            let nearest = CheckId::nearest(check);
            let hint = nearest.map(|check| format!("did you mean `{}`?", check.as_str()));
            let hint = hint.or_else(|| keep.used.then(|| "take its name out".to_owned()));
            (format!("there is no check `{check}`"), hint)
        }
        Fault::Unreasoned => {
            let hint = "say behind it why the finding stays".to_owned();
            ("gives no reason".to_owned(), Some(hint))
        }
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
    if hint.is_none() {
        let change = Change::RemoveComment(keep.path.clone(), keep.span);
        finding.fix = Some(FixSet::new(Safety::Safe, [change]));
    }
    finding.hint = Some(hint.unwrap_or_else(|| "delete the comment".to_owned()));
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
            let line = file.lines().line(place.span.start);
            let is_meant = line == keep.speaks_of || keep.literals.contains(&place.span);
            if place.path == *keep.path && is_meant {
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
