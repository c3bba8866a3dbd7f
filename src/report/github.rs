//! Workflow commands of GitHub Actions. Writes only to the writer it is given.
//!
//! Names and escapes are those of `@actions/core`, see
//! <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.

use super::{count, harmless, problem_place};
use crate::finding::{Evidence, Finding, Report, Severity};
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{self, Write};

/// A step has so many annotations of each kind; what comes after is only in the log.
const MAX_ANNOTATIONS: usize = 10;
/// More evidence than this is left to other formats.
const MAX_EVIDENCE: usize = 3;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    // First what matters most, because GitHub cuts off the end.
    let mut findings: Vec<(usize, &Finding)> = report.findings.iter().enumerate().collect();
    findings.sort_by_key(|(_, finding)| Reverse((finding.severity, finding.confidence)));
    if let Some(text) = left_out(report) {
        writeln!(out, "::notice title=secateur::{}", data(&text))?;
    }
    if let Some(text) = unread(report) {
        writeln!(out, "::warning title=secateur::{}", data(&text))?;
    }
    for (at, finding) in findings {
        writeln!(
            out,
            "::{} {}::{}",
            level(finding.severity),
            properties(report, finding),
            data(&message(finding, report.owner(at)))
        )?;
    }
    Ok(())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

/// How many findings GitHub does not show beside the lines, if there are any.
fn left_out(report: &Report) -> Option<String> {
    let of = |severity| report.findings.iter().filter(|it| it.severity == severity).count();
    let errors = of(Severity::Error).saturating_sub(MAX_ANNOTATIONS);
    // What could not be read takes the place of one.
    let warnings = of(Severity::Warning) + usize::from(!report.is_complete());
    let warnings = warnings.saturating_sub(MAX_ANNOTATIONS);
    // This line takes the place of one.
    let notes = match of(Severity::Note) {
        number if errors + warnings > 0 => (number + 1).saturating_sub(MAX_ANNOTATIONS),
        number if number > MAX_ANNOTATIONS => number + 1 - MAX_ANNOTATIONS,
        _ => 0,
    };
    (errors + warnings + notes > 0).then(|| {
        format!(
            "{} of {} are only in the log of this step: GitHub shows {MAX_ANNOTATIONS} errors, \
             {MAX_ANNOTATIONS} warnings and {MAX_ANNOTATIONS} notices of a step beside the lines",
            errors + warnings + notes,
            count(report.findings.len(), "finding"),
        )
    })
}

/// Why a run may fail though nothing is found.
fn unread(report: &Report) -> Option<String> {
    let mut problems = report.problems.iter().filter(|problem| problem.costs_targets());
    let first = problems.next().map(|problem| {
        format!(", first {}: {}", problem_place(report, problem), harmless(&problem.message))
    });
    let first = first.unwrap_or_default();
    (!report.is_complete()).then(|| format!("part of the repository could not be read{first}"))
}

fn properties(report: &Report, finding: &Finding) -> String {
    let region = &finding.region;
    let path = report.in_repository(region.path.as_str());
    let (line, end_line) = (region.line.max(1), region.end_line.max(1));
    let title = property(&format!("secateur: {}", finding.check.as_str()));
    let mut text = format!("title={title},file={},line={line},endLine={end_line}", property(&path));
    // Columns are only taken where they are of one line.
    if line == end_line && region.span.start < region.span.end {
        let _ = write!(text, ",col={},endColumn={}", region.column, region.end_column);
    }
    text
}

fn message(finding: &Finding, owner: Option<&str>) -> String {
    let mut lines =
        vec![format!("{} ({})", harmless(&finding.message), finding.confidence.as_str())];
    let evidence = finding.evidence.iter().take(MAX_EVIDENCE);
    lines.extend(evidence.map(|Evidence { path, line, text }| {
        format!("{}:{line}: {}", harmless(path), harmless(text))
    }));
    if let Some(more) = finding.evidence.len().checked_sub(MAX_EVIDENCE).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    lines.extend(finding.hint.as_ref().map(|hint| format!("help: {}", harmless(hint))));
    lines.extend(owner.map(|owner| format!("owner: {}", harmless(owner))));
    lines.join("\n")
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
