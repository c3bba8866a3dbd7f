//! Reports: the same findings in several formats, one renderer a file. Writes only to the writer it is given.

mod concise;
mod cost;
mod diff;
mod dot;
pub mod json;
mod summary;
mod text;
mod why;

pub use cost::{
    CostReport, CostRoot, CostRow, SCHEMA_VERSION as COST_SCHEMA_VERSION, cost, cost_json,
    cost_schema,
};
pub use diff::diff;
pub use dot::{Edges, dot};
pub use why::why;

use crate::finding::Report;
use crate::source::ProjectPath;
use annotate_snippets::normalize_untrusted_str;
use annotate_snippets::renderer::Style;
use std::fmt::{self, Display};
use std::io::{self, Write};

/// The formats of a lint report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: findings with the source line, evidence and hint, and a summary.
    #[default]
    Text,
    /// `path:line:column: severity[check] message`, one finding a line.
    Concise,
    /// One JSON object; its schema is `docs/schema/lint.schema.json`.
    Json,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Concise, Self::Json];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Concise => "concise",
            Self::Json => "json",
        }
    }
}

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

/// Gives the text of a file, `None` if it has none to show.
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
    }
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
mod tests;
