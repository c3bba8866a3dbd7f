//! `secateur lint`: findings, to stdout and to files.

use super::args::{Edits, Lint};
use super::baseline;
use super::codemod::codeowners;
use super::context::Context;
use super::exit::Exit;
use super::fix;
use super::publish::{formats, write_report};
use super::selection;
use super::verdict::verdict;
use super::work_tree;
use crate::buck::Evaluator;
use crate::checks::Selection;
use crate::cost::{GraphChange, Ledger};
use crate::edits::Prover;
use crate::error::Result;
use crate::finding::{FixSet, Report, Safety};
use crate::graph::Graph;
use crate::progress::Progress;
use crate::report::Format;
use crate::workspace::Workspace;
use crate::{checks, codemod, edits, graph};
use rayon::prelude::*;

pub(super) fn run(args: &Lint, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let selection = selection::selection(args, &workspace)?;
    if args.fix.is_some() || args.diff {
        return fix::run(args, &workspace, &selection, context);
    }
    let baseline = args.baseline.as_ref().map(|file| baseline::read(file, context)).transpose()?;
    let only_new = |report: &mut Report| {
        if let Some(baseline) = &baseline {
            baseline::leave_out(report, baseline, &selection);
        }
    };
    let report = context.work(|progress| {
        if offers(args) {
            return report_with_offers(args, &workspace, &selection, &only_new, progress);
        }
        let graph = graph::build(&workspace, progress)?;
        let mut report = checks::run(&workspace, &graph, &selection, progress);
        only_new(&mut report);
        complete(args, &workspace, &graph, &mut report);
        // The process ends soon, and frees all of it at once.
        std::mem::forget(graph);
        Ok(report)
    })?;
    write_report(args, &report, &workspace, context)?;
    Ok(verdict(args, &report, &workspace, context))
}

/// Whether some format of the report shows edits.
fn offers(args: &Lint) -> bool {
    args.edits != Edits::None && formats(args).any(Format::has_edits)
}

/// What only reports for machines and reviewers say: where the project lies, and who answers for what.
fn complete(args: &Lint, workspace: &Workspace, graph: &Graph, report: &mut Report) {
    report.prefix = work_tree::prefix(&workspace.root);
    if formats(args).any(Format::has_owners) {
        let codeowners = codeowners(workspace);
        let owner = |finding| codemod::owner_of(workspace, graph, &codeowners, finding);
        let owners =
            report.findings.par_iter().map(|finding| owner(finding).map(|it| it.to_string()));
        report.owners = owners.collect();
    }
}

fn report_with_offers(
    args: &Lint,
    workspace: &Workspace,
    selection: &Selection,
    only_new: &dyn Fn(&mut Report),
    progress: &dyn Progress,
) -> Result<Report> {
    let cells = graph::configurations(workspace)?;
    let evaluators: Result<Vec<Evaluator<'_>>> =
        cells.iter().map(|cells| Evaluator::new(workspace, cells, progress)).collect();
    let evaluators = evaluators?;
    let graph = graph::build_with(workspace, &evaluators, progress)?;
    let mut report = checks::run(workspace, &graph, selection, progress);
    only_new(&mut report);
    complete(args, workspace, &graph, &mut report);
    progress.start("prove", None);
    let prover = Prover::new(workspace, &graph, &evaluators);
    let wanted = |fix: &FixSet| args.edits == Edits::All || fix.safety == Safety::Safe;
    let ledger = Ledger::new(workspace, &graph, None);
    let saving = |fix: &FixSet| ledger.saving(&GraphChange::of_fixes(&graph, [fix]));
    report.offers = edits::offers(workspace, &prover, &report, wanted, saving);
    Ok(report)
}
