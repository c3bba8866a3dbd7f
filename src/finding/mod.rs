//! What a check says: findings with place, confidence, evidence and fix. Pure values; touches nothing.

mod baseline;
mod check;
mod fix;
mod offer;
mod saving;
mod since;
mod size;

pub use baseline::{Baseline, Baselined, Entry, Renewal};
pub use check::CheckId;
pub use fix::{Addition, Change, FixSet, Keep, Removal, Safety};
pub use offer::{FileEdit, Offer};
pub use saving::{Rebuilds, Saving};
pub use since::{Known, Since};
pub use size::Size;

use crate::label::Label;
use crate::source::{Problem, ProjectPath, Span};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Worth a look.
    Possible,
    /// Something could not be told, but nothing speaks against it.
    Likely,
    /// Everything that could speak against it was read.
    Certain,
}

impl Confidence {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Note,
    /// Costs build time, or will break later.
    Warning,
    /// Breaks a build or a run.
    Error,
}

impl Severity {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where the reader should look. Lines and columns count from 1, columns in characters; the end is one past the last one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Region {
    /// The file.
    pub path: ProjectPath,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// One past the last column.
    pub end_column: u32,
    /// The same in bytes; empty if a whole line or file is meant.
    pub span: Span,
}

impl Region {
    /// The beginning of a line.
    pub fn line(path: ProjectPath, line: u32) -> Self {
        let line = line.max(1);
        Self { path, line, column: 1, end_line: line, end_column: 1, span: Span::default() }
    }
}

/// A place that speaks for a finding, with what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// The file, relative to the project root.
    pub path: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What it shows, in a few words.
    pub text: String,
}

/// One result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub check: CheckId,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The target to edit.
    pub target: Option<Label>,
    /// The other end, where the check speaks of a dependency.
    pub dep: Option<Label>,
    /// The dotted name, where the check speaks of a module.
    pub module: Option<String>,
    /// Where to look.
    pub region: Region,
    /// One sentence without a full stop.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, as one sentence without a full stop.
    pub hint: Option<String>,
    /// The change that would settle it, if there is one.
    pub fix: Option<FixSet>,
}

impl Finding {
    /// A finding with the check's own severity, and without evidence.
    pub fn new(check: CheckId, confidence: Confidence, region: Region, message: String) -> Self {
        Self {
            check,
            severity: check.default_severity(),
            confidence,
            target: None,
            dep: None,
            module: None,
            region,
            message,
            evidence: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// The same without what is there for readers: place, words, evidence and fix.
    #[must_use]
    pub fn outline(&self) -> Self {
        Self {
            severity: self.severity,
            target: self.target.clone(),
            dep: self.dep.clone(),
            module: self.module.clone(),
            ..Self::new(
                self.check,
                self.confidence,
                Region::line(self.region.path.clone(), 1),
                String::new(),
            )
        }
    }

    /// Orders findings for reports: by place, then check, then what they speak of.
    pub fn sort_key(&self) -> impl Ord + '_ {
        (&self.region, self.check, &self.target, &self.dep, &self.module, &self.message)
    }

    /// What stays the same when lines move: the check and the things it speaks of.
    pub fn identity(&self) -> String {
        let show = |label: &Option<Label>| label.as_ref().map(Label::to_string).unwrap_or_default();
        let module = self.module.as_deref().unwrap_or_default();
        let (target, dep) = (show(&self.target), show(&self.dep));
        format!("{}\0{target}\0{dep}\0{module}\0{}", self.check.as_str(), self.region.path)
    }
}

/// How much of the repository was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Build files.
    pub packages: usize,
    /// Build files of which a part could not be read or run, and directories that could not be listed.
    pub packages_failed: usize,
    /// Python files and notebooks.
    pub python_files: usize,
    /// Python files of which a part could not be read.
    pub python_files_failed: usize,
    /// Targets.
    pub targets: usize,
    /// Targets of a kind that is not known.
    pub unknown_rules: usize,
}

impl Coverage {
    /// Whether everything was read.
    pub fn is_complete(&self) -> bool {
        self.packages_failed == 0 && self.python_files_failed == 0
    }
}

/// All findings of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by [`Finding::sort_key`].
    pub findings: Vec<Finding>,
    /// What each finding can offer, in their order; empty if nobody asked.
    pub offers: Vec<Option<Offer>>,
    /// Who answers for each finding, in their order; empty if nobody asked.
    pub owners: Vec<Option<String>>,
    /// How much was read.
    pub coverage: Coverage,
    /// Findings that a comment silenced.
    pub suppressed: usize,
    /// What could not be read; sorted.
    pub problems: Vec<Problem>,
    /// What a baseline took out of the findings, if there is one.
    pub baseline: Option<Baselined>,
    /// What the comparison with a revision took out of them, if there was one.
    pub since: Option<Since>,
    /// Their fingerprints, once some findings were taken out: what is left keeps its number among equals.
    pub prints: Option<Vec<String>>,
    /// Where the project lies in its repository, with a slash at the end; empty at its root, or if there is none.
    pub prefix: String,
}

impl Report {
    /// Whether everything was read, or all that was read at the revision it is compared with; directories and loaded files are
    /// counted nowhere but among the problems.
    pub fn is_complete(&self) -> bool {
        if let Some(since) = &self.since {
            return since.is_complete;
        }
        self.coverage.is_complete() && !self.problems.iter().any(Problem::costs_targets)
    }

    /// What the finding at a position can offer.
    pub fn offer(&self, at: usize) -> Option<&Offer> {
        self.offers.get(at)?.as_ref()
    }

    /// Who answers for the finding at a position.
    pub fn owner(&self, at: usize) -> Option<&str> {
        self.owners.get(at)?.as_deref()
    }

    /// A path of the project as one of the repository, which is what reviewers see.
    pub fn in_repository(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Findings by check.
    pub fn summary(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.check.as_str()).or_default() += 1;
        }
        counts
    }

    /// A fingerprint for each finding, in their order: a digest of its identity, and of its number among equals.
    pub fn fingerprints(&self) -> Vec<String> {
        if let Some(prints) = &self.prints {
            return prints.clone();
        }
        let identities: Vec<String> = self.findings.par_iter().map(Finding::identity).collect();
        let mut seen: FxHashMap<&String, usize> = FxHashMap::default();
        let mut number = |identity| {
            let count: &mut usize = seen.entry(identity).or_default();
            *count += 1;
            *count - 1
        };
        let numbers: Vec<usize> = identities.iter().map(&mut number).collect();
        let print = |(identity, number): (&String, &usize)| {
            let digest = blake3::hash(format!("{identity}\0{number}").as_bytes());
            digest.to_hex()[..16].to_owned()
        };
        identities.par_iter().zip(&numbers).map(print).collect()
    }

    /// Takes out the findings whose fingerprints are not wanted. Nothing may have been offered so far.
    fn retain(&mut self, mut is_wanted: impl FnMut(&Finding, &String) -> bool) {
        let prints = self.prints.take().unwrap_or_else(|| self.fingerprints());
        let all = self.findings.drain(..).zip(prints);
        let wanted = all.filter(|(finding, print)| is_wanted(finding, print));
        let (findings, prints) = wanted.unzip();
        (self.findings, self.prints) = (findings, Some(prints));
    }
}
