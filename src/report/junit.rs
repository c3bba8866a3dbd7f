//! `JUnit` XML, which most CI systems show as tests. Writes only to the writer it is given.
//!
//! The form is what Jenkins, GitLab and Buildkite agree on: a suite for each package, a failing test for each finding.
//! The first suite has one test, which fails if part of the repository could not be read, so that a report is never empty.

use super::{by_package, harmless, heading, problem_place};
use crate::finding::{Evidence, Finding, Report};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let errors = usize::from(!report.is_complete());
    let failures = report.findings.len();
    let tests = failures + 1;
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="secateur" tests="{tests}" failures="{failures}" errors="{errors}">"#
    )?;
    read(report, errors, out)?;
    for (package, findings) in by_package(report) {
        let (name, number) = (heading(package), findings.len());
        let suite = attribute(&name);
        writeln!(
            out,
            r#"  <testsuite name="{suite}" tests="{number}" failures="{number}" errors="0">"#
        )?;
        for (at, finding) in findings {
            test(report, finding, report.owner(at), out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// The test that everything was read.
fn read(report: &Report, errors: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"  <testsuite name="secateur" tests="1" failures="0" errors="{errors}">"#)?;
    write!(out, r#"    <testcase classname="secateur" name="everything was read""#)?;
    if errors == 0 {
        writeln!(out, "/>")?;
        return writeln!(out, "  </testsuite>");
    }
    let message = "part of the repository could not be read";
    writeln!(out, ">\n      <error message=\"{message}\">")?;
    for problem in report.problems.iter().filter(|problem| problem.costs_targets()) {
        let line = format!("{}: {}", problem_place(report, problem), harmless(&problem.message));
        writeln!(out, "{}", escape(&line))?;
    }
    writeln!(out, "</error>\n    </testcase>\n  </testsuite>")
}

fn test(
    report: &Report,
    finding: &Finding,
    owner: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let region = &finding.region;
    let path = report.in_repository(region.path.as_str());
    let (check, severity) = (finding.check.as_str(), finding.severity.as_str());
    let subject = finding.target.as_ref().map_or_else(|| path.clone(), ToString::to_string);
    writeln!(
        out,
        r#"    <testcase classname="{}" name="{}" file="{}" line="{}">"#,
        attribute(&subject),
        attribute(&format!("{check}: {}", harmless(&finding.message))),
        attribute(&path),
        region.line.max(1),
    )?;
    writeln!(
        out,
        r#"      <failure type="{check}" message="{}">{}</failure>"#,
        attribute(&harmless(&finding.message)),
        escape(&text(finding, &path, severity, owner)),
    )?;
    writeln!(out, "    </testcase>")
}

fn text(finding: &Finding, path: &str, severity: &str, owner: Option<&str>) -> String {
    let (region, confidence) = (&finding.region, finding.confidence.as_str());
    let (line, column) = (region.line, region.column);
    let mut text = format!("{}:{line}:{column}: {severity} ({confidence})", harmless(path));
    for Evidence { path, line, text: seen } in &finding.evidence {
        let _ = write!(text, "\n{}:{line}: {}", harmless(path), harmless(seen));
    }
    if let Some(hint) = &finding.hint {
        let _ = write!(text, "\nhelp: {}", harmless(hint));
    }
    if let Some(owner) = owner {
        let _ = write!(text, "\nowner: {}", harmless(owner));
    }
    text
}

/// Text for an attribute in quotes, where a reader would take line ends for spaces.
fn attribute(text: &str) -> String {
    escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Text for an element. What no XML 1.0 document may hold, even as a reference, is replaced
/// (<https://www.w3.org/TR/xml/#charsets>).
fn escape(text: &str) -> String {
    let escaped = |c: char| -> Cow<'static, str> {
        match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\t' | '\n' => c.to_string().into(),
            '\r' => "&#13;".into(),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}".into(),
            c => c.to_string().into(),
        }
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_keep_their_line_ends() {
        assert_eq!(attribute("a\n\t\"b"), "a&#10;&#9;&quot;b");
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escape("a<b>&\"é\u{1}\u{1b}\u{ffff}\r\n"),
            "a&lt;b&gt;&amp;&quot;é\u{fffd}\u{fffd}\u{fffd}&#13;\n"
        );
    }
}
