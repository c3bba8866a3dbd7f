//! GitLab's Code Quality report. Writes only to the writer it is given.

use super::advice_to;
use crate::finding::{Finding, Report, Severity};
use serde::Serialize;
use std::io::{self, Write};

/// See <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'a str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let fingerprints = report.fingerprints();
    let findings = report.findings.iter().zip(&fingerprints).enumerate();
    let issues = findings
        .map(|(at, (finding, print))| issue(report, finding, report.owner(at), print))
        .collect::<Vec<_>>();
    serde_json::to_writer(&mut *out, &issues)?;
    writeln!(out)
}

fn issue<'a>(
    report: &Report,
    finding: &Finding,
    owner: Option<&str>,
    fingerprint: &'a str,
) -> Issue<'a> {
    let region = &finding.region;
    Issue {
        description: advice_to(finding, owner),
        check_name: finding.check.as_str(),
        fingerprint,
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        },
        location: Location {
            path: report.in_repository(region.path.as_str()),
            lines: Lines { begin: region.line.max(1), end: region.end_line.max(1) },
        },
    }
}
