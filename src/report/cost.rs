//! Answers of `secateur cost`: a table for people, and one JSON object of a stable form. Writes only to the writer it is given.

use super::{Look, Verbosity, count, grouped, harmless};
use crate::cost::{RootSaving, Usage, Weight};
use crate::finding::{Saving, Size};
use annotate_snippets::renderer::Style;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::io::{self, Write};

/// Rises when a reader of the JSON form could break; new fields don't raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// What dependencies cost.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "secateur cost --format json")]
pub struct CostReport {
    /// Rises when a reader of this form could break. New fields may come without it.
    pub schema_version: u32,
    /// Programs, tests, and targets that nothing depends on.
    pub roots: usize,
    /// What they reach together.
    pub whole: Weight,
    /// Commits that were looked at; null without a history.
    pub commits: Option<usize>,
    /// Dependencies that were asked for, however often each is written.
    pub dependencies: usize,
    /// Those of them that something is reached by alone.
    pub holding: usize,
    /// The first of these, by the pairs of a root and a target that leaves its closure.
    pub edges: Vec<CostRow>,
    /// Why there is no history.
    #[serde(skip)]
    pub no_history: Option<String>,
}

/// What one dependency costs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CostRow {
    /// The target that has it.
    pub from: String,
    /// The target that it leads to.
    pub to: String,
    /// Where it is written, relative to the project root.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// What would be saved without it.
    pub saving: Saving,
    /// What no root would reach any more.
    pub retained: Weight,
    /// The imports that it serves; null where imports cannot tell.
    pub usage: Option<Usage>,
    /// How sure it is that the dependency is not needed; null if there is no such finding.
    #[schemars(extend("enum" = [null, "possible", "likely", "certain"]))]
    pub unused_dep: Option<&'static str>,
    /// The saving root by root, the largest first.
    pub by_root: Vec<CostRoot>,
}

/// What one dependency costs one root.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CostRoot {
    /// The root.
    pub root: String,
    /// What would be saved in it.
    #[serde(flatten)]
    pub saving: RootSaving,
}

/// Writes the report as one JSON object.
pub fn cost_json(report: &CostReport, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    writeln!(out)
}

/// The JSON Schema of the report, as `docs/schema/cost.schema.json` holds it.
pub fn cost_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<CostReport>()
}

/// Writes the report for people.
pub fn cost(report: &CostReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let heads = ["targets", "roots", "size", "rebuilds"];
    let columns = if report.commits.is_some() { 4 } else { 3 };
    let cells: Vec<[String; 4]> = report.edges.iter().map(|row| cells(&row.saving)).collect();
    let widths = [0, 1, 2, 3].map(|at| {
        let cells = cells.iter().map(|cells| cells[at].chars().count());
        cells.chain([heads[at].len()]).max().unwrap_or(0)
    });
    let line = |cells: [&str; 4]| -> String {
        let cells = cells.iter().zip(widths).take(columns);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:>width$}  ")).collect();
        cells.concat()
    };
    if !report.edges.is_empty() {
        let head = format!("{}dependency", line(heads));
        writeln!(out, "{}", look.paint(Style::new().bold(), head))?;
    }
    for (row, cells) in report.edges.iter().zip(&cells) {
        let numbers = line([&cells[0], &cells[1], &cells[2], &cells[3]]);
        let indent = numbers.chars().count();
        let edge = format!("{} -> {}", harmless(&row.from), harmless(&row.to));
        writeln!(out, "{numbers}{}", look.paint(Style::new().bold(), edge))?;
        for note in notes(row) {
            writeln!(out, "{:indent$}{note}", "")?;
        }
    }
    match look.verbosity {
        Verbosity::Quiet => Ok(()),
        Verbosity::Normal | Verbosity::Verbose => summary(report, look, out),
    }
}

fn cells(saving: &Saving) -> [String; 4] {
    let rebuilds = saving.rebuilds.map(|rebuilds| grouped(rebuilds.avoided));
    let size = Size(saving.bytes).to_string();
    [grouped(saving.targets), grouped(saving.roots), size, rebuilds.unwrap_or_default()]
}

fn notes(row: &CostRow) -> Vec<String> {
    let mut notes = vec![format!("{}:{}  {}", harmless(&row.path), row.line, usage(row))];
    if row.retained.targets > 0 {
        let targets = count(row.retained.targets, "target");
        let size = match row.retained.bytes {
            0 => String::new(),
            bytes => format!(", {}", Size(bytes)),
        };
        notes.push(format!("nothing else leads to {targets}{size}"));
    }
    if let Some(confidence) = row.unused_dep {
        notes.push(format!("unused-dep ({confidence})"));
    }
    notes
}

/// `1 import: app/main.py:3 uses `codec.fast` (runtime)`
fn usage(row: &CostRow) -> String {
    let Some(Usage { imports, type_only, first }) = &row.usage else {
        return "imports cannot tell whether it is used".to_owned();
    };
    let what = if *type_only { "type-only import" } else { "import" };
    let Some(first) = first else { return "no import needs it".to_owned() };
    let separator = if *imports == 1 { ":" } else { ", first" };
    let (path, module) = (harmless(&first.path), harmless(&first.module));
    let place = format!("{path}:{} uses `{module}`", first.line);
    format!("{}{separator} {place}", count(*imports, what))
}

fn summary(report: &CostReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let held = match report.holding {
        0 => "no dependency alone holds anything".to_owned(),
        1 => "1 dependency alone holds something".to_owned(),
        number => format!("{} dependencies alone hold something", grouped(number)),
    };
    let shown = match report.edges.len() {
        all if all == report.holding => String::new(),
        shown => format!("; {} shown, see --top", grouped(shown)),
    };
    let title = format!("{held}, of {}{shown}", grouped(report.dependencies));
    let gap = if report.edges.is_empty() { "" } else { "\n" };
    writeln!(out, "{gap}{}", look.paint(Style::new().bold(), title))?;
    let Weight { targets, sources, bytes } = report.whole;
    let [targets, sources] = [count(targets, "target"), count(sources, "source")];
    let roots = count(report.roots, "root");
    writeln!(out, "{roots} with {targets}, {sources}, {}", Size(bytes))?;
    match (&report.no_history, report.commits) {
        (Some(reason), _) => writeln!(out, "no rebuilds counted: {}", harmless(reason)),
        (None, Some(commits)) => writeln!(out, "rebuilds over {}", count(commits, "commit")),
        (None, None) => Ok(()),
    }
}
