//! What Buck2 says about the targets of the project, and where that differs from what we read. Pure values; touches nothing.

use crate::label::{Label, PackageId};
use crate::source::ProjectPath;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Targets as Buck2 printed them.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Targets by label.
    pub targets: BTreeMap<Label, RecordedTarget>,
    /// Packages that Buck2 could not evaluate, and the first line of why.
    pub failed: BTreeMap<PackageId, String>,
    /// Attributes that some target prints.
    pub(super) attributes: BTreeSet<Box<str>>,
    /// Targets were printed under a configuration: branches of `select` that are not taken are missing, and whole targets.
    pub is_configured: bool,
}

/// One target of a [`Recording`]. `None` is what was not printed.
#[derive(Clone, Debug, Default)]
pub struct RecordedTarget {
    /// The rule's name, without the file that defines it.
    pub rule: Option<Box<str>>,
    /// `buck.deps`: everything it depends on, tools and toolchains included, whatever the configuration.
    pub deps: Option<BTreeSet<Label>>,
    /// `buck.inputs`: its files.
    pub inputs: Option<BTreeSet<ProjectPath>>,
    /// `buck.oncall`.
    pub oncall: Option<Box<str>>,
    /// Its other attributes. Files are relative to the package, labels have no configuration.
    pub attrs: Vec<(Box<str>, Value)>,
}

impl Recording {
    /// Whether a target that does not print an attribute has its default. All attributes are printed unless the user chose
    /// some, and only then no target has `visibility`.
    pub fn answers(&self, attribute: &str) -> bool {
        self.answers_all() || self.attributes.contains(attribute)
    }

    /// The same for all attributes.
    pub fn answers_all(&self) -> bool {
        self.attributes.contains("visibility")
    }

    /// Whether a printed target is all there is of it: with every attribute, and every branch of each `select`.
    pub fn tells_all(&self) -> bool {
        self.answers_all() && !self.is_configured
    }

    /// The packages of which some target was printed, and that did not fail.
    pub fn packages(&self) -> BTreeSet<&PackageId> {
        let packages = self.targets.keys().map(|label| &label.package);
        packages.filter(|package| !self.failed.contains_key(package)).collect()
    }
}

/// Who has something that the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// We, by our own evaluation.
    Ours,
    /// Buck2.
    Buck2,
}

/// Something that Buck2 and we tell differently about a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// Whether there is such a target.
    Target(Side),
    /// Its rule: ours and Buck2's.
    Rule(Box<str>, Box<str>),
    /// The text of an attribute that names modules or files.
    Text(Box<str>),
    /// A dependency: who has it, in which attribute, on what.
    Dep(Side, Box<str>, Label),
    /// A source: who has it, in which attribute, where it goes in the link tree if it says, and its path or label.
    Source(Side, Box<str>, Option<Box<str>>, Box<str>),
}

/// Facts that differ, by target.
pub type Differences = BTreeMap<Label, BTreeSet<Fact>>;

/// Buck2's answer, and where it differs from our evaluation of the files as they were when it was given.
#[derive(Debug)]
pub struct Outside {
    /// What Buck2 printed.
    pub recording: Recording,
    /// Where we differ. Edits that are tried later make no new differences.
    pub differences: Differences,
}
