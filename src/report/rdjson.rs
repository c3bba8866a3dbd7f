//! The Reviewdog Diagnostic Format, with fixes as suggestions. Writes only to the writer it is given.
//!
//! Lines and columns count from 1, columns in bytes of UTF-8; see
//! <https://github.com/reviewdog/reviewdog/blob/master/proto/rdf/reviewdog.proto>.

use super::sources::{Source, Sources};
use super::{SourceText, advice_to};
use crate::finding::{Evidence, FileEdit, Finding, Region, Report, Severity};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct DiagnosticResult {
    source: Tool,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related>,
}

#[derive(Serialize)]
struct Code {
    value: &'static str,
}

#[derive(Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Related {
    message: String,
    location: Location,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

/// Without an end, its start; without columns, whole lines, of which the last is still part.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Range {
    start: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Position {
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

pub(super) fn render(
    report: &Report,
    source: SourceText<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut sources = Sources::new(source);
    let findings = report.findings.iter().enumerate();
    let diagnostics = findings.map(|(at, finding)| {
        let source = sources.get(&finding.region.path);
        diagnostic(report, at, finding, source)
    });
    let result = DiagnosticResult {
        source: Tool { name: env!("CARGO_PKG_NAME") },
        diagnostics: diagnostics.collect(),
    };
    serde_json::to_writer(&mut *out, &result)?;
    writeln!(out)
}

fn diagnostic(
    report: &Report,
    at: usize,
    finding: &Finding,
    source: Option<&Source>,
) -> Diagnostic {
    let related = |evidence: &Evidence| Related {
        message: evidence.text.clone(),
        location: Location {
            path: report.in_repository(&evidence.path),
            range: Range { start: whole_line(evidence.line), end: None },
        },
    };
    let suggestion = report.offer(at).zip(source).and_then(|(offer, source)| {
        let (first, rest) = offer.edits.split_first()?;
        suggestion(&finding.region, first, rest, source)
    });
    Diagnostic {
        message: advice_to(finding, report.owner(at)),
        location: Location {
            path: report.in_repository(finding.region.path.as_str()),
            range: range(&finding.region, source),
        },
        severity: match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        code: Code { value: finding.check.as_str() },
        suggestions: suggestion.into_iter().collect(),
        related_locations: finding.evidence.iter().map(related).collect(),
    }
}

fn whole_line(line: u32) -> Position {
    Position { line: line.max(1), column: None }
}

fn range(region: &Region, source: Option<&Source>) -> Range {
    if region.span.start == region.span.end {
        return Range { start: whole_line(region.line), end: None };
    }
    let position = |line, column| {
        let column = source.map_or(column, |source| source.byte_column(line, column));
        Position { line, column: Some(column) }
    };
    Range {
        start: position(region.line, region.column),
        end: Some(position(region.end_line, region.end_column)),
    }
}

/// All edits as one: reviewers take suggestions one by one, and half a fix is none. Edits of other files have no words
/// in this format.
fn suggestion(
    region: &Region,
    first: &FileEdit,
    rest: &[FileEdit],
    source: &Source,
) -> Option<Suggestion> {
    let (from, mut text, mut to) = (start(first)?, String::new(), start(first)?);
    for edit in std::iter::once(first).chain(rest) {
        let FileEdit::Replace { path, start, end, replacement } = edit else { return None };
        if *path != region.path {
            return None;
        }
        text += source.slice(to, *start)?;
        text += replacement;
        to = *end;
    }
    let (start, end) = (source.position(from), source.position(to));
    // Whole lines are named as such, so that a comment needs no line besides them.
    let are_lines = start.column == 1 && end.column == 1 && start.line < end.line;
    if are_lines && (text.is_empty() || text.len() > 1 && text.ends_with('\n')) {
        let last = text.strip_suffix('\n').map_or(text.len(), str::len);
        text.truncate(last);
        let end = whole_line(end.line - 1);
        return Some(Suggestion {
            range: Range { start: whole_line(start.line), end: Some(end) },
            text,
        });
    }
    let position = |position: super::sources::Position| Position {
        line: position.line,
        column: Some(position.byte_column),
    };
    Some(Suggestion { range: Range { start: position(start), end: Some(position(end)) }, text })
}

fn start(edit: &FileEdit) -> Option<u32> {
    match edit {
        FileEdit::Replace { start, .. } => Some(*start),
        FileEdit::Delete { .. } => None,
    }
}
