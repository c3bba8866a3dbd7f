//! Reports: the same findings in several formats, one renderer a file. Writes only to the writer it is given.

mod concise;
mod cost;
mod diff;
mod doctor;
mod dot;
mod format;
mod github;
mod gitlab;
pub mod json;
mod junit;
mod markdown;
mod rdjson;
mod sarif;
mod sources;
mod summary;
mod text;
mod why;

pub use cost::{
    CostReport, CostRoot, CostRow, SCHEMA_VERSION as COST_SCHEMA_VERSION, cost, cost_json,
    cost_schema,
};
pub use diff::diff;
pub use doctor::{
    Comparison, Doctor, DoctorCell, DoctorDifference, Setup, doctor, doctor_json, doctor_schema,
};
pub use dot::{Edges, dot};
pub use format::Format;
pub use markdown::job_summary;
pub use why::why;

use crate::finding::{Finding, Report};
use crate::label::PackageId;
use crate::source::{Problem, ProjectPath};
use annotate_snippets::normalize_untrusted_str;
use annotate_snippets::renderer::Style;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{self, Write};

/// How much a text report tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Findings alone.
    Quiet,
    /// Findings and a summary.
    #[default]
    Normal,
    /// All of it, and each problem by its place.
    Verbose,
}

/// How a report for people looks. Formats for machines look always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether to write ANSI escape sequences.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// How much to tell.
    pub verbosity: Verbosity,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: false, width: 100, verbosity: Verbosity::Normal }
    }
}

/// Gives the text of a file as it is, byte order mark and all; `None` if it has none to show.
pub type SourceText<'a> = &'a (dyn Fn(&ProjectPath) -> Option<String> + Sync);

/// Writes `report` in one of the formats.
pub fn render(
    format: Format,
    report: &Report,
    look: Look,
    source: SourceText<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::render(report, look, source, out),
        Format::Concise => concise::render(report, out),
        Format::Json => json::render(report, out),
        Format::Jsonl => json::render_lines(report, out),
        Format::Sarif => sarif::render(report, source, out),
        Format::Github => github::render(report, out),
        Format::Rdjson => rdjson::render(report, source, out),
        Format::Gitlab => gitlab::render(report, out),
        Format::Junit => junit::render(report, out),
        Format::Markdown => markdown::render(report, out),
    }
}

/// Findings by the package of their target, with their positions in the report; those without a target come last.
fn by_package(report: &Report) -> Vec<(Option<&PackageId>, Vec<(usize, &Finding)>)> {
    let mut groups: BTreeMap<(bool, Option<&PackageId>), Vec<(usize, &Finding)>> = BTreeMap::new();
    for (at, finding) in report.findings.iter().enumerate() {
        let package = finding.target.as_ref().map(|target| &target.package);
        groups.entry((package.is_none(), package)).or_default().push((at, finding));
    }
    groups.into_iter().map(|((_, package), findings)| (package, findings)).collect()
}

/// What a package is called; findings without a target have none.
fn heading(package: Option<&PackageId>) -> String {
    package.map_or("outside of targets".to_owned(), ToString::to_string)
}

/// What is wrong and what to do, as one sentence.
fn advice(finding: &Finding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}"));
    format!("{}{}", finding.message, hint.unwrap_or_default())
}

/// The same, and who answers for it, in formats that have no field for that. As code nobody is called by it.
fn advice_to(finding: &Finding, owner: Option<&str>) -> String {
    let owner = owner.map(|owner| format!(" (owner: {})", markdown::code(owner)));
    format!("{}{}", advice(finding), owner.unwrap_or_default())
}

/// The place of a problem in the repository: `path:line`, or the path of the whole file.
fn problem_place(report: &Report, problem: &Problem) -> String {
    let path = harmless(report.in_repository(problem.path.as_str()));
    if problem.line == 0 { path } else { format!("{path}:{}", problem.line) }
}

/// Text in a style, or plain.
struct Painted<T> {
    text: T,
    style: Option<Style>,
}

impl Look {
    fn paint<T: Display>(&self, style: Style, text: T) -> Painted<T> {
        Painted { text, style: self.color.then_some(style) }
    }
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            Some(style) => write!(f, "{style}{}{style:#}", self.text),
            None => self.text.fmt(f),
        }
    }
}

/// Text of the user's files on one line, without anything that a terminal would act upon.
fn harmless(text: impl Display) -> String {
    normalize_untrusted_str(&text.to_string()).replace(['\n', '\r'], " ")
}

/// A number in groups of three digits: `3 826`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number and what is counted: `1 target`, `2 463 targets`.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod tests;
