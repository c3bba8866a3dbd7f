//! What a bundle is made of before it is packed: paths, and where their contents are. Pure values; touches nothing.

use crate::error::Result;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

/// One path of a tree that is to be packed.
#[derive(Clone, Debug)]
pub struct SourceEntry {
    /// Where it will stand in the bundle: `/`-separated, relative, normal.
    pub path: String,
    /// What will stand there.
    pub node: SourceNode,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum SourceNode {
    /// A file on the disk.
    File(SourceFile),
    /// A file that is made here.
    Bytes {
        /// Its content.
        bytes: Vec<u8>,
        /// Whether it can be executed.
        is_executable: bool,
    },
    /// A symbolic link and where it leads.
    Link(String),
    /// A directory, which may be empty. Those above an entry need not be named.
    Directory,
}

/// A file on the disk that goes into a bundle.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it is.
    pub origin: PathBuf,
    /// Its inode when it was listed.
    pub stat: FileStat,
    /// Whether it can be executed.
    pub is_executable: bool,
    /// What is done to its bytes on the way.
    pub rewrite: Option<Arc<dyn Rewrite>>,
}

/// What tells that a file was not changed. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileStat {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// When its bytes were changed.
    pub mtime: i64,
    /// When its inode was changed.
    pub ctime: i64,
}

/// What is done to a file's bytes before they are stored, or to see whether they may be. Its outcome is remembered for as
/// long as the file and [`Rewrite::key`] stay the same.
pub trait Rewrite: Debug + Send + Sync {
    /// What the outcome depends on besides the bytes and the path: its own version, stats of other files.
    fn key(&self) -> Vec<u8>;

    /// The bytes that are stored; `None` leaves the file out.
    ///
    /// # Errors
    /// The file must not be packed.
    fn apply(&self, bytes: Vec<u8>) -> Result<Option<Vec<u8>>>;
}
