//! What is to be done outside after a message. Pure values; touches nothing.

use super::decisions::Decision;
use super::message::{Preview, Scope};
use crate::source::ProjectPath;
use std::collections::BTreeMap;

/// Something for the outside to do. The answer, if there is one, comes as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// End.
    Quit,
    /// Read everything anew.
    Analyse,
    /// Stop reading.
    Cancel,
    /// Try these fixes first, by fingerprint.
    Prefer(Vec<String>),
    /// Read a file.
    Read(ProjectPath),
    /// Keep the decisions for the next session.
    Save(BTreeMap<String, Decision>),
    /// Put together what was decided: the findings to fix, and those to keep with their reasons, by fingerprint.
    Combine {
        /// Findings whose fix is to be made.
        accepted: Vec<String>,
        /// Findings that get a comment, and what it says.
        kept: Vec<(String, String)>,
        /// What of it.
        scope: Scope,
    },
    /// Write it.
    Apply(Box<Preview>),
    /// Take a batch back.
    TakeBack(String),
    /// Write patches of what is accepted into a directory.
    Export {
        /// The directory, as it was typed.
        directory: String,
        /// Findings whose fix is to be made, by fingerprint.
        accepted: Vec<String>,
    },
    /// Run a command in the project root and show what it says.
    Verify(String),
    /// Open an editor at a line.
    Edit(ProjectPath, u32),
}
