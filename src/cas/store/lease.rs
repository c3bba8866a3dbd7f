//! Who works with a store right now, so that nothing is collected under their hands. Touches `leases/` and `tmp/`.

use super::layout::{Look, Twin, failed, found, object};
use super::{FRESH, Store, writer};
use crate::cas::digest::Digest;
use crate::error::Result;
use rustix::fs::{FlockOperation, Timestamps, flock};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps every content that is used under it, for as long as it lives. The lock on its file goes with the process,
/// however that ends.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    path: PathBuf,
    name: String,
    /// When it began, in nanoseconds since 1970, by the file system's clock.
    start: i64,
    _lock: File,
}

/// What became of keeping a content.
enum Attempt {
    Kept(Twin, String),
    /// It was not there, or a collector had it.
    Absent,
    /// It went between the look and the touch.
    Gone,
}

/// Tells apart the leases of one process.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// Begins to work with the store.
    pub fn lease(&self) -> Result<Lease> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut salt = [0; 8];
        // Without chance, the number of the process has to do.
        let _ = getrandom::fill(&mut salt);
        let salt = crate::cas::digest::hex(&salt);
        let name = format!("{}-{number}-{salt}", std::process::id());
        let path = self.root.join("leases").join(&name);
        let fail = |error| failed("take a lease of the store", &path, error);
        // A collector takes a lease without a lock for a dead one; so it is locked before it has its name.
        let hidden = self.root.join("tmp").join(format!("{name}.lease"));
        let file = File::create_new(&hidden).map_err(fail)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| fail(error.into()))?;
        fs::rename(&hidden, &path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        Ok(Lease {
            store: self.clone(),
            name,
            start: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
            _lock: file,
            path,
        })
    }

    /// Says that a content was just used, unless somebody said so at `since` or later. Whether it is still there.
    pub(crate) fn freshen(&self, path: &str, look: Look, since: i64) -> Result<bool> {
        if look.used >= since - FRESH {
            return Ok(true);
        }
        let times =
            Timestamps { last_access: writer::now(), last_modification: writer::unchanged() };
        let touched = rustix::fs::utimensat(&*self.dir, path, &times, rustix::fs::AtFlags::empty());
        Ok(found(touched, "touch", &self.root.join(path))?.is_some())
    }
}

impl Lease {
    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// When it began, in nanoseconds since 1970, by the file system's clock.
    pub(crate) fn start_ns(&self) -> i64 {
        self.start
    }

    /// Whether the store has a content; it stays for as long as this lease.
    pub fn keep(&self, digest: &Digest) -> Result<bool> {
        Ok(digest.is_empty() || self.keep_twin(digest, Twin::Plain)?.is_some())
    }

    /// As [`Lease::keep`], for those who bring what is missing: what a collector is about to put back counts as that, and
    /// nothing is waited for.
    pub fn has(&self, digest: &Digest) -> Result<bool> {
        let since = self.start / 1_000_000_000;
        Ok(digest.is_empty()
            || matches!(self.try_keep(digest, Twin::Plain, since)?, Attempt::Kept(..)))
    }

    /// As [`Lease::keep`]; and it counts as just used for so many seconds more.
    pub(crate) fn keep_ahead(&self, digest: &Digest, seconds: i64) -> Result<bool> {
        let since = self.start / 1_000_000_000 + seconds;
        Ok(digest.is_empty() || self.keep_since(digest, Twin::Plain, since)?.is_some())
    }

    /// As [`Lease::keep`], the wanted twin before the other; gives the path below the store's directory.
    pub(crate) fn keep_twin(
        &self,
        digest: &Digest,
        wanted: Twin,
    ) -> Result<Option<(Twin, String)>> {
        self.keep_since(digest, wanted, self.start / 1_000_000_000)
    }

    fn keep_since(
        &self,
        digest: &Digest,
        wanted: Twin,
        since: i64,
    ) -> Result<Option<(Twin, String)>> {
        // A collector moves what it is about to delete aside, looks again, and puts back what was just used.
        for _ in 0..3 {
            match self.try_keep(digest, wanted, since)? {
                Attempt::Kept(twin, path) => return Ok(Some((twin, path))),
                Attempt::Absent if !self.store.wait_for_sweep()? => return Ok(None),
                Attempt::Absent | Attempt::Gone => {}
            }
        }
        Ok(None)
    }

    fn try_keep(&self, digest: &Digest, wanted: Twin, since: i64) -> Result<Attempt> {
        let Some((twin, look)) = self.store.look(digest, wanted)? else {
            return Ok(Attempt::Absent);
        };
        let path = object(self.store.function, twin, digest);
        let is_kept = self.store.freshen(&path, look, since)?;
        Ok(if is_kept { Attempt::Kept(twin, path) } else { Attempt::Gone })
    }

    /// The name of its own directory in `tmp/`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What is left is taken away by the next collection.
        let _ = fs::remove_file(&self.path);
    }
}
