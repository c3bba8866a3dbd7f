//! What is asked for when a tree is materialized, and what was done. Pure values; touches nothing.

use crate::cas::digest::Digest;
use crate::cas::store::Durability;
use crate::cas::tree::Limits;
use std::fmt;
use std::sync::Arc;

/// How contents get from the store into a tree. What a file system cannot do is done in the next way that it can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The cheapest that shares no inode, else the cheapest.
    #[default]
    Auto,
    /// Shared blocks, else copies.
    Reflink,
    /// One inode for all trees and the store, else copies.
    Hardlink,
    /// Copies.
    Copy,
}

/// How a tree is materialized.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How contents get there.
    pub method: Method,
    /// What is taken from the manifest.
    pub limits: Limits,
    /// When it is waited for that the tree is on the disk. The record of a tree is worth no more than this after a power
    /// failure.
    pub durability: Durability,
    /// Whether every content is hashed before it is placed.
    pub verify: bool,
    /// Whether an update looks at every path that is there, not only at those that differ.
    pub check: bool,
    /// Whether what is not ours is replaced where it is in the way, or removed with what it lies in.
    pub force: bool,
    /// What goes wrong in a test.
    pub(crate) faults: Faults,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Files that were placed.
    pub files: u64,
    /// Directories that were made.
    pub directories: u64,
    /// Symbolic links that were made.
    pub links: u64,
    /// Entries of the tree before that are gone.
    pub removed: u64,
    /// Bytes of the files that were placed.
    pub bytes: u64,
    /// Those of them that take no space beside the store.
    pub shared_bytes: u64,
    /// Files that share their blocks with the store.
    pub reflinked: u64,
    /// Files that share their inode with the store.
    pub hardlinked: u64,
    /// Files that were copied. Empty ones are just made, and count nowhere but in `files`.
    pub copied: u64,
    /// What was there before.
    pub previous_root: Option<Digest>,
}

/// Where something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Point {
    /// Blocks are shared.
    Clone,
    /// An inode is shared.
    Link,
    /// A file is made.
    Create,
    /// A directory is made.
    Directory,
    /// A symbolic link is made.
    Symlink,
    /// Something is put over what is there.
    Rename,
    /// Something is taken away.
    Remove,
    /// Two directories change their names.
    Exchange,
    /// The record is written.
    Record,
    /// What is left over is taken away.
    Clean,
}

type Fault = dyn Fn(Point) -> rustix::io::Result<()> + Send + Sync;

/// What goes wrong in a test, and nothing otherwise.
#[derive(Clone, Default)]
pub(crate) struct Faults(Option<Arc<Fault>>);

impl Faults {
    /// Asks before each step.
    #[cfg(test)]
    pub(crate) fn new(
        fault: impl Fn(Point) -> rustix::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(fault)))
    }

    /// Whether the step goes wrong.
    pub(crate) fn at(&self, point: Point) -> rustix::io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |fault| fault(point))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Faults" } else { "no faults" })
    }
}
