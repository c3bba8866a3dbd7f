//! What a verification knows: enough to go on after a stop. Pure values; touches nothing.

use super::bisect::Bisection;
use super::quarantine::FailingSet;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The name of the file among our records.
pub const STATE: &str = "verify.json";
/// Rises when an older program could misread the file.
const SCHEMA_VERSION: u32 = 1;

/// What decides how builds end. Outcomes of one setup say nothing about another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The command, placeholders unfilled.
    pub command: String,
    /// How long it may take, in seconds.
    pub timeout: Option<u64>,
    /// What is planned, and by which program: equal if the plans of one tree are.
    pub request: String,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    schema_version: u32,
    /// What is run.
    pub setup: Setup,
    /// Fingerprints of findings that are left alone since before the run; sorted.
    pub excluded: BTreeSet<String>,
    /// Whether the command succeeded on the tree without any fix.
    pub tree_passes: bool,
    /// How many builds were made, that of the tree without fixes not counted.
    pub builds: usize,
    /// Batches that are done.
    pub batches: Vec<BatchOutcome>,
    /// The batch that is being tested.
    pub current: Option<Current>,
    /// What may be in the tree and does not belong there.
    pub trial: Option<Trial>,
    /// Nothing is left to do.
    pub finished: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchOutcome {
    /// Its number in the journal, if anything of it was kept.
    pub batch: Option<String>,
    /// What it does, in one line.
    pub title: String,
    /// How many fixes it had.
    pub fixes: usize,
    /// How many of them are in the tree.
    pub kept: usize,
    /// How many were put off because they need a fix that is in quarantine.
    pub stranded: usize,
    /// Fixes that fail together.
    pub quarantined: Vec<FailingSet>,
    /// How many builds it took.
    pub builds: usize,
    /// The files that it touches, relative to the project root.
    pub files: Vec<String>,
}

/// A batch that is being tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Of the tree that was read, and of the fixes.
    pub digest: String,
    /// The search for the guilty fixes.
    pub bisection: Bisection,
    /// How many builds were made for it.
    pub builds: usize,
}

/// Changes that were about to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The last batch in the journal before them.
    pub after: Option<String>,
    /// Their title in the journal.
    pub title: String,
}

impl Current {
    /// How many builds it takes at most, if there is one culprit more than found so far.
    pub(super) fn builds_left(&self) -> usize {
        let Some(made) = self.bisection.tests().len().checked_sub(1) else { return 1 };
        let per_culprit = self.bisection.most_tests(1) - 1;
        per_culprit - made % per_culprit
    }
}

impl State {
    /// A run that has not begun.
    pub fn new(setup: Setup, excluded: BTreeSet<String>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            setup,
            excluded,
            tree_passes: false,
            builds: 0,
            batches: Vec::new(),
            current: None,
            trial: None,
            finished: false,
        }
    }

    /// Reads the file; `None` if there is none.
    pub fn read(bytes: Option<&[u8]>) -> Result<Option<Self>> {
        let Some(bytes) = bytes else { return Ok(None) };
        let place = format!(".secateur/{STATE}");
        let damaged = |message: String| {
            let hint = "see `secateur undo --list` for what is in the tree, then remove the file";
            Error::new(message).at(&place).hint(hint)
        };
        let state: Self =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if state.schema_version != SCHEMA_VERSION {
            return Err(damaged("the file is that of another secateur".to_owned()));
        }
        Ok(Some(state))
    }

    /// The bytes of the file.
    pub fn write(&self) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec_pretty(self);
        bytes.map_err(|error| Error::new(format!("cannot be written: {error}")).at(STATE))
    }

    /// Fingerprints of findings that are not to be fixed.
    pub fn left_out(&self) -> BTreeSet<String> {
        let failed = self.failing_sets().flat_map(FailingSet::fingerprints);
        self.excluded.iter().chain(failed).cloned().collect()
    }

    /// All sets that failed in this run.
    pub fn failing_sets(&self) -> impl Iterator<Item = &FailingSet> {
        self.batches.iter().flat_map(|batch| &batch.quarantined)
    }

    /// Forgets what is known of the tree. What failed stays in quarantine.
    pub(super) fn forget(&mut self) {
        let excluded = self.left_out();
        *self = Self::new(self.setup.clone(), excluded);
    }
}
