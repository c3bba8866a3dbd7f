//! What a file system says about a file: while it says the same, nothing was written to the file. Reads no contents.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Clocks of file systems tick this seldom, and may be this late.
const TICK: Duration = Duration::from_secs(2);

/// What tells one state of a file from the next: where it is, how long, when its contents and its inode last changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What a file held when it had a state.
#[derive(Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) stat: Stat,
    pub(super) digest: Digest,
}

impl Stat {
    /// That of a regular file; links are followed. `None` where the system tells too little.
    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "the contents are read in files.rs")]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// That of a regular file; links are followed. `None` where the system tells too little.
    #[cfg(not(unix))]
    pub(super) fn of(_path: &Path) -> Option<Self> {
        None
    }

    /// Whether a later change is sure to show: the last one was long enough before `now`, the time since the epoch at which
    /// nothing of the file was read yet. Git calls what is not "racily clean".
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        let limit = now.saturating_sub(TICK);
        let limit = (limit.as_secs().cast_signed(), i64::from(limit.subsec_nanos()));
        self.modified < limit && self.changed < limit
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::source::ProjectPath;
    use crate::workspace::{DiskFiles, Files};
    use std::fs;
    use std::sync::Arc;
    use std::time::SystemTime;

    #[test]
    fn a_file_is_settled_once_clocks_must_have_ticked() {
        let at = |seconds, nanoseconds| Stat {
            device: 1,
            inode: 1,
            size: 1,
            modified: (seconds, nanoseconds),
            changed: (seconds, 0),
        };
        let now = Duration::new(100, 500);
        assert!(at(97, 0).is_settled(now) && at(98, 499).is_settled(now));
        assert!(!at(98, 500).is_settled(now) && !at(99, 0).is_settled(now));
        // Of a clock that runs ahead.
        assert!(!at(200, 0).is_settled(now) && !at(0, 0).is_settled(Duration::ZERO));
    }

    /// A file that did not change is not read, and one that did is, whatever became of its size and its time.
    #[test]
    fn a_file_is_read_again_when_something_was_written_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let (file, path) = (dir.path().join("a"), ProjectPath::new("a"));
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let later = now + Duration::from_secs(10);
        let cache = Arc::new(Cache::open(&dir.path().join("cache"), later));
        let files = DiskFiles::new(dir.path()).with_cache(&cache);
        let is_read = || files.content(&path).unwrap().bytes.is_some();
        fs::write(&file, "one").unwrap();
        assert_eq!([is_read(), is_read()], [true, false]);
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        fs::write(&file, "two").unwrap();
        fs::File::open(&file).unwrap().set_modified(written).unwrap();
        let content = files.content(&path).unwrap();
        assert_eq!((content.digest, content.bytes.is_some()), (Digest::of(b"two"), true));
        fs::write(dir.path().join("b"), "two").unwrap();
        fs::rename(dir.path().join("b"), &file).unwrap();
        assert_eq!([is_read(), is_read()], [true, false]);
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(files.content(&path).is_err());
        // One that was just written may be written again within the same tick.
        let cache = Arc::new(Cache::open(&dir.path().join("other"), now));
        let files = DiskFiles::new(dir.path()).with_cache(&cache);
        fs::write(dir.path().join("c"), "").unwrap();
        let is_read = || files.content(&ProjectPath::new("c")).unwrap().bytes.is_some();
        assert_eq!([is_read(), is_read()], [true, true]);
    }
}
