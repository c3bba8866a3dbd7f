//! What a project offers to fix now, fix by fix, for somebody who decides about each. Writes nothing.

use super::affected;
use super::message::message;
use super::owners::Codeowners;
use super::plan::{PlannedFix, Request};
use super::round::Round;
use crate::edits::FileChange;
use crate::error::Result;
use crate::finding::FixSet;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// A batch of offers.
#[derive(Clone, Debug)]
pub struct OfferedBatch {
    /// What it does, in one line.
    pub subject: String,
    /// Its fixes.
    pub offers: Vec<Offered>,
}

/// A fix, and what it changes.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The fix.
    pub fix: PlannedFix,
    /// The fingerprints of what the fixes settle that it needs. They are in its changes.
    pub needs: Vec<String>,
    /// What it does to the files as they are, sorted by path; or why it cannot be shown alone.
    pub changes: std::result::Result<Vec<FileChange>, String>,
}

/// What can be fixed in the project as it is, and how many fixes the filter left out.
pub fn offered(
    workspace: &Workspace,
    request: Request<'_>,
    codeowners: &Codeowners,
    progress: &dyn Progress,
) -> Result<(Vec<OfferedBatch>, usize)> {
    let request = Request { history: None, ..request };
    let round = Round { workspace, request, codeowners, number: 0 };
    round.run(usize::MAX, progress, |plan, analysis| {
        let mut batches = Vec::new();
        for batch in &plan.batches {
            let sets: Vec<&FixSet> = batch.fixes.iter().map(|fix| &fix.set).collect();
            let needs = affected::needs(analysis.graph, &sets);
            let mut offers = Vec::new();
            for (at, fix) in batch.fixes.iter().enumerate() {
                let all = affected::with_needs(vec![at], &needs);
                let all: Vec<&PlannedFix> =
                    all.iter().filter_map(|at| batch.fixes.get(*at)).collect();
                let changes = analysis.changes(&all)?;
                let others = all.iter().filter(|other| other.set != fix.set);
                let needs = others.flat_map(|fix| fix.fingerprints.iter().cloned()).collect();
                offers.push(Offered { fix: fix.clone(), needs, changes });
            }
            batches.push(OfferedBatch { subject: message(batch).subject, offers });
        }
        Ok((batches, plan.left_out))
    })
}
