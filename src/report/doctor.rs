//! The report of `secateur doctor`: how the project is read, and where Buck2 says something else. Writes only to the writer
//! it is given.

use super::{Look, Verbosity, count, grouped, harmless};
use crate::label::Label;
use crate::source::Problem;
use crate::workspace::{Fact, Side};
use annotate_snippets::renderer::Style;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rises when a reader of the JSON form could break; new fields don't raise it.
const SCHEMA_VERSION: u32 = 1;
/// Messages that a report lists unless more is asked for.
const MESSAGES: usize = 10;

/// How a project is read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "secateur doctor --format json")]
pub struct Doctor {
    /// Rises when a reader of this form could break. New fields may come without it.
    schema_version: u32,
    /// The project root.
    #[serde(skip)]
    project: String,
    /// The cells, sorted by name.
    cells: Vec<DoctorCell>,
    /// Whether attributes of rules are known from the prelude on disk, else from a built-in table.
    prelude_on_disk: bool,
    /// Build files.
    build_files: usize,
    /// Build files of which a part could not be read.
    build_files_failed: usize,
    /// Targets.
    targets: usize,
    /// Targets of rules that are not known.
    unknown_rules: usize,
    /// What could not be read, found or run; sorted.
    problems: Vec<DoctorProblem>,
    /// What Buck2 says; null if it was not asked.
    buck2: Option<Comparison>,
}

/// What is known about a project without Buck2.
#[derive(Debug)]
pub struct Setup {
    /// The project root.
    pub project: String,
    /// The cells, sorted by name.
    pub cells: Vec<DoctorCell>,
    /// Whether the prelude is on disk.
    pub prelude_on_disk: bool,
    /// Build files, and those of which a part could not be read.
    pub build_files: (usize, usize),
    /// Targets, and those of rules that are not known.
    pub targets: (usize, usize),
    /// What could not be read, found or run; sorted.
    pub problems: Vec<Problem>,
}

impl Doctor {
    /// A report.
    pub fn new(setup: Setup, buck2: Option<Comparison>) -> Self {
        let problem = |problem: Problem| DoctorProblem {
            path: problem.path.to_string(),
            line: problem.line,
            kind: problem.kind.as_str(),
            message: problem.message,
        };
        Self {
            schema_version: SCHEMA_VERSION,
            project: setup.project,
            cells: setup.cells,
            prelude_on_disk: setup.prelude_on_disk,
            build_files: setup.build_files.0,
            build_files_failed: setup.build_files.1,
            targets: setup.targets.0,
            unknown_rules: setup.targets.1,
            problems: setup.problems.into_iter().map(problem).collect(),
            buck2,
        }
    }
}

/// A cell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorCell {
    /// Its name.
    pub name: String,
    /// Where its files come from.
    #[schemars(extend("enum" = ["disk", "bundled", "git"]))]
    pub origin: &'static str,
    /// Its directory, relative to the project root; empty for the root.
    pub root: String,
}

/// Something that could not be read, found or run.
#[derive(Debug, Serialize, JsonSchema)]
struct DoctorProblem {
    /// The file, relative to the project root.
    path: String,
    /// From 1, or 0 for the whole file.
    line: u32,
    /// Its class.
    kind: &'static str,
    /// What happened.
    message: String,
}

/// Buck2's answer against our reading.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// Where the answer is from: a file, or `buck2`.
    pub graph: String,
    /// Targets that Buck2 printed in packages that are on disk.
    pub targets: usize,
    /// Packages that Buck2 could not evaluate, and why.
    pub failed: BTreeMap<String, String>,
    /// Packages here of which Buck2 printed nothing.
    pub not_printed: Vec<String>,
    /// Dependencies in Buck2's graph that rules have by themselves: tools and toolchains. They are no differences.
    pub implicit: usize,
    /// What differs, sorted by target.
    pub differences: Vec<DoctorDifference>,
}

/// Something that Buck2 and we tell differently.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorDifference {
    /// The target.
    target: String,
    /// What differs.
    #[schemars(extend("enum" = ["target", "rule", "attribute", "dep", "source"]))]
    what: &'static str,
    /// Who has it; null if both have it and it differs.
    #[schemars(extend("enum" = [null, "buck2", "secateur"]))]
    only: Option<&'static str>,
    /// The attribute; null for targets and rules.
    attr: Option<String>,
    /// The dependency, the source, or Buck2's rule.
    value: Option<String>,
    /// The likely cause; null if there is no trace of one.
    cause: Option<String>,
    #[serde(skip)]
    text: String,
}

impl DoctorDifference {
    /// Words for a difference.
    pub fn new(target: &Label, fact: &Fact, cause: Option<String>) -> Self {
        let (what, side, attr, value) = match fact {
            Fact::Target(side) => ("target", Some(*side), None, None),
            Fact::Rule(_, theirs) => ("rule", None, None, Some(theirs.to_string())),
            Fact::Text(attr) => ("attribute", None, Some(attr), None),
            Fact::Dep(side, attr, to) => ("dep", Some(*side), Some(attr), Some(to.to_string())),
            Fact::Source(side, attr, _, of) => {
                ("source", Some(*side), Some(attr), Some(of.to_string()))
            }
        };
        let only = side.map(|side| match side {
            Side::Ours => "secateur",
            Side::Buck2 => "buck2",
        });
        let attr = attr.map(ToString::to_string);
        let text = words(fact);
        Self { target: target.to_string(), what, only, attr, value, cause, text }
    }
}

fn words(fact: &Fact) -> String {
    match fact {
        Fact::Target(Side::Buck2) => "only Buck2 has this target".to_owned(),
        Fact::Target(Side::Ours) => "Buck2 has no such target".to_owned(),
        Fact::Rule(ours, theirs) => format!("`{theirs}` for Buck2, `{ours}` here"),
        Fact::Text(attr) => format!("`{attr}` is something else for Buck2"),
        Fact::Dep(Side::Buck2, attr, to) => format!("only Buck2 has `{to}` in `{attr}`"),
        Fact::Dep(Side::Ours, attr, to) => format!("Buck2 has no `{to}` in `{attr}`"),
        Fact::Source(Side::Buck2, attr, _, of) => format!("only Buck2 has `{of}` in `{attr}`"),
        Fact::Source(Side::Ours, attr, _, of) => format!("Buck2 has no `{of}` in `{attr}`"),
    }
}

/// Writes the report as one JSON object.
pub fn doctor_json(doctor: &Doctor, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, doctor)?;
    writeln!(out)
}

/// The JSON Schema of the report, as `docs/schema/doctor.schema.json` holds it.
pub fn doctor_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Doctor>()
}

/// Writes the report for people.
pub fn doctor(doctor: &Doctor, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let head = |text: &str| look.paint(Style::new().bold(), format!("{text:9}")).to_string();
    let cells = doctor.cells.iter().map(|cell| match cell.origin {
        "bundled" => format!("{} (bundled with Buck2)", cell.name),
        "git" => format!("{} (from git)", cell.name),
        _ => cell.name.clone(),
    });
    let cells = cells.collect::<Vec<_>>().join(", ");
    let rules = if doctor.prelude_on_disk {
        "from the prelude on disk"
    } else {
        "from a built-in table: the prelude is not on disk"
    };
    writeln!(out, "{}{}", head("project"), harmless(&doctor.project))?;
    writeln!(out, "{}{}", head("cells"), harmless(cells))?;
    writeln!(out, "{}{rules}", head("rules"))?;
    writeln!(
        out,
        "{}{}, {}; part of {} could not be read, rules of {} are unknown",
        head("read"),
        count(doctor.build_files, "build file"),
        count(doctor.targets, "target"),
        count(doctor.build_files_failed, "build file"),
        count(doctor.unknown_rules, "target"),
    )?;
    problems(&doctor.problems, look, out)?;
    match &doctor.buck2 {
        Some(comparison) => compared(comparison, look, out),
        None => writeln!(
            out,
            "{}not on PATH; --graph-from FILE compares with what `buck2 targets //... --json-lines` printed",
            head("Buck2")
        ),
    }
}

/// Each message once, the most frequent first.
fn problems(problems: &[DoctorProblem], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut by_message: BTreeMap<&str, Vec<&DoctorProblem>> = BTreeMap::new();
    for problem in problems {
        by_message.entry(&problem.message).or_default().push(problem);
    }
    let mut messages: Vec<_> = by_message.into_iter().collect();
    messages.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
    let shown = if look.verbosity == Verbosity::Verbose { messages.len() } else { MESSAGES };
    for (message, places) in messages.iter().take(shown) {
        let Some(first) = places.first() else { continue };
        let more = if places.len() > 1 {
            format!(" and {} more", count(places.len() - 1, "place"))
        } else {
            String::new()
        };
        let place = harmless(&first.path);
        writeln!(out, "         {place}:{}{more}: {}", first.line, harmless(message))?;
    }
    match messages.len().saturating_sub(shown) {
        0 => Ok(()),
        left => writeln!(out, "         {}; -v lists them", count(left, "other problem")),
    }
}

fn compared(comparison: &Comparison, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = |text: String| look.paint(Style::new().bold(), text);
    let graph = harmless(&comparison.graph);
    let targets = count(comparison.targets, "target");
    writeln!(out, "{}{targets} in {graph}", bold(format!("{:9}", "Buck2")))?;
    for (package, reason) in &comparison.failed {
        writeln!(out, "         cannot evaluate {}: {}", harmless(package), harmless(reason))?;
    }
    let mut target = "";
    for difference in &comparison.differences {
        if difference.target != target {
            target = &difference.target;
            writeln!(out, "\n{}", bold(harmless(target)))?;
        }
        writeln!(out, "  {}", harmless(&difference.text))?;
        let cause = difference.cause.as_deref().unwrap_or(
            "no trace of the cause: other files, modes, or values of .buckconfig (-c) may be one",
        );
        writeln!(out, "    {}", harmless(cause))?;
    }
    let differences = match comparison.differences.len() {
        0 => "no differences".to_owned(),
        number => count(number, "difference"),
    };
    let mut parts = vec![differences];
    if comparison.implicit > 0 {
        parts
            .push(format!("{} more dependencies are the rules' own", grouped(comparison.implicit)));
    }
    if let Some(first) = comparison.not_printed.first() {
        let packages = count(comparison.not_printed.len(), "package");
        parts.push(format!("{packages} not in Buck2's graph, `{}` the first", harmless(first)));
    }
    writeln!(out, "\n{}", bold(parts.join("; ")))
}
