//! The report for people: findings by package, each with its source line, evidence and hint, and a summary at the end.
//! Writes only to the writer it is given.

use super::sources::{Source, Sources};
use super::{Look, SourceText, Verbosity, by_package, harmless, heading, summary};
use crate::finding::{Finding, Region, Report, Severity};
use crate::label::PackageId;
use annotate_snippets::renderer::Style;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use rayon::prelude::*;
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
    let package = |(package, findings): &(Option<&PackageId>, Vec<(usize, &Finding)>)| {
        let style = Style::new().bold().underline();
        let shared = shared_owner(report, findings);
        let owner = shared.map(|owner| format!("  owner: {}", harmless(owner)));
        let heading = look.paint(style, heading(*package));
        let mut text = format!("{heading}{}\n\n", owner.unwrap_or_default());
        let mut sources = Sources::new(source);
        for (at, finding) in findings {
            let source = sources.get(&finding.region.path);
            let owner = report.owner(*at).filter(|_| shared.is_none());
            text.push_str(&renderer.render(&[group(finding, owner, source)]));
            text.push_str("\n\n");
        }
        text
    };
    let packages = by_package(report);
    let rendered: Vec<String> = packages.par_iter().map(package).collect();
    for text in rendered {
        out.write_all(text.as_bytes())?;
    }
    match look.verbosity {
        Verbosity::Quiet => Ok(()),
        Verbosity::Normal | Verbosity::Verbose => summary::render(report, look, out),
    }
}

/// Who answers for all of these findings.
fn shared_owner<'a>(report: &'a Report, findings: &[(usize, &Finding)]) -> Option<&'a str> {
    let (first, _) = findings.first()?;
    let owner = report.owner(*first)?;
    findings.iter().all(|(at, _)| report.owner(*at) == Some(owner)).then_some(owner)
}

fn group<'a>(finding: &'a Finding, owner: Option<&str>, source: Option<&'a Source>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&finding.message).id(finding.check.as_str());
    let group = title.element(place(&finding.region, source)).element(subject(finding));
    let owner = owner.map(|owner| Level::INFO.with_name("owner").message(harmless(owner)));
    let evidence = (!finding.evidence.is_empty()).then(|| Level::NOTE.message(evidence(finding)));
    let hint = finding.hint.as_ref().map(|hint| Level::HELP.message(harmless(hint)));
    group.elements(owner).elements(evidence).elements(hint)
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
fn place<'a>(region: &Region, source: Option<&'a Source>) -> Element<'a> {
    let (line, column) = (region.line as usize, region.column as usize);
    let path = harmless(&region.path);
    let Some(source) = source.and_then(|source| source.line(region.line)) else {
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
