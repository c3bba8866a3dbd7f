//! `secateur lint`: findings, to stdout and to files.

use super::args::{Edits, Lint};
use super::codemod::codeowners;
use super::context::Context;
use super::exit::Exit;
use super::fix;
use super::narrow::{Narrow, Scope};
use super::publish::{formats, write_report};
use super::revision;
use super::selection;
use super::verdict::verdict;
use super::work_tree;
use crate::buck::Evaluator;
use crate::checks::Selection;
use crate::codemod::owners::Codeowners;
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
            let codeowners = codeowners(&workspace);
            let job = Job {
                args,
                workspace: &workspace,
                selection: &selection,
                narrow: &narrow,
                codeowners: &codeowners,
            };
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
    narrow: &'a Narrow<'a>,
    codeowners: &'a Codeowners,
}

impl Job<'_> {
    fn report(&self, revision: Option<&Revision>, progress: &dyn Progress) -> Result<Report> {
        let workspace = self.workspace;
        let check = |graph: &Graph| checks::run(workspace, graph, self.selection, progress);
        if revision.is_none() && !offers(self.args) {
            let graph = graph::build(workspace, progress)?;
            let mut report = check(&graph);
            self.scope(&graph)?.apply(&mut report);
            self.name_owners(&graph, &mut report);
            // The process ends soon, and frees all of it at once.
            std::mem::forget(graph);
            return Ok(report);
        }
        let cells = graph::configurations(workspace)?;
        let (evaluators, graph) = graph::build_and_keep(workspace, &cells, progress)?;
        let before = |revision: &Revision| {
            let then = revision.workspace(workspace)?;
            revision.report(&then, &evaluators, &graph, progress)
        };
        let (mut report, before) =
            rayon::join(|| check(&graph), || revision.map(before).transpose());
        let found = report.fingerprints();
        let scope = self.scope(&graph)?;
        scope.apply(&mut report);
        if let (Some(revision), Some(before)) = (revision, before?) {
            report.leave_out_older(&before, &found, &revision.name, &|it| scope.wants(it));
        }
        self.name_owners(&graph, &mut report);
        if offers(self.args) {
            self.offer(&mut report, &graph, &evaluators, progress);
        }
        std::mem::forget((graph, evaluators));
        Ok(report)
    }

    fn scope<'s>(&'s self, graph: &'s Graph) -> Result<Scope<'s>> {
        self.narrow.scope(self.workspace, graph, self.selection, self.codeowners)
    }

    /// Says who answers for what, where a report shows it.
    fn name_owners(&self, graph: &Graph, report: &mut Report) {
        if formats(self.args).any(Format::has_owners) {
            let owner = |finding| {
                let owner = codemod::owner_of(self.workspace, graph, self.codeowners, finding);
                owner.map(|owner| owner.to_string())
            };
            report.owners = report.findings.par_iter().map(owner).collect();
        }
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
