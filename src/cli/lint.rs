//! `secateur lint`: findings, to stdout and to files.

use super::args::{Edits, Lint};
use super::codemod::codeowners;
use super::context::Context;
use super::exit::Exit;
use super::fix;
use super::narrow::Narrow;
use super::publish::{formats, write_report};
use super::revision;
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
use crate::since::Revision;
use crate::workspace::Workspace;
use crate::{checks, codemod, edits, graph};
use rayon::prelude::*;

pub(super) fn run(args: &Lint, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let selection = selection::selection(args, &workspace)?;
    if args.fix.is_some() || args.diff {
        return fix::run(args, &workspace, &selection, context);
    }
    let narrow = Narrow::read(args, &workspace.root, context)?;
    let revision = args.since.as_ref().map(|name| revision::read(&workspace.root, name));
    let revision = revision.transpose()?;
    let mut report = match &revision {
        Some(revision) if !revision.matters(&workspace)? => Report::unaffected(&revision.name),
        _ => {
            let job = Job { args, workspace: &workspace, selection: &selection, narrow: &narrow };
            context.work(|progress| job.report(revision.as_ref(), progress))?
        }
    };
    report.prefix = work_tree::prefix(&workspace.root);
    write_report(args, &report, &workspace, context)?;
    Ok(verdict(args, &report, &workspace, context))
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
            name_owners(self.args, workspace, &graph, &mut report);
            // The process ends soon, and frees all of it at once.
            std::mem::forget(graph);
            return Ok(report);
        }
        let cells = graph::configurations(workspace)?;
        let (evaluators, graph) = graph::build_and_keep(workspace, &cells, progress)?;
        let before = |revision: &Revision| {
            let then = revision.workspace(workspace)?;
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
        name_owners(self.args, workspace, &graph, &mut report);
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
    args.edits != Edits::None && formats(args).any(Format::has_edits)
}

/// What only reports for machines and reviewers say: who answers for what.
fn name_owners(args: &Lint, workspace: &Workspace, graph: &Graph, report: &mut Report) {
    if formats(args).any(Format::has_owners) {
        let codeowners = codeowners(workspace);
        let owner = |finding| codemod::owner_of(workspace, graph, &codeowners, finding);
        let owners =
            report.findings.par_iter().map(|finding| owner(finding).map(|it| it.to_string()));
        report.owners = owners.collect();
    }
}
