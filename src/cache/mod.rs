//! Values by the digest of all that they were made from, kept on disk between runs. Touches its own directory, in `disk.rs`.
//!
//! Whoever wants a value that takes long to make asks for it by a key, and puts it there if it was not. A key says everything
//! that the value depends on, so that a value is never out of date: it is found, or it is not. What cannot be read, was
//! damaged, or comes from another build of the program is not found.

mod disk;
mod pack;

use crate::digest::Digest;
use pack::Pack;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What this build of the program puts down may mean something else to another.
const BUILD: &str = env!("SECATEUR_BUILD");

/// A directory of values; or none, and then nothing is ever found.
#[derive(Debug, Default)]
pub struct Cache {
    home: Option<Home>,
    /// What was written last comes first.
    packs: Vec<Pack>,
    fresh: Mutex<FxHashMap<Digest, Vec<u8>>>,
    has_fresh: AtomicBool,
}

/// Where values lie.
#[derive(Debug)]
struct Home {
    dir: PathBuf,
    /// When this run began, since the epoch.
    started: Duration,
}

impl Cache {
    /// The values kept in a directory, which is made when there is something to put there. `started` is the time of day
    /// before anything was read, since the epoch.
    pub fn open(dir: &Path, started: Duration) -> Self {
        let packs = disk::read_packs(dir, build());
        let home = Some(Home { dir: dir.to_owned(), started });
        Self { home, packs, ..Self::default() }
    }

    /// Whether anything can be kept: else it is not worth making a key.
    pub fn is_on(&self) -> bool {
        self.home.is_some()
    }

    /// When this run began, since the epoch.
    pub fn started(&self) -> Duration {
        self.home.as_ref().map(|home| home.started).unwrap_or_default()
    }

    /// The value with this key.
    pub fn get<T: DeserializeOwned>(&self, key: &Digest) -> Option<T> {
        if self.has_fresh.load(Ordering::Acquire)
            && let Some(bytes) = self.fresh().get(key)
        {
            return postcard::from_bytes(bytes).ok();
        }
        self.packs.iter().find_map(|pack| postcard::from_bytes(pack.get(key)?).ok())
    }

    /// Whether there is a value with this key.
    pub fn has(&self, key: &Digest) -> bool {
        self.has_fresh.load(Ordering::Acquire) && self.fresh().contains_key(key)
            || self.packs.iter().any(|pack| pack.get(key).is_some())
    }

    /// Keeps a value.
    pub fn put<T: Serialize>(&self, key: Digest, value: &T) {
        if self.is_on()
            && let Ok(bytes) = postcard::to_stdvec(value)
        {
            self.fresh().insert(key, bytes);
            self.has_fresh.store(true, Ordering::Release);
        }
    }

    /// Writes what was put since it was opened.
    pub fn save(&self) -> io::Result<()> {
        let Some(home) = &self.home else { return Ok(()) };
        let fresh = std::mem::take(&mut *self.fresh());
        if fresh.is_empty() {
            return Ok(());
        }
        let mut entries: Vec<(Digest, u32, &[u8])> =
            fresh.iter().map(|(key, bytes)| (*key, 0, bytes.as_slice())).collect();
        let has_many = disk::should_merge(&self.packs);
        if has_many {
            let mut known: FxHashSet<Digest> = fresh.keys().copied().collect();
            for slot in self.packs.iter().flat_map(Pack::slots) {
                if known.insert(slot.key) {
                    entries.push((slot.key, slot.age, slot.body));
                }
            }
        }
        let bytes = pack::write(entries, build());
        let replaced = if has_many { self.packs.as_slice() } else { &[] };
        disk::write_pack(&home.dir, &bytes, &self.packs, replaced)
    }

    fn fresh(&self) -> MutexGuard<'_, FxHashMap<Digest, Vec<u8>>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn build() -> Digest {
    Digest::of(BUILD.as_bytes())
}

#[cfg(test)]
mod tests;
