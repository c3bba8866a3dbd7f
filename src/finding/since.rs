//! Findings that were there at a revision, and those that came since. Pure values.

use super::{Finding, Report};
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::collections::BTreeSet;
use std::hash::BuildHasher;

/// What became of findings since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The revision, as the user named it.
    pub revision: String,
    /// Findings that came.
    pub new: usize,
    /// Findings that went.
    pub fixed: usize,
    /// Findings that stayed; `None` if nobody looked, since nothing that changed could make or settle one.
    pub unchanged: Option<usize>,
    /// What could not be read is what could not be read before.
    pub is_complete: bool,
}

/// Findings that nobody will read.
#[derive(Clone, Debug)]
pub enum Known {
    /// None.
    Nothing,
    /// Those that were there before, by what they speak of. It may take others for them.
    Before(FxHashSet<u64>),
    /// All: they are only compared with.
    Everything,
}

impl Known {
    /// Those of a report.
    pub fn of(report: &Report) -> Self {
        Self::Before(report.findings.iter().map(hash).collect())
    }

    /// Whether a finding may be among them.
    pub fn has(&self, finding: &Finding) -> bool {
        match self {
            Self::Nothing => false,
            Self::Before(known) => known.contains(&hash(finding)),
            Self::Everything => true,
        }
    }
}

fn hash(finding: &Finding) -> u64 {
    let Finding { check, target, dep, module, region, .. } = finding;
    FxBuildHasher.hash_one((check, target, dep, module, &region.path))
}

impl Report {
    /// Nothing that changed since a revision can make or settle a finding.
    pub fn unaffected(revision: &str) -> Self {
        let revision = revision.to_owned();
        let since = Since { revision, new: 0, fixed: 0, unchanged: None, is_complete: true };
        Self { since: Some(since), ..Self::default() }
    }

    /// Leaves out findings that are not about something.
    pub fn leave_out_elsewhere(&mut self, is_about: impl Fn(&Finding) -> bool) {
        self.retain(|finding, _| is_about(finding));
    }

    /// Leaves out what `before` has, which holds all that there was; only those that are asked for count. `found` are the
    /// fingerprints of all that there is now, also of what was left out for other reasons.
    pub fn leave_out_older(
        &mut self,
        before: &Self,
        found: &[String],
        revision: &str,
        is_asked: &dyn Fn(&Finding) -> bool,
    ) {
        let older = before.fingerprints();
        let older_set: FxHashSet<&String> = older.iter().collect();
        let current: FxHashSet<&String> = found.iter().collect();
        let counted = before.findings.iter().zip(&older);
        let fixed =
            counted.filter(|(finding, print)| !current.contains(*print) && is_asked(finding));
        let fixed = fixed.count();
        let total = self.findings.len();
        let is_complete = self.is_as_complete_as(before);
        self.retain(|_, print| !older_set.contains(print));
        let new = self.findings.len();
        let revision = revision.to_owned();
        self.since =
            Some(Since { revision, new, fixed, unchanged: Some(total - new), is_complete });
    }

    fn is_as_complete_as(&self, before: &Self) -> bool {
        let known: BTreeSet<_> =
            before.problems.iter().map(|problem| (&problem.path, &problem.message)).collect();
        let is_new = |(path, message)| !known.contains(&(path, message));
        let costly = self.problems.iter().filter(|problem| problem.costs_targets());
        self.coverage.packages_failed <= before.coverage.packages_failed
            && self.coverage.python_files_failed <= before.coverage.python_files_failed
            && !costly.map(|problem| (&problem.path, &problem.message)).any(is_new)
    }
}
