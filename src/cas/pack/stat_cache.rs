//! What files were when they were last packed, so that those that did not change are not read. Reads and writes `stat/` of
//! the store. A cache that is damaged, of another version or of another tree is an empty one.
#![expect(clippy::disallowed_methods, reason = "a file of the store")]

use super::entry::SourceFile;
use crate::cas::digest::Digest;
use crate::cas::store::{Durability, Store, replace_as};
use crate::error::Result;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Changes with what is stored here, and with what packing does.
const VERSION: u32 = 1;

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// What a file's outcome depends on, hashed.
pub(super) type Key = [u8; 16];

/// What became of a file, as it is kept: the hash and size of what was stored, or that it was left out.
type Outcome = Option<([u8; 32], u64)>;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Stored(Digest),
    LeftOut,
}

impl Became {
    pub(super) fn of(digest: Option<Digest>) -> Self {
        digest.map_or(Self::LeftOut, Self::Stored)
    }
}

/// The outcomes of the last time that a tree was packed, by path.
#[derive(Debug, Default)]
pub struct StatCache {
    path: PathBuf,
    known: FxHashMap<String, (Key, Outcome)>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    known: Vec<(String, Key, Outcome)>,
}

impl StatCache {
    /// Reads what is known of the tree at `source`, an absolute path or another name of it.
    pub fn load(store: &Store, source: &Path) -> Self {
        let name = blake3::hash(source.as_os_str().as_encoded_bytes()).to_hex();
        let path = store.root().join("stat").join(&name[..32]);
        let known = fs::read(&path).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { path, known }
    }

    /// What became of the file the last time; `None` if that is not known of this one.
    pub(super) fn get(&self, path: &str, key: &Key) -> Option<Became> {
        let (known, outcome) = self.known.get(path)?;
        (known == key).then(|| Became::of(outcome.map(|(hash, size)| Digest::new(hash, size))))
    }

    /// Whether nothing else is known than this.
    pub(super) fn is_same(&self, outcomes: &[(String, Key, Option<Digest>)]) -> bool {
        self.known.len() == outcomes.len()
            && outcomes
                .iter()
                .all(|(path, key, digest)| self.get(path, key) == Some(Became::of(*digest)))
    }

    /// Keeps the outcomes for the next time.
    pub(super) fn save(&self, outcomes: Vec<(String, Key, Option<Digest>)>) -> Result<()> {
        let known = outcomes.into_iter().map(|(path, key, digest)| {
            (path, key, digest.map(|digest| (*digest.hash(), digest.size())))
        });
        let stored = Stored { version: VERSION, known: known.collect() };
        let Ok(mut bytes) = postcard::to_allocvec(&stored) else { return Ok(()) };
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        // It is checked when it is read, so it need not survive a power failure.
        replace_as(&self.path, &bytes, Durability::None)
            .map_err(|error| crate::cas::store::failed("write", &self.path, error))
    }
}

fn decode(bytes: &[u8]) -> Option<FxHashMap<String, (Key, Outcome)>> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if blake3::hash(body).as_bytes() != checksum {
        return None;
    }
    let stored: Stored = postcard::from_bytes(body).ok()?;
    if stored.version != VERSION {
        return None;
    }
    Some(stored.known.into_iter().map(|(path, key, outcome)| (path, (key, outcome))).collect())
}

/// What the outcome of a file depends on.
pub(super) fn key(file: &SourceFile) -> Key {
    let mut hasher = blake3::Hasher::new();
    let stat = &file.stat;
    for number in
        [stat.dev, stat.ino, stat.size, stat.mtime.cast_unsigned(), stat.ctime.cast_unsigned()]
    {
        hasher.update(&number.to_le_bytes());
    }
    if let Some(rewrite) = &file.rewrite {
        hasher.update(&rewrite.key());
    }
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}
