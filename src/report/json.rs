//! The report as one JSON object of a stable form, and the schema of that form. Writes only to the writer it is given.

use crate::finding::{self, Report};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rises when a reader of the form could break; new fields don't raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// The findings of a run of `secateur lint`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "secateur lint --format json")]
struct Output<'a> {
    /// Rises when a reader of this form could break. New fields may come without it.
    schema_version: u32,
    /// What made the report.
    tool: Tool,
    /// How much of the repository was read.
    coverage: Coverage,
    /// Sorted by place.
    findings: Vec<Finding<'a>>,
    /// Findings by check.
    summary: BTreeMap<&'static str, usize>,
    /// What `--baseline` took out of the findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Baseline<'a>>,
    /// What `--since` took out of the findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Since<'a>>,
}

/// What became of findings since a revision.
#[derive(Serialize, JsonSchema)]
struct Since<'a> {
    /// As it was named.
    revision: &'a str,
    /// Findings that came: those of the report.
    new: usize,
    /// Findings that went.
    fixed: usize,
    /// Findings that stayed and are left out; null if nothing changed that can make or settle one, so that none was counted.
    unchanged: Option<usize>,
}

/// What a baseline took out of the findings.
#[derive(Serialize, JsonSchema)]
struct Baseline<'a> {
    /// Findings left out.
    known: usize,
    /// Findings that stand because their entry has expired.
    expired: usize,
    /// Entries of the baseline whose finding is no longer there.
    gone: Vec<Gone<'a>>,
}

/// An entry of the baseline whose finding is no longer there.
#[derive(Serialize, JsonSchema)]
struct Gone<'a> {
    /// That of the finding.
    fingerprint: &'a str,
    /// The name of the check.
    check: &'a str,
    /// The target that was to be edited.
    target: Option<&'a str>,
    /// The other end, where the check speaks of a dependency.
    dep: Option<&'a str>,
    /// The dotted name, where the check speaks of a module.
    module: Option<&'a str>,
    /// Where the finding was, relative to the project root.
    path: &'a str,
}

/// A program and its version.
#[derive(Serialize, JsonSchema)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// How much of the repository was read.
#[derive(Serialize, JsonSchema)]
struct Coverage {
    /// Build files.
    packages: usize,
    /// Build files of which a part could not be read or run, and directories that could not be listed.
    packages_failed: usize,
    /// Python files and notebooks.
    python_files: usize,
    /// Python files of which a part could not be read.
    python_files_failed: usize,
    /// Targets.
    targets: usize,
    /// Targets of a kind that is not known.
    unknown_rules: usize,
}

/// One result of a check.
#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    /// Stays the same when lines move.
    fingerprint: String,
    /// The name of the check.
    check: &'static str,
    /// How bad it is.
    #[schemars(extend("enum" = ["note", "warning", "error"]))]
    severity: &'static str,
    /// How sure it is.
    #[schemars(extend("enum" = ["possible", "likely", "certain"]))]
    confidence: &'static str,
    /// The target to edit.
    target: Option<String>,
    /// The other end, where the check speaks of a dependency.
    dep: Option<String>,
    /// The dotted name, where the check speaks of a module.
    module: Option<&'a str>,
    /// Where to look, relative to the project root.
    path: &'a str,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
    /// From 1.
    end_line: u32,
    /// From 1, in characters; one past the last.
    end_column: u32,
    /// One sentence without a full stop.
    message: &'a str,
    /// Who answers for it: what its package says with `oncall()`, else what CODEOWNERS says; null if nobody does.
    owner: Option<&'a str>,
    /// What it rests on.
    evidence: Vec<Evidence<'a>>,
    /// Proven edits that settle it; null if there are none, or if they were not asked for.
    fix: Option<Fix<'a>>,
}

/// A place that speaks for a finding.
#[derive(Serialize, JsonSchema)]
struct Evidence<'a> {
    /// Relative to the project root.
    path: &'a str,
    /// From 1.
    line: u32,
    /// What is to be seen there.
    text: &'a str,
}

/// Edits that only make sense together.
#[derive(Serialize, JsonSchema)]
struct Fix<'a> {
    /// Whether the edits can be made unseen.
    #[schemars(extend("enum" = ["safe", "unsafe"]))]
    safety: &'static str,
    /// Sorted by place; they don't overlap.
    edits: Vec<Edit<'a>>,
    /// What they save on their own, as the graph tells.
    saving: &'a finding::Saving,
}

/// A change of one file.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Edit<'a> {
    /// The bytes `start..end` become the replacement.
    Replace {
        /// Relative to the project root.
        path: &'a str,
        /// First byte.
        start: u32,
        /// One past the last byte.
        end: u32,
        /// What stands there afterwards.
        replacement: &'a str,
    },
    /// The file goes.
    Delete {
        /// Relative to the project root.
        path: &'a str,
        /// Always true.
        delete: bool,
    },
}

impl<'a> Fix<'a> {
    fn new(offer: &'a finding::Offer) -> Self {
        let edit = |edit: &'a finding::FileEdit| match edit {
            finding::FileEdit::Replace { path, start, end, replacement } => {
                Edit::Replace { path: path.as_str(), start: *start, end: *end, replacement }
            }
            finding::FileEdit::Delete { path } => {
                Edit::Delete { path: path.as_str(), delete: true }
            }
        };
        let edits = offer.edits.iter().map(edit).collect();
        Self { safety: offer.safety.as_str(), edits, saving: &offer.saving }
    }
}

/// One finding, as it stands on a line of its own.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "A line of secateur lint --format jsonl")]
struct Line<'a> {
    /// Rises when a reader of this form could break. New fields may come without it.
    schema_version: u32,
    #[serde(flatten)]
    finding: Finding<'a>,
}

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let output = Output {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        coverage: report.coverage.into(),
        findings: findings(report).collect(),
        summary: report.summary(),
        baseline: report.baseline.as_ref().map(Baseline::from),
        since: report.since.as_ref().map(|since| Since {
            revision: &since.revision,
            new: since.new,
            fixed: since.fixed,
            unchanged: since.unchanged,
        }),
    };
    serde_json::to_writer(&mut *out, &output)?;
    writeln!(out)
}

pub(super) fn render_lines(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings(report) {
        serde_json::to_writer(&mut *out, &Line { schema_version: SCHEMA_VERSION, finding })?;
        writeln!(out)?;
    }
    Ok(())
}

fn findings(report: &Report) -> impl Iterator<Item = Finding<'_>> {
    let findings = report.findings.iter().zip(report.fingerprints()).enumerate();
    findings.map(|(at, (finding, print))| Finding {
        owner: report.owner(at),
        fix: report.offer(at).map(Fix::new),
        ..Finding::new(finding, print)
    })
}

/// The JSON Schema of the report, as `docs/schema/lint.schema.json` holds it.
pub fn schema() -> Schema {
    schema_of::<Output<'_>>()
}

/// The JSON Schema of a line of `--format jsonl`, as `docs/schema/finding.schema.json` holds it.
pub fn line_schema() -> Schema {
    schema_of::<Line<'_>>()
}

fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

impl<'a> From<&'a finding::Baselined> for Baseline<'a> {
    fn from(baselined: &'a finding::Baselined) -> Self {
        let gone = baselined.gone.iter().map(|entry| Gone {
            fingerprint: &entry.fingerprint,
            check: &entry.check,
            target: entry.target.as_deref(),
            dep: entry.dep.as_deref(),
            module: entry.module.as_deref(),
            path: &entry.path,
        });
        Self { known: baselined.known, expired: baselined.expired, gone: gone.collect() }
    }
}

impl From<finding::Coverage> for Coverage {
    fn from(coverage: finding::Coverage) -> Self {
        Self {
            packages: coverage.packages,
            packages_failed: coverage.packages_failed,
            python_files: coverage.python_files,
            python_files_failed: coverage.python_files_failed,
            targets: coverage.targets,
            unknown_rules: coverage.unknown_rules,
        }
    }
}

impl<'a> Finding<'a> {
    fn new(finding: &'a finding::Finding, fingerprint: String) -> Self {
        let region = &finding.region;
        let evidence = |evidence: &'a finding::Evidence| Evidence {
            path: &evidence.path,
            line: evidence.line,
            text: &evidence.text,
        };
        Self {
            fingerprint,
            check: finding.check.as_str(),
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            target: finding.target.as_ref().map(ToString::to_string),
            dep: finding.dep.as_ref().map(ToString::to_string),
            module: finding.module.as_deref(),
            path: region.path.as_str(),
            line: region.line,
            column: region.column,
            end_line: region.end_line,
            end_column: region.end_column,
            message: &finding.message,
            owner: None,
            evidence: finding.evidence.iter().map(evidence).collect(),
            fix: None,
        }
    }
}
