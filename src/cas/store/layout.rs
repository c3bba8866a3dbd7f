//! Where things lie in a store's directory, and how its files are told from files that somebody changed. Touches the store only.
//!
//! | path | holds |
//! |---|---|
//! | `VERSION` | layout and digest function |
//! | `cas/<function>/ab/<hash>` | contents, mode 0444 |
//! | `cas-x/<function>/ab/<hash>` | contents that are executable, mode 0555: the bit is never shared through one inode |
//! | `tmp/<lease>/` | what is being written under a lease |
//! | `leases/` | one locked file for each who works with the store |
//! | `ac/`, `refs/` | action results and names, see `records` |
//! | `stat/`, `trees/` | what is known of packed and materialized directories |
//! | `remotes/` | what servers are known to have |
//! | `trash/` | what is between its place and being deleted |
//! | `quarantine/` | contents that were not what their name says |

use crate::cas::digest::{Digest, DigestFunction};
use crate::error::{Error, Result};
use std::io;
use std::path::Path;

/// Seconds since 1970 that every object's modification time says: 2000-01-01. Whoever writes to an object through a hard
/// link changes it, so that one look at the inode tells. Not 0, since zip files know no time before 1980.
pub(crate) const SENTINEL: i64 = 946_684_800;

/// Directories that every store has.
pub(super) const DIRECTORIES: [&str; 8] =
    ["cas", "cas-x", "tmp", "leases", "ac", "refs", "stat", "trees"];

/// The directory of damaged contents, made when there are some.
pub(super) const QUARANTINE: &str = "quarantine";

/// Which of the two inodes of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    /// Mode 0444.
    Plain,
    /// Mode 0555.
    Executable,
}

impl Twin {
    pub(crate) const fn of(is_executable: bool) -> Self {
        if is_executable { Self::Executable } else { Self::Plain }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Plain => Self::Executable,
            Self::Executable => Self::Plain,
        }
    }

    pub(super) const fn directory(self) -> &'static str {
        match self {
            Self::Plain => "cas",
            Self::Executable => "cas-x",
        }
    }

    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Plain => 0o444,
            Self::Executable => 0o555,
        }
    }
}

/// The path of a content below the store's directory.
pub(super) fn object(function: DigestFunction, twin: Twin, digest: &Digest) -> String {
    format!("{}/{}", shard(function, twin, digest.hash()[0]), digest.hex())
}

/// The directory of the contents whose hash begins with a byte, below the store's directory.
pub(super) fn shard(function: DigestFunction, twin: Twin, first: u8) -> String {
    format!("{}/{}/{first:02x}", twin.directory(), function.name())
}

/// What a look at an object's inode tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(super) size: u64,
    /// Whether nobody has written to it or changed its mode since it was put here.
    pub(super) is_untouched: bool,
    /// When it was last used, in seconds since 1970.
    pub(super) used: i64,
}

impl Look {
    pub(super) fn of(stat: &rustix::fs::Stat, twin: Twin) -> Self {
        let is_unwritten = stat.st_mtime == SENTINEL && stat.st_mtime_nsec == 0;
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            is_untouched: is_unwritten && stat.st_mode & 0o7777 == twin.mode(),
            used: stat.st_atime,
        }
    }
}

/// The error of a failed operation on a file.
pub(crate) fn failed(what: &str, path: &Path, error: impl Into<io::Error>) -> Error {
    Error::new(format!("cannot {what}")).at(path.display().to_string()).cause(error.into())
}

/// `None` if there is no such file.
pub(crate) fn found<T>(
    result: rustix::io::Result<T>,
    what: &str,
    path: &Path,
) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(failed(what, path, error)),
    }
}
