//! What would settle a finding, as a change in meaning; its text is made elsewhere. Pure values; touches nothing.

use crate::buck::LiteralId;
use crate::label::Label;
use crate::source::ProjectPath;

/// Whether a fix can be made without a person looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Changes nothing that anybody can see, but for what it costs to build.
    Safe,
    /// Rests on something that could not be told.
    Unsafe,
}

/// A dependency that goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addition {
    /// The target that gets it.
    pub to: Label,
    /// What it will depend on.
    pub dep: Label,
}

/// Changes that only make sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixSet {
    /// Whether it can be made unseen.
    pub safety: Safety,
    /// What goes.
    pub removals: Vec<Removal>,
    /// Dead sources that use what goes: they are deleted with it.
    pub deletions: Vec<ProjectPath>,
    /// What comes, so that whoever leaned on what goes keeps what it needs.
    pub additions: Vec<Addition>,
}
