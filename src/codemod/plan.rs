//! Fixes in batches that a person can review: by owner, package or target, each buildable on top of those before it. Writes
//! nothing.

use super::buildozer;
use super::owners::{Codeowners, Owner};
use super::round::Round;
use crate::checks::Selection;
use crate::cost::History;
use crate::edits::{Contents, FileChange, Wanted};
use crate::error::Result;
use crate::finding::{Finding, FixSet, Saving};
use crate::label::Label;
use crate::progress::Progress;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// More rounds than this, and something goes in circles.
const MAX_ROUNDS: usize = 50;

/// What the fixes of a batch have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Who answers for the file.
    Owner,
    /// The package.
    Package,
    /// The target.
    Target,
}

/// What to plan.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The findings to fix.
    pub selection: &'a Selection,
    /// Whose findings; everybody's if there is no name. See [`super::Owned`].
    pub owners: &'a [String],
    /// Which fixes.
    pub wanted: Wanted,
    /// What the fixes of a batch have in common.
    pub by: By,
    /// The most files in one batch; a fix that needs more is a batch of its own.
    pub max_files: usize,
    /// Recent commits, to tell how many rebuilds a batch would have saved.
    pub history: Option<&'a History>,
    /// Which of the findings' fingerprints are to be fixed.
    pub filter: Filter<'a>,
}

/// Which fixes are made, by the fingerprints of the findings that they settle.
#[derive(Clone, Copy, Debug)]
pub enum Filter<'a> {
    /// All but those of these findings.
    LeaveOut(&'a BTreeSet<String>),
    /// Those of these findings alone.
    Only(&'a BTreeSet<String>),
}

impl Filter<'_> {
    /// Whether a fix is made that settles findings with these fingerprints.
    pub fn takes(self, fingerprints: &[String]) -> bool {
        match self {
            Self::LeaveOut(left_out) => fingerprints.iter().all(|one| !left_out.contains(one)),
            Self::Only(only) => fingerprints.iter().any(|one| only.contains(one)),
        }
    }
}

/// A fix with what it settles.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedFix {
    /// What is done.
    pub set: FixSet,
    /// The findings that it settles, in the order of reports.
    pub findings: Vec<Finding>,
    /// Their fingerprints, see [`crate::finding::Report::fingerprints`].
    pub fingerprints: Vec<String>,
}

/// Fixes that go together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What they have in common: an owner, a package or a target.
    pub key: String,
    /// Who answers for them.
    pub owner: Option<Owner>,
    /// In which round they became possible, from 0.
    pub round: usize,
    /// The fixes.
    pub fixes: Vec<PlannedFix>,
    /// The targets that are another afterwards, sorted; some may be gone.
    pub targets: Vec<Label>,
    /// What they save together, once the batches of the rounds before are made.
    pub saving: Saving,
    /// The same for buildozer.
    pub steps: Vec<(buildozer::Rule, buildozer::Change)>,
    /// What becomes of the files, once the batches before this one are made.
    pub changes: Vec<FileChange>,
}

impl Batch {
    /// The findings that it settles, in the order of reports.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.fixes.iter().flat_map(|fix| &fix.findings)
    }
}

/// Batches in the order in which they are to be made.
#[derive(Debug, Default)]
pub struct Plan {
    /// The batches.
    pub batches: Vec<Batch>,
    /// Findings whose fix could not be proven, and why.
    pub refused: Vec<(Finding, String)>,
    /// How many fixes the filter left out.
    pub left_out: usize,
}

/// Plans the fixes, round by round: what a round makes unused comes in the next.
pub fn plan(
    workspace: &Workspace,
    request: Request<'_>,
    codeowners: &Codeowners,
    progress: &dyn Progress,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut contents = Contents::new();
    // A fingerprint is that of another finding once its own is settled: each is good for one fix.
    let mut only = match request.filter {
        Filter::Only(only) => only.clone(),
        Filter::LeaveOut(_) => BTreeSet::new(),
    };
    for number in 0..MAX_ROUNDS {
        let changed = workspace.with_contents(&contents);
        let filter = match request.filter {
            Filter::Only(_) => Filter::Only(&only),
            left_out @ Filter::LeaveOut(_) => left_out,
        };
        let request = Request { filter, ..request };
        let round = Round { workspace: &changed, request, codeowners, number };
        let made = round.run(usize::MAX, progress, |made, _| Ok(made))?;
        for change in made.batches.iter().flat_map(|batch| &batch.changes) {
            contents.insert(change.path.clone(), change.after.clone());
        }
        for fix in made.batches.iter().flat_map(|batch| &batch.fixes) {
            only.retain(|fingerprint| !fix.fingerprints.contains(fingerprint));
        }
        let is_over = made.batches.is_empty();
        plan.batches.extend(made.batches);
        plan.refused = made.refused;
        plan.left_out = made.left_out;
        if is_over {
            break;
        }
    }
    Ok(plan)
}
