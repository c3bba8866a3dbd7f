//! The end of a text report: counts, how much was read, what could not be. Writes only to the writer it is given.

use super::{Look, Verbosity, count, grouped, harmless};
use crate::finding::{Baselined, Coverage, Report, Safety, Severity, Since};
use crate::source::{Problem, ProblemKind};
use annotate_snippets::renderer::Style;
use std::collections::BTreeMap;
use std::io::{self, Write};

pub(super) fn render(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    checks(report, out)?;
    writeln!(out, "{}", look.paint(Style::new().bold(), findings(report)))?;
    if let Some(baselined) = &report.baseline {
        writeln!(out, "{}", baseline(baselined))?;
    }
    if let Some(since) = &report.since {
        writeln!(out, "{}", since_revision(since))?;
        if since.unchanged.is_none() {
            return Ok(());
        }
    }
    writeln!(out, "{}", coverage(report.coverage))?;
    problems(&report.problems, look, out)
}

/// A table of checks and their counts.
fn checks(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(&str, String)> =
        report.summary().into_iter().map(|(check, number)| (check, grouped(number))).collect();
    let names = rows.iter().map(|(check, _)| check.len()).max().unwrap_or(0);
    let numbers = rows.iter().map(|(_, number)| number.len()).max().unwrap_or(0);
    for (check, number) in &rows {
        writeln!(out, "{check:names$}  {number:>numbers$}")?;
    }
    if rows.is_empty() { Ok(()) } else { writeln!(out) }
}

/// `34 findings: 5 errors, 29 warnings; 3 suppressed; 12 safe fixes computed`
pub(super) fn findings(report: &Report) -> String {
    let severities = [Severity::Error, Severity::Warning, Severity::Note].into_iter();
    let by_severity = severities.filter_map(|severity| {
        let number = report.findings.iter().filter(|it| it.severity == severity).count();
        (number > 0).then(|| count(number, severity.as_str()))
    });
    let mut parts = vec![match report.findings.len() {
        0 => "no findings".to_owned(),
        number => {
            let by_severity: Vec<String> = by_severity.collect();
            format!("{}: {}", count(number, "finding"), by_severity.join(", "))
        }
    }];
    if report.suppressed > 0 {
        parts.push(format!("{} suppressed", grouped(report.suppressed)));
    }
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    match fixes.filter(|fix| fix.safety == Safety::Safe).count() {
        0 => {}
        1 => parts.push("1 safe fix computed".to_owned()),
        number => parts.push(format!("{} safe fixes computed", grouped(number))),
    }
    parts.join("; ")
}

/// `baseline: 31 findings known and left out, 2 gone, 1 expired`
pub(super) fn baseline(baselined: &Baselined) -> String {
    let Baselined { known, gone, expired, .. } = baselined;
    let known = format!("baseline: {} known and left out", count(*known, "finding"));
    let rest = [(gone.len(), "gone"), (*expired, "expired")].into_iter();
    let rest = rest.filter(|(number, _)| *number > 0);
    let rest = rest.map(|(number, what)| format!("{} {what}", grouped(number)));
    std::iter::once(known).chain(rest).collect::<Vec<_>>().join(", ")
}

/// `since origin/main: 1 new, 2 fixed, 240 unchanged`
fn since_revision(since: &Since) -> String {
    let revision = harmless(&since.revision);
    match since.unchanged {
        Some(unchanged) => {
            let numbers = [since.new, since.fixed, unchanged].map(grouped);
            let [new, fixed, unchanged] = numbers;
            format!("since {revision}: {new} new, {fixed} fixed, {unchanged} unchanged")
        }
        None => format!("since {revision}: nothing changed that can make or settle a finding"),
    }
}

/// `read 378 build files, 3 826 Python files, 2 463 targets; 1 Python file could not be read whole`
pub(super) fn coverage(coverage: Coverage) -> String {
    let unknown = match coverage.unknown_rules {
        0 => String::new(),
        number => format!(" ({} of unknown kinds)", grouped(number)),
    };
    let failed =
        [(coverage.packages_failed, "build file"), (coverage.python_files_failed, "Python file")];
    let failed = failed.into_iter().filter(|(number, _)| *number > 0);
    let failed: Vec<String> = failed.map(|(number, what)| count(number, what)).collect();
    let failed = match failed.as_slice() {
        [] => String::new(),
        failed => format!("; {} could not be read whole", failed.join(" and ")),
    };
    format!(
        "read {}, {}, {}{unknown}{failed}",
        count(coverage.packages, "build file"),
        count(coverage.python_files, "Python file"),
        count(coverage.targets, "target"),
    )
}

/// A line that counts the problems by kind, or a list of all of them.
fn problems(problems: &[Problem], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut by_kind: BTreeMap<ProblemKind, Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        by_kind.entry(problem.kind).or_default().push(problem);
    }
    if by_kind.is_empty() {
        return Ok(());
    }
    let total = count(problems.len(), "problem");
    if look.verbosity < Verbosity::Verbose {
        let kinds = by_kind.iter();
        let kinds = kinds.map(|(kind, of)| format!("{} {}", grouped(of.len()), kind.as_str()));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        return writeln!(out, "{total}: {kinds}; run with -v to list them");
    }
    writeln!(out, "{total}:")?;
    for (kind, of) in by_kind {
        writeln!(out, "  {} ({})", kind.as_str(), grouped(of.len()))?;
        for problem in of {
            let (path, message) = (harmless(&problem.path), harmless(&problem.message));
            match problem.line {
                0 => writeln!(out, "    {path}  {message}")?,
                line => writeln!(out, "    {path}:{line}  {message}")?,
            }
        }
    }
    Ok(())
}
