//! `secateur keep`: findings that stay as they are, by comments that say why.

use super::args::{self, Lint};
use super::context::Context;
use super::exit::Exit;
use super::selection;
use crate::checks;
use crate::edits::{self, BatchInfo, FileChange, Prover};
use crate::error::{Error, Result};
use crate::finding::{Change, Report};
use crate::graph;
use crate::progress::Progress;
use crate::report;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

pub(super) fn run(args: &args::Keep, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let changes = context.work(|progress| changes(args, &workspace, progress))?;
    if args.diff {
        let look = context.look();
        context.write(|out| report::diff(&changes, look, out))?;
        return Ok(Exit::Clean);
    }
    let info = BatchInfo { title: format!("keep: {}", args.reason), remove_empty_dirs: false };
    let batch = edits::apply(&workspace.root, &changes, &info)?;
    let files = changes.len();
    let plural = if files == 1 { "" } else { "s" };
    context.write(|out| match batch {
        Some(batch) => writeln!(
            out,
            "wrote to {files} file{plural}; `secateur undo {}` takes it back",
            batch.id
        ),
        None => writeln!(out, "nothing was written"),
    })?;
    Ok(Exit::Clean)
}

fn changes(
    args: &args::Keep,
    workspace: &Workspace,
    progress: &dyn Progress,
) -> Result<Vec<FileChange>> {
    // As `lint` reports them: fingerprints count equals among what is reported.
    let selection = selection::selection(&Lint::default(), workspace)?;
    let cells = graph::configurations(workspace)?;
    let (evaluators, graph) = graph::build_and_keep(workspace, &cells, progress)?;
    let report = checks::run(workspace, &graph, &selection, progress);
    let chosen = chosen(&args.fingerprints, &report)?;
    progress.start("prove", None);
    let prover = Prover::new(workspace, &graph, &evaluators);
    let with_reasons: Vec<(usize, &str)> = chosen.iter().map(|at| (*at, &*args.reason)).collect();
    let keeps = prover.keeps(&report.findings, &with_reasons);
    let keep = |(at, keep): (&usize, std::result::Result<Change, String>)| {
        keep.map_err(|reason| match report.findings.get(*at) {
            Some(finding) => {
                let place = format!("{}:{}", finding.region.path, finding.region.line);
                Error::new(format!("cannot keep {}: {reason}", finding.check.as_str())).at(place)
            }
            None => Error::new(reason),
        })
    };
    let keeps: Vec<Change> = chosen.iter().zip(keeps).map(keep).collect::<Result<_>>()?;
    let contents = prover.propose(&keeps).map_err(Error::new)?;
    edits::changes(workspace, contents)
}

/// The positions of the findings that are meant.
fn chosen(fingerprints: &[String], report: &Report) -> Result<BTreeSet<usize>> {
    let all = report.fingerprints();
    let position = |wanted: &String| {
        let mut found = all.iter().enumerate().filter(|(_, one)| one.starts_with(&**wanted));
        match (found.next().filter(|_| !wanted.is_empty()), found.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some(_), Some(_)) => {
                let message = format!("more than one fingerprint begins with `{wanted}`");
                Err(Error::new(message).hint("write more of it"))
            }
            (None, _) => {
                let message = format!("no finding has the fingerprint `{wanted}`");
                Err(Error::new(message).hint("`secateur lint --format json` shows them"))
            }
        }
    };
    fingerprints.iter().map(position).collect()
}
