//! What would settle a finding, as changes in meaning; their text is made elsewhere. Pure values; touches nothing.

use super::CheckId;
use crate::buck::LiteralId;
use crate::label::Label;
use crate::source::{ProjectPath, Span};
use serde::{Deserialize, Serialize};

/// Whether a fix can be made without a person looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Safety {
    /// Changes nothing that anybody can see, but for what it costs to build.
    Safe,
    /// Rests on something that could not be told, or takes away what somebody may want.
    Unsafe,
}

impl Safety {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// A dependency as one literal gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Removal {
    /// The target that has it.
    pub from: Label,
    /// The target that it names.
    pub to: Label,
    /// The attribute it stands in.
    pub attr: Box<str>,
    /// The literal it was written as.
    pub literal: Option<LiteralId>,
}

/// A dependency that comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Addition {
    /// The target that gets it.
    pub to: Label,
    /// What it will depend on.
    pub dep: Label,
}

/// A comment `# secateur: keep[check] reason` that comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Keep {
    /// A build file, a file that it loads, or a Python source.
    pub path: ProjectPath,
    /// The bytes that it speaks of; `None` for a file as a whole.
    pub at: Option<Span>,
    /// Something else on the line is not meant: what is meant gets a line of its own.
    pub apart: bool,
    /// The check that it silences.
    pub check: CheckId,
    /// Why; one line.
    pub reason: Box<str>,
}

/// One change in meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Change {
    /// The file goes, and every mention of it as a source.
    DeleteFile(ProjectPath),
    /// The dependency goes.
    RemoveDep(Removal),
    /// The dependency comes, in `deps`.
    AddDep(Addition),
    /// The dependency becomes one on other targets.
    ReplaceDep(Removal, Vec<Label>),
    /// The mention of a source goes.
    RemoveSource(LiteralId),
    /// The target goes.
    DeleteTarget(Label),
    /// A `load` no longer brings the symbol with these bytes.
    RemoveLoad(ProjectPath, Span),
    /// A comment goes.
    RemoveComment(ProjectPath, Span),
    /// A comment that silences a check comes.
    AddKeep(Keep),
}

/// Changes that only make sense together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FixSet {
    /// Whether it can be made unseen.
    pub safety: Safety,
    /// What is done; sorted.
    pub changes: Vec<Change>,
}

impl FixSet {
    /// A set of changes, in any order.
    pub fn new(safety: Safety, changes: impl IntoIterator<Item = Change>) -> Self {
        let mut changes: Vec<Change> = changes.into_iter().collect();
        changes.sort();
        changes.dedup();
        Self { safety, changes }
    }

    /// The dependencies that it takes away.
    pub fn removals(&self) -> impl Iterator<Item = &Removal> {
        self.changes.iter().filter_map(|change| match change {
            Change::RemoveDep(removal) => Some(removal),
            _ => None,
        })
    }

    /// The dependencies that it adds.
    pub fn additions(&self) -> impl Iterator<Item = &Addition> {
        self.changes.iter().filter_map(|change| match change {
            Change::AddDep(addition) => Some(addition),
            _ => None,
        })
    }
}
