//! The report for people: findings by package, each with its source line, evidence and hint, and a summary at the end.
//! Writes only to the writer it is given.

use super::{Look, SourceText, Verbosity, harmless, summary};
use crate::finding::{Finding, Region, Report, Severity};
use crate::label::PackageId;
use crate::source::ProjectPath;
use annotate_snippets::renderer::Style;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

/// More evidence than this is counted only.
const MAX_EVIDENCE: usize = 8;

pub(super) fn render(
    report: &Report,
    look: Look,
    source: SourceText<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let renderer = if look.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width);
    let mut sources = Sources { read: source, last: None };
    for (package, findings) in by_package(&report.findings) {
        let heading = package.map_or("outside of targets".to_owned(), ToString::to_string);
        writeln!(out, "{}\n", look.paint(Style::new().bold().underline(), heading))?;
        for finding in findings {
            let text = sources.text(&finding.region.path);
            writeln!(out, "{}\n", renderer.render(&[group(finding, text)]))?;
        }
    }
    match look.verbosity {
        Verbosity::Quiet => Ok(()),
        Verbosity::Normal | Verbosity::Verbose => summary::render(report, look, out),
    }
}

/// Findings by the package of their target, in the order of the report; those without a target come last.
fn by_package(findings: &[Finding]) -> Vec<(Option<&PackageId>, Vec<&Finding>)> {
    let mut groups: BTreeMap<(bool, Option<&PackageId>), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let package = finding.target.as_ref().map(|target| &target.package);
        groups.entry((package.is_none(), package)).or_default().push(finding);
    }
    groups.into_iter().map(|((_, package), findings)| (package, findings)).collect()
}

/// The text of the file that was asked for last; findings of one file stand together.
struct Sources<'a> {
    read: SourceText<'a>,
    last: Option<(ProjectPath, Option<String>)>,
}

impl Sources<'_> {
    fn text(&mut self, path: &ProjectPath) -> Option<&str> {
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            self.last = Some((path.clone(), (self.read)(path)));
        }
        self.last.as_ref().and_then(|(_, text)| text.as_deref())
    }
}

fn group<'a>(finding: &'a Finding, text: Option<&'a str>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&finding.message).id(finding.check.as_str());
    let group = title.element(place(&finding.region, text)).element(subject(finding));
    let evidence = (!finding.evidence.is_empty()).then(|| Level::NOTE.message(evidence(finding)));
    let hint = finding.hint.as_ref().map(|hint| Level::HELP.message(harmless(hint)));
    group.elements(evidence).elements(hint)
}

/// What the finding is about, and how sure it is.
fn subject(finding: &Finding) -> Element<'_> {
    let confidence = finding.confidence.as_str();
    let message = match &finding.target {
        Some(target) => {
            let text = format!("{} ({confidence})", harmless(target));
            Level::INFO.with_name("target").message(text)
        }
        None => Level::INFO.with_name("confidence").message(confidence),
    };
    message.into()
}

fn evidence(finding: &Finding) -> String {
    let places: Vec<String> = finding
        .evidence
        .iter()
        .take(MAX_EVIDENCE)
        .map(|evidence| format!("{}:{}", harmless(&evidence.path), evidence.line))
        .collect();
    let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let rows = places.iter().zip(&finding.evidence);
    let mut lines: Vec<String> = rows
        .map(|(place, evidence)| format!("{place:width$}  {}", harmless(&evidence.text)))
        .collect();
    let more = finding.evidence.len() - places.len();
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

/// The first line of the region with what is meant underlined; the place alone where there is no such line.
fn place<'a>(region: &Region, text: Option<&'a str>) -> Element<'a> {
    let (line, column) = (region.line as usize, region.column as usize);
    let path = harmless(&region.path);
    let Some(source) = text.and_then(|text| text.lines().nth(line.checked_sub(1)?)) else {
        return Origin::path(path).line(line).char_column(column).into();
    };
    let snippet = Snippet::source(source).line_start(line);
    if region.span.start == region.span.end {
        // The line as such is meant, or the file.
        let whole = AnnotationKind::Visible.span(0..source.len());
        return snippet.path(format!("{path}:{line}")).annotation(whole).into();
    }
    let underlined = AnnotationKind::Primary.span(columns(region, source));
    snippet.path(path).annotation(underlined).into()
}

/// The bytes of `source`, the region's first line, that the region covers.
fn columns(region: &Region, source: &str) -> Range<usize> {
    let byte = |column: u32| {
        let mut offsets = source.char_indices().map(|(at, _)| at);
        offsets.nth(column.saturating_sub(1) as usize).unwrap_or(source.len())
    };
    let start = byte(region.column);
    let end = if region.end_line > region.line { source.len() } else { byte(region.end_column) };
    start..end.max(start)
}
