//! Fixes upon fixes: what becomes unused by one round of fixes is fixed in the next, until nothing is left. Writes nothing.

use super::change::FileChange;
use super::prove::{Contents, Prover};
use crate::checks::{self, Selection};
use crate::error::{Error, Result};
use crate::finding::{Finding, FixSet, Report, Safety};
use crate::graph;
use crate::progress::Progress;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// More rounds than this, and something goes in circles.
const MAX_ROUNDS: usize = 50;

/// What a cascade did.
#[derive(Debug, Default)]
pub struct Cascade {
    /// Findings that are fixed, with the number of the round from 0.
    pub fixed: Vec<(usize, Finding)>,
    /// Findings whose fix could not be proven, and why.
    pub refused: Vec<(Finding, String)>,
    /// What becomes of the files.
    pub changes: Vec<FileChange>,
    /// What is found before anything is fixed.
    pub before: Report,
    /// What is left to find afterwards.
    pub after: Report,
}

/// Which fixes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Safe ones.
    Safe,
    /// All that there are.
    All,
}

impl Wanted {
    /// Whether a fix is wanted.
    pub fn takes(self, fix: &FixSet) -> bool {
        self == Self::All || fix.safety == Safety::Safe
    }
}

/// Fixes what is selected, round by round, in memory.
///
/// Fails where the evaluation or the reading of a file does.
pub fn cascade(
    workspace: &Workspace,
    selection: &Selection,
    wanted: Wanted,
    progress: &dyn Progress,
) -> Result<Cascade> {
    let mut done = Cascade::default();
    let mut contents = Contents::new();
    for number in 0..MAX_ROUNDS {
        let changed = workspace.with_contents(&contents);
        let round = Round::run(&changed, selection, wanted, progress)?;
        if number == 0 {
            done.before.clone_from(&round.report);
        }
        let is_over = round.contents.is_empty();
        contents.extend(round.contents);
        done.fixed.extend(round.fixed.into_iter().map(|finding| (number, finding)));
        done.refused = round.refused;
        done.after = round.report;
        if is_over {
            break;
        }
    }
    done.changes = changes(workspace, contents)?;
    Ok(done)
}

struct Round {
    report: Report,
    fixed: Vec<Finding>,
    refused: Vec<(Finding, String)>,
    contents: Contents,
}

impl Round {
    fn run(
        workspace: &Workspace,
        selection: &Selection,
        wanted: Wanted,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let cells = graph::configurations(workspace)?;
        let (evaluators, graph) = graph::build_and_keep(workspace, &cells, progress)?;
        let report = checks::run(workspace, &graph, selection, progress);
        let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
        progress.start("prove", None);
        let prover = Prover::new(workspace, &graph, &evaluators);
        let combined = prover.combine(fixes.filter(|fix| wanted.takes(fix)));
        let made: BTreeSet<&FixSet> = combined.fixes.iter().copied().collect();
        let is_made = |finding: &&Finding| finding.fix.as_ref().is_some_and(|f| made.contains(f));
        let fixed = report.findings.iter().filter(is_made).cloned().collect();
        let reason = |finding: &Finding| {
            let refused =
                combined.refused.iter().find(|(fix, _)| finding.fix.as_ref() == Some(*fix));
            refused.map(|(_, reason)| (finding.clone(), reason.clone()))
        };
        let refused = report.findings.iter().filter_map(reason).collect();
        let contents = combined.contents;
        Ok(Self { report, fixed, refused, contents })
    }
}

/// What contents make of the files as they are.
///
/// Fails where a file cannot be read.
pub fn changes(workspace: &Workspace, contents: Contents) -> Result<Vec<FileChange>> {
    let change = |(path, after): (crate::source::ProjectPath, Option<Vec<u8>>)| {
        let before = workspace.files.read(&path);
        let before = before.map_err(|e| Error::new("cannot be read").at(path.as_str()).cause(e))?;
        Ok(FileChange { path, before, after })
    };
    contents.into_iter().map(change).collect()
}
