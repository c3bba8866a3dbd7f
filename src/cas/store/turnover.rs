//! Whether contents came or went, told without looking at them. Looks at the store's directories only.

use super::Store;
use super::layout::{Twin, shard};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What changes whenever a content whose hash begins with one byte comes or goes, by whatever hand: the inodes of the two
/// directories it may lie in, and the times of their last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turnover([(u64, i64, i64); 2]);

impl Store {
    /// The turnover of a shard at the moment `now`, in seconds since 1970 by the file system's clock. `None` while it could
    /// change without showing it: in the second of its last change.
    pub(crate) fn turnover(&self, first: u8, now: i64) -> Option<Turnover> {
        let of = |twin| {
            let found = fs::metadata(self.root.join(shard(self.function, twin, first))).ok()?;
            // The time of change is nobody's to set, unlike that of modification.
            (found.ctime() < now).then(|| (found.ino(), found.ctime(), found.ctime_nsec()))
        };
        Some(Turnover([of(Twin::Plain)?, of(Twin::Executable)?]))
    }
}
