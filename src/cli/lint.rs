//! `secateur lint`: findings, to stdout and to files.

use super::args::{Edits, Lint};
use super::codemod::codeowners;
use super::context::Context;
use super::exit::Exit;
use super::fix;
use super::narrow::{Narrow, Scope};
use super::publish::{formats, write_report};
use super::revision::Then;
use super::selection;
use super::verdict::verdict;
use super::work_tree;
use crate::buck::Evaluator;
use crate::checks::Selection;
use crate::codemod::owners::Codeowners;
use crate::cost::{GraphChange, Ledger};
use crate::edits::Prover;
use crate::error::Result;
use crate::finding::{FixSet, Known, Report, Safety};
use crate::graph::Graph;
use crate::progress::{Progress, Stoppable};
use crate::report::Format;
use crate::since::{self, Found, Revision, Watch};
use crate::workspace::{Cells, Workspace};
use crate::{checks, codemod, edits, graph};
use rayon::prelude::*;
use std::sync::OnceLock;

pub(super) fn run(args: &Lint, context: &mut Context<'_>) -> Result<Exit> {
    let mut workspace = context.open()?;
    let selection = selection::selection(args, &workspace)?;
    if args.fix.is_some() || args.diff {
        return fix::run(args, &workspace, &selection, context);
    }
    let narrow = Narrow::read(args, &workspace.root, context)?;
    // The state of then that later runs compare with is a state that was new once.
    let is_watched = workspace.cache.is_on() || args.since.is_some();
    let watch = is_watched.then(|| Watch::begin(&mut workspace));
    let cells = graph::configurations(&workspace)?;
    let job = Job {
        args,
        workspace: &workspace,
        cells: &cells,
        selection: &selection,
        narrow: &narrow,
        codeowners: OnceLock::new(),
        watch: watch.as_ref(),
    };
    let mut report = context.work(|progress| match &args.since {
        Some(name) => job.report_since(name, progress),
        None => job.report(progress),
    })?;
    report.prefix = work_tree::prefix(&workspace.root);
    write_report(args, &report, &workspace, context)?;
    let exit = verdict(args, &report, &workspace, context);
    // The process ends soon, and frees all of it at once.
    std::mem::forget((workspace, report));
    Ok(exit)
}

/// One run, and what was asked of it.
struct Job<'a> {
    args: &'a Lint,
    workspace: &'a Workspace,
    cells: &'a [Cells],
    selection: &'a Selection,
    narrow: &'a Narrow<'a>,
    codeowners: OnceLock<Codeowners>,
    /// Watches what this run reads.
    watch: Option<&'a Watch>,
}

impl Job<'_> {
    fn report(&self, progress: &dyn Progress) -> Result<Report> {
        let (evaluators, graph) = self.graph(offers(self.args), progress)?;
        let everything = || self.everything(&graph, &Known::Nothing, progress);
        let (mut report, _) = rayon::join(everything, || self.codeowners());
        self.keep(&report, None);
        checks::select(&mut report, &graph, self.selection);
        self.scope(&graph)?.apply(&mut report);
        Ok(self.finish(report, graph, evaluators, progress))
    }

    /// Most changes matter: the state of now is read while the other program looks for them.
    fn report_since(&self, name: &str, progress: &dyn Progress) -> Result<Report> {
        let with_evaluators = offers(self.args) || !self.workspace.cache.is_on();
        let now = Stoppable::new(progress);
        let then = || {
            let then = Then::find(name, self.workspace);
            if !then.as_ref().is_ok_and(|then| then.matters) {
                now.stop();
            }
            then
        };
        let (then, graph) = rayon::join(then, || self.graph(with_evaluators, &now));
        let mut then = then?;
        if !then.matters {
            return Ok(Report::unaffected(name));
        }
        let (evaluators, graph) = graph?;
        let report = match then.found.take() {
            Some(found) => self.compare_with_found(&then.revision, found, &graph, progress)?,
            None => self.compare_with_unknown(&then, &evaluators, &graph, progress)?,
        };
        Ok(self.finish(report, graph, evaluators, progress))
    }

    fn compare_with_found(
        &self,
        revision: &Revision,
        mut found: Found,
        graph: &Graph,
        progress: &dyn Progress,
    ) -> Result<Report> {
        let before = std::mem::take(&mut found.report);
        let graph_then = || graph::build(&revision.workspace(self.workspace)?, progress);
        let mut before = revision.under_names_of_today(before, graph_then, graph)?;
        let known = if self.narrow.reads_evidence() { Known::Nothing } else { Known::of(&before) };
        let everything = || self.everything(graph, &known, progress);
        let (report, _) = rayon::join(everything, || self.codeowners());
        let report = self.introduced(revision, report, &mut before, Some(&found), graph)?;
        if !report.findings.iter().any(|finding| known.has(finding)) {
            return Ok(report);
        }
        // One more of a kind that was there before is told in full.
        let report = self.everything(graph, &Known::Nothing, progress);
        self.introduced(revision, report, &mut before, Some(&found), graph)
    }

    /// What there was to find then is found as well.
    fn compare_with_unknown(
        &self,
        then: &Then,
        evaluators: &[Evaluator<'_>],
        graph: &Graph,
        progress: &dyn Progress,
    ) -> Result<Report> {
        let revision = &then.revision;
        let before = || {
            let mut state = revision.workspace(self.workspace)?;
            if !self.workspace.cache.is_on() {
                return revision.report(&state, evaluators, graph, progress);
            }
            let report = revision.report_and_keep(&mut state, graph, progress);
            then.record(self.workspace, since::find(&state).as_ref());
            report
        };
        let everything = || self.everything(graph, &Known::Nothing, progress);
        let (report, before) = rayon::join(everything, before);
        self.introduced(revision, report, &mut before?, None, graph)
    }

    /// Of all findings, those that are wanted and were not there before.
    fn introduced(
        &self,
        revision: &Revision,
        mut report: Report,
        before: &mut Report,
        found: Option<&Found>,
        graph: &Graph,
    ) -> Result<Report> {
        let keep = || self.keep(&report, found);
        before.prints = Some(rayon::join(keep, || before.fingerprints()).1);
        checks::select(&mut report, graph, self.selection);
        let prints = report.fingerprints();
        report.prints = Some(prints.clone());
        let scope = self.scope(graph)?;
        scope.apply(&mut report);
        report.leave_out_older(before, &prints, &revision.name, &|it| scope.wants(it));
        Ok(report)
    }

    fn keep(&self, report: &Report, found: Option<&Found>) {
        if let Some(watch) = self.watch {
            watch.keep(self.workspace, report, found);
        }
    }

    /// The graph, with the evaluations behind it if they are asked for.
    fn graph(
        &self,
        with_evaluators: bool,
        progress: &dyn Progress,
    ) -> Result<(Vec<Evaluator<'_>>, Graph)> {
        if with_evaluators {
            graph::build_and_keep(self.workspace, self.cells, progress)
        } else {
            Ok((Vec::new(), graph::build(self.workspace, progress)?))
        }
    }

    fn everything(&self, graph: &Graph, known: &Known, progress: &dyn Progress) -> Report {
        checks::everything(self.workspace, graph, known, progress)
    }

    /// Adds what a report shows besides its findings.
    fn finish(
        &self,
        mut report: Report,
        graph: Graph,
        evaluators: Vec<Evaluator<'_>>,
        progress: &dyn Progress,
    ) -> Report {
        self.name_owners(&graph, &mut report);
        if offers(self.args) {
            self.offer(&mut report, &graph, &evaluators, progress);
        }
        std::mem::forget((graph, evaluators));
        report
    }

    fn scope<'s>(&'s self, graph: &'s Graph) -> Result<Scope<'s>> {
        self.narrow.scope(self.workspace, graph, self.selection, self.codeowners())
    }

    /// Read when it is first asked for.
    fn codeowners(&self) -> &Codeowners {
        self.codeowners.get_or_init(|| codeowners(self.workspace))
    }

    /// Says who answers for what, where a report shows it.
    fn name_owners(&self, graph: &Graph, report: &mut Report) {
        if formats(self.args).any(Format::has_owners) {
            let codeowners = self.codeowners();
            let owner = |finding| {
                let owner = codemod::owner_of(self.workspace, graph, codeowners, finding);
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
