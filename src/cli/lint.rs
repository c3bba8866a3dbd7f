//! `secateur lint`: findings, to stdout and to files.

use super::args::{Edits, Lint, Output};
use super::context::Context;
use super::exit::Exit;
use super::fix;
use super::narrow::Narrow;
use super::output_error;
use super::revision;
use super::selection;
use crate::buck::Evaluator;
use crate::checks::Selection;
use crate::cost::{GraphChange, Ledger};
use crate::edits::Prover;
use crate::error::{Error, Result};
use crate::finding::{FixSet, Report, Safety};
use crate::graph::Graph;
use crate::progress::Progress;
use crate::report::Format;
use crate::since::Revision;
use crate::source::{Problem, ProjectPath};
use crate::workspace::Workspace;
use crate::{checks, edits, graph, report};

pub(super) fn run(args: &Lint, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let selection = selection::selection(args, &workspace)?;
    if args.fix.is_some() || args.diff {
        return fix::run(args, &workspace, &selection, context);
    }
    let narrow = Narrow::read(args, &workspace.root, context)?;
    let revision = args.since.as_ref().map(|name| revision::read(&workspace.root, name));
    let revision = revision.transpose()?;
    let report = match &revision {
        Some(revision) if !revision.matters(&workspace) => Report::unaffected(&revision.name),
        _ => {
            let job = Job { args, workspace: &workspace, selection: &selection, narrow: &narrow };
            context.work(|progress| job.report(revision.as_ref(), progress))?
        }
    };
    write_report(args, &report, &workspace, context)?;
    Ok(verdict(args, &report, &workspace))
}

/// One run, and what was asked of it.
struct Job<'a> {
    args: &'a Lint,
    workspace: &'a Workspace,
    selection: &'a Selection,
    narrow: &'a Narrow,
}

impl Job<'_> {
    fn report(&self, revision: Option<&Revision>, progress: &dyn Progress) -> Result<Report> {
        let workspace = self.workspace;
        let check = |graph: &Graph| checks::run(workspace, graph, self.selection, progress);
        if revision.is_none() && !offers(self.args) {
            let graph = graph::build(workspace, progress)?;
            let mut report = check(&graph);
            self.narrow.apply(&mut report, &graph, self.selection);
            // The process ends soon, and frees all of it at once.
            std::mem::forget(graph);
            return Ok(report);
        }
        let cells = graph::configurations(workspace)?;
        let evaluators: Result<Vec<Evaluator<'_>>> =
            cells.iter().map(|cells| Evaluator::new(workspace, cells, progress)).collect();
        let evaluators = evaluators?;
        let graph = graph::build_with(workspace, &evaluators, progress)?;
        let before = |revision: &Revision| {
            let then = revision.workspace(workspace);
            revision.report(&then, &evaluators, &graph, self.selection, progress)
        };
        let (mut report, before) =
            rayon::join(|| check(&graph), || revision.map(before).transpose());
        let found = report.fingerprints();
        self.narrow.apply(&mut report, &graph, self.selection);
        if let (Some(revision), Some(before)) = (revision, before?) {
            let least = self.selection.min_confidence;
            report.leave_out_older(&before, &found, &revision.name, least);
        }
        if offers(self.args) {
            self.offer(&mut report, &graph, &evaluators, progress);
        }
        std::mem::forget((graph, evaluators));
        Ok(report)
    }

    /// Proves the fixes that a report shows.
    fn offer(
        &self,
        report: &mut Report,
        graph: &Graph,
        evaluators: &[Evaluator<'_>],
        progress: &dyn Progress,
    ) {
        progress.start("prove", None);
        let prover = Prover::new(self.workspace, graph, evaluators);
        let edits = self.args.edits;
        let wanted = |fix: &FixSet| edits == Edits::All || fix.safety == Safety::Safe;
        let ledger = Ledger::new(self.workspace, graph, None);
        let saving = |fix: &FixSet| ledger.saving(&GraphChange::of_fixes(graph, [fix]));
        report.offers = edits::offers(self.workspace, &prover, report, wanted, saving);
    }
}

/// Whether some format of the report shows edits.
fn offers(args: &Lint) -> bool {
    let mut formats = args.output.iter().map(|output| output.format).chain([args.format]);
    args.edits != Edits::None && formats.any(|format| format == Format::Json)
}

/// Writes the report to stdout, and to the files of `--output`.
pub(super) fn write_report(
    args: &Lint,
    report: &Report,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<()> {
    let source = |path: &ProjectPath| text_of(workspace, path);
    for output in &args.output {
        write_file(output, report, &source, context)?;
    }
    let look = context.look();
    let bytes = context.work(|_| {
        let mut bytes = Vec::new();
        report::render(args.format, report, look, &source, &mut bytes).map_err(output_error)?;
        Ok(bytes)
    })?;
    context.write(|out| out.write_all(&bytes))
}

/// A file's text, for the lines that findings point to.
fn text_of(workspace: &Workspace, path: &ProjectPath) -> Option<String> {
    let text = String::from_utf8(workspace.files.read(path).ok()?).ok()?;
    // Columns don't count the byte order mark.
    Some(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}

#[expect(clippy::disallowed_methods, reason = "reports go where the user says")]
fn write_file(
    output: &Output,
    report: &Report,
    source: report::SourceText<'_>,
    context: &Context<'_>,
) -> Result<()> {
    let fail = |error| Error::new(format!("cannot write {}", output.file.display())).cause(error);
    let mut bytes = Vec::new();
    report::render(output.format, report, context.file_look(), source, &mut bytes).map_err(fail)?;
    std::fs::write(context.dir().join(&output.file), bytes).map_err(fail)
}

pub(super) fn verdict(args: &Lint, report: &Report, workspace: &Workspace) -> Exit {
    let threshold = selection::threshold(args, &workspace.settings.lint);
    let fails = |severity| threshold.is_some_and(|threshold| severity >= threshold);
    if args.exit_zero {
        Exit::Clean
    } else if report.findings.iter().any(|finding| fails(finding.severity)) {
        Exit::Findings
    } else if !args.allow_incomplete && !is_complete(report) {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

/// Whether everything was read, or all that was read at the revision; directories and loaded files are counted nowhere but among the problems.
fn is_complete(report: &Report) -> bool {
    if let Some(since) = &report.since {
        return since.is_complete;
    }
    report.coverage.is_complete() && !report.problems.iter().any(Problem::costs_targets)
}
