//! A fix as bytes: what machine-readable reports offer. Pure values; touches nothing.

use super::{Safety, Saving};
use crate::source::ProjectPath;

/// Proven edits that settle a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Whether they can be made unseen.
    pub safety: Safety,
    /// Sorted by place; they don't overlap.
    pub edits: Vec<FileEdit>,
    /// What they save on their own.
    pub saving: Saving,
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileEdit {
    /// The bytes `start..end` become the replacement.
    Replace {
        /// The file.
        path: ProjectPath,
        /// First byte.
        start: u32,
        /// One past the last byte.
        end: u32,
        /// What stands there afterwards.
        replacement: String,
    },
    /// The file goes.
    Delete {
        /// The file.
        path: ProjectPath,
    },
}
