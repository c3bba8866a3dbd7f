//! Fixes that broke a build, kept so that they are left out of later plans. Pure values; touches nothing.

use super::bisect::Outcome;
use super::plan::PlannedFix;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The name of the file among our records.
pub const QUARANTINE: &str = "quarantine.json";
/// Rises when an older program could misread the file.
const SCHEMA_VERSION: u32 = 1;

/// A finding whose fix broke a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// What stays the same when lines move, see [`crate::finding::Report::fingerprints`].
    pub fingerprint: String,
    /// The name of the check.
    pub check: String,
    /// The file that the finding was in.
    pub path: String,
    /// The line it was in.
    pub line: u32,
    /// What it said.
    pub message: String,
}

/// Fixes that fail together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingSet {
    /// The findings that each of them would have settled, fix by fix.
    pub fixes: Vec<Vec<Suspect>>,
    /// How their test ended.
    pub outcome: Outcome,
    /// The command.
    pub command: String,
    /// The file that has what the command said, relative to the project root; or why there was nothing to run.
    pub log: String,
}

/// All sets of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// In the order in which they were found.
    pub sets: Vec<FailingSet>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk<S> {
    schema_version: u32,
    sets: S,
}

impl FailingSet {
    /// The fingerprints of all its findings.
    pub fn fingerprints(&self) -> impl Iterator<Item = &String> {
        self.fixes.iter().flatten().map(|suspect| &suspect.fingerprint)
    }
}

/// What a fix would have settled.
pub(super) fn suspects(fix: &PlannedFix) -> Vec<Suspect> {
    let suspect = |(finding, fingerprint): (&crate::finding::Finding, &String)| Suspect {
        fingerprint: fingerprint.clone(),
        check: finding.check.as_str().to_owned(),
        path: finding.region.path.to_string(),
        line: finding.region.line,
        message: finding.message.clone(),
    };
    fix.findings.iter().zip(&fix.fingerprints).map(suspect).collect()
}

impl Quarantine {
    /// Reads the file; `None` if there is none.
    pub fn read(bytes: Option<&[u8]>) -> Result<Self> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        let place = format!(".secateur/{QUARANTINE}");
        let damaged = |message: String| {
            Error::new(message).at(&place).hint("repair the file, or remove it to try all fixes")
        };
        let file: OnDisk<Vec<FailingSet>> =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(damaged("the file is that of another secateur".to_owned()));
        }
        Ok(Self { sets: file.sets })
    }

    /// The bytes of the file.
    pub fn write(&self) -> Result<Vec<u8>> {
        let file = OnDisk { schema_version: SCHEMA_VERSION, sets: &self.sets };
        let mut bytes = serde_json::to_vec_pretty(&file)
            .map_err(|error| Error::new(format!("cannot be written: {error}")).at(QUARANTINE))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The fingerprints of findings that are left alone.
    pub fn fingerprints(&self) -> BTreeSet<String> {
        self.sets.iter().flat_map(FailingSet::fingerprints).cloned().collect()
    }

    /// Takes up what a batch showed: fixes that were kept are free, and those that failed have a new reason.
    pub fn update(&mut self, kept: &BTreeSet<String>, failed: &[FailingSet]) {
        let failed_now: BTreeSet<&String> =
            failed.iter().flat_map(FailingSet::fingerprints).collect();
        self.sets.retain(|set| {
            !set.fingerprints().any(|one| kept.contains(one) || failed_now.contains(one))
        });
        self.sets.extend_from_slice(failed);
    }
}
