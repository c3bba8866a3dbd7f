//! What a server had when it was last asked, so that it need not be asked again. One file in the store's directory, without
//! which everything works as well.
//!
//! A directory is known with everything below it: pushing a tree in which one file changed looks at the directories above
//! that file only. What is known ends after some time, and as a whole as soon as the server turns out to lack any of it.
#![expect(clippy::disallowed_methods, reason = "a file in the store's directory")]

use crate::cas::digest::{Digest, Hash};
use crate::cas::store::{Store, failed};
use crate::error::Result;
use rustc_hash::FxHashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a server keeps what it had, usually: those that clean up go by last use and take days.
pub const USUAL_TTL: Duration = Duration::from_hours(1);

/// Most entries that are kept: some 12 MB.
const MAX_ENTRIES: usize = 1 << 18;

/// What the file begins with; another form gets another number.
const MAGIC: &[u8; 8] = b"known 1\n";

/// Bytes of an entry: hash, size, and the time with what it is in the lowest bit.
const ENTRY: usize = 48;

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// What is known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// A content by itself.
    Content,
    /// A directory and everything below it.
    Tree,
}

/// What a server is known to have. Times are seconds since 1970.
#[derive(Debug)]
pub struct Known {
    path: Option<PathBuf>,
    now: u64,
    ttl: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: FxHashMap<(Digest, Kind), u64>,
    is_changed: bool,
}

impl Known {
    /// What is known of the server `url` and its namespace `instance`, at the time `now`; what was learnt longer ago than
    /// `ttl` is not known any more. A file that cannot be read or is damaged knows nothing.
    pub fn open(store: &Store, url: &str, instance: &str, now: u64, ttl: Duration) -> Self {
        let name = blake3::hash(format!("{url}\n{instance}").as_bytes()).to_hex();
        let path = store.root().join("remotes").join(name.as_str());
        let known = Self { path: Some(path), ..Self::nothing(now) };
        let known = Self { ttl: ttl.as_secs(), ..known };
        let bytes = known.path.as_deref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let entries = read(&bytes).unwrap_or_default();
        known.state().entries =
            entries.into_iter().filter(|(_, time)| known.is_fresh(*time)).collect();
        known
    }

    /// Nothing is known, and what is learnt is forgotten.
    pub fn nothing(now: u64) -> Self {
        Self { path: None, now, ttl: USUAL_TTL.as_secs(), state: Mutex::default() }
    }

    /// The time at which it was opened.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// When the server was seen to have a content.
    pub(super) fn content(&self, digest: &Digest) -> Option<u64> {
        self.state().entries.get(&(*digest, Kind::Content)).copied()
    }

    /// When the server was seen to have a directory and everything below it.
    pub(super) fn tree(&self, digest: &Digest) -> Option<u64> {
        self.state().entries.get(&(*digest, Kind::Tree)).copied()
    }

    /// The server has these contents now.
    pub(super) fn note_contents(&self, digests: &[Digest]) {
        let entries = digests.iter().map(|digest| ((*digest, Kind::Content), self.now));
        self.note(entries);
    }

    /// The server had each of these directories, with everything below it, at its time.
    pub(super) fn note_trees(&self, trees: impl Iterator<Item = (Digest, u64)>) {
        self.note(trees.map(|(digest, time)| ((digest, Kind::Tree), time)));
    }

    fn note(&self, entries: impl Iterator<Item = ((Digest, Kind), u64)>) {
        let mut state = self.state();
        for (key, time) in entries {
            state.is_changed |= state.entries.insert(key, time) != Some(time);
        }
    }

    /// The server turned out to lack something that was known.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.entries.clear();
        state.is_changed = true;
    }

    /// Keeps what was learnt for the next time.
    ///
    /// # Errors
    /// The file cannot be written; what it held stays, or is gone.
    pub fn save(&self) -> Result<()> {
        let mut state = self.state();
        let Some(path) = self.path.as_deref().filter(|_| state.is_changed) else { return Ok(()) };
        replace(path, &written(&state.entries))?;
        state.is_changed = false;
        Ok(())
    }

    /// A clock that was set back makes what was learnt after it unknown.
    fn is_fresh(&self, time: u64) -> bool {
        time <= self.now && self.now - time < self.ttl
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left a whole map: single inserts only.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Not synced: after a power failure a damaged file is an empty one.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().unwrap_or(path);
    let fail = |error| failed("write", path, error);
    fs::create_dir_all(dir).map_err(fail)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

fn written(entries: &FxHashMap<(Digest, Kind), u64>) -> Vec<u8> {
    let mut sorted: Vec<_> =
        entries.iter().map(|((digest, kind), time)| (*kind, *time, *digest)).collect();
    // Where there are too many, directories and what was learnt last are worth the most.
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    sorted.truncate(MAX_ENTRIES);
    let mut bytes = Vec::with_capacity(MAGIC.len() + sorted.len() * ENTRY + CHECKSUM);
    bytes.extend(MAGIC);
    for (kind, time, digest) in sorted {
        bytes.extend(digest.hash());
        bytes.extend(digest.size().to_le_bytes());
        bytes.extend((time << 1 | u64::from(kind == Kind::Tree)).to_le_bytes());
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend(checksum.as_bytes());
    bytes
}

/// `None` if anything about it is wrong.
fn read(bytes: &[u8]) -> Option<Vec<((Digest, Kind), u64)>> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    let entries = body.strip_prefix(MAGIC)?;
    if entries.len() % ENTRY != 0 || blake3::hash(body).as_bytes() != checksum {
        return None;
    }
    entries.chunks_exact(ENTRY).map(entry).collect()
}

fn entry(bytes: &[u8]) -> Option<((Digest, Kind), u64)> {
    let (hash, rest) = bytes.split_first_chunk::<32>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let time = u64::from_le_bytes(*rest.first_chunk::<8>()?);
    let digest = Digest::new(Hash::from(*hash), u64::from_le_bytes(*size));
    let kind = if time & 1 == 1 { Kind::Tree } else { Kind::Content };
    Some(((digest, kind), time >> 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::testing::store;

    const HOUR: Duration = Duration::from_hours(1);

    fn digest(number: u8) -> Digest {
        Digest::new([number; 32], u64::from(number))
    }

    #[test]
    fn what_was_learnt_is_known_for_a_while() {
        let (_dir, store) = store();
        let open = |now| Known::open(&store, "grpc://h:1", "main", now, HOUR);
        let known = open(10_000);
        known.note_contents(&[digest(1)]);
        known.note_trees([(digest(2), 9_000)].into_iter());
        known.save().unwrap();
        let known = open(10_001);
        assert_eq!((known.content(&digest(1)), known.tree(&digest(1))), (Some(10_000), None));
        assert_eq!((known.content(&digest(2)), known.tree(&digest(2))), (None, Some(9_000)));
        // The directory was seen earlier than the content, and ends earlier.
        let known = open(9_000 + 3600);
        assert_eq!((known.content(&digest(1)), known.tree(&digest(2))), (Some(10_000), None));
        // A clock that went back.
        assert_eq!(open(9_999).content(&digest(1)), None);
        for (url, instance) in [("grpc://h:2", "main"), ("grpc://h:1", "other")] {
            let other = Known::open(&store, url, instance, 10_000, HOUR);
            assert_eq!(other.content(&digest(1)), None);
        }
        let known = open(10_000);
        known.forget();
        known.save().unwrap();
        assert_eq!(open(10_000).content(&digest(1)), None);
    }

    #[test]
    fn a_damaged_file_knows_nothing() {
        let (_dir, store) = store();
        let open = || Known::open(&store, "grpc://h:1", "", 5, HOUR);
        let known = open();
        known.note_contents(&[digest(1), digest(2)]);
        known.save().unwrap();
        let path = known.path.clone().unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(open().content(&digest(1)), None, "{at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(open().content(&digest(1)), None, "{at}");
        }
        fs::write(&path, whole).unwrap();
        assert!(open().content(&digest(1)).is_some());
    }

    #[test]
    fn only_so_much_is_kept() {
        let entries: FxHashMap<_, _> = (0..MAX_ENTRIES as u64 + 10)
            .map(|size| ((Digest::new([0; 32], size), Kind::Content), size))
            .collect();
        let kept = read(&written(&entries)).unwrap();
        assert_eq!(kept.len(), MAX_ENTRIES);
        assert!(kept.iter().all(|(_, time)| *time >= 10));
    }
}
