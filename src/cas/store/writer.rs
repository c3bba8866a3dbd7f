//! Puts contents into a store so that a name never stands for half of one, whenever the machine stops. Touches the store only.
//!
//! A content is written under `tmp/`, checked, and renamed. Its name must not reach the disk before its bytes do: what
//! [`Durability`] says is when that is waited for.

use super::layout::{SENTINEL, Twin, failed, object, shard};
use super::lease::Lease;
use super::{Store, hash_file};
use crate::cas::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use rustix::fs::{Timespec, Timestamps};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// When it is waited for that bytes are on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Never: a power failure may leave contents that are damaged, which is found when they are read.
    None,
    /// Once, when all contents are written and before any of them gets its name.
    #[default]
    Batch,
    /// For each content.
    Each,
}

/// Bytes up to which a file is read whole before it is written, so that one the store has already is read only.
const SMALL: u64 = 4 << 20;

/// So many files are synced one by one; for more, the whole file system is.
const FEW: usize = 64;

/// What became of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub digest: Digest,
    /// Whether the store did not have it.
    pub is_new: bool,
}

/// What a writer has put into the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Contents.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Puts contents into a store, from many threads at once. What it wrote is there for others after [`Writer::commit`].
#[derive(Debug)]
pub struct Writer {
    lease: Arc<Lease>,
    durability: Durability,
    dir: PathBuf,
    next: AtomicU64,
    /// Written and checked, without a name yet.
    pending: Mutex<FxHashMap<(Digest, bool), PathBuf>>,
    count: AtomicU64,
    bytes: AtomicU64,
}

impl Store {
    /// Begins to write.
    pub fn writer(&self, durability: Durability) -> Result<Writer> {
        let lease = self.lease()?;
        let dir = self.root.join("tmp").join(lease.name());
        fs::create_dir(&dir).map_err(|error| failed("make", &dir, error))?;
        Ok(Writer {
            lease: Arc::new(lease),
            durability,
            dir,
            next: AtomicU64::new(0),
            pending: Mutex::default(),
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }
}

impl Writer {
    /// What keeps the contents that this writer sees.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.lease.store()
    }

    /// The same, for those who go on when writing has ended.
    pub fn shared_lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// Whether a content is in the store or on its way there.
    pub fn has(&self, digest: &Digest) -> Result<bool> {
        Ok(self.is_pending(digest) || self.lease.has(digest)?)
    }

    fn is_pending(&self, digest: &Digest) -> bool {
        let pending = self.pending();
        pending.contains_key(&(*digest, false)) || pending.contains_key(&(*digest, true))
    }

    /// Puts bytes into the store.
    pub fn put(&self, bytes: &[u8], is_executable: bool) -> Result<Stored> {
        let digest = self.store().function.digest(bytes);
        if self.has(&digest)? {
            return Ok(Stored { digest, is_new: false });
        }
        let mut receiver = self.receiver(is_executable)?;
        receiver.write_all(bytes).map_err(|error| receiver.failed(error))?;
        receiver.finish_as(digest)
    }

    /// Puts the content of an open file into the store; `path` is what errors name.
    pub fn put_file(&self, mut file: File, path: &Path, is_executable: bool) -> Result<Stored> {
        let fail = |error| failed("read", path, error);
        let size = file.metadata().map_err(fail)?.len();
        if size <= SMALL {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            file.read_to_end(&mut bytes).map_err(fail)?;
            return self.put(&bytes, is_executable);
        }
        let again = file.try_clone().map_err(fail)?;
        let digest = hash_file(self.store().function, again).map_err(fail)?;
        if self.has(&digest)? {
            return Ok(Stored { digest, is_new: false });
        }
        io::Seek::rewind(&mut file).map_err(fail)?;
        let mut receiver = self.receiver(is_executable)?;
        receiver.copy(&mut file).map_err(fail)?;
        // Somebody may have written to it between the two readings: the second counts.
        receiver.finish()
    }

    /// Takes a content in pieces.
    pub fn receiver(&self, is_executable: bool) -> Result<Receiver<'_>> {
        Receiver::new(Held::Borrowed(self), is_executable)
    }

    /// As [`Writer::receiver`], for pieces that come over a longer time than the writer can be lent for.
    pub fn shared_receiver(self: &Arc<Self>, is_executable: bool) -> Result<Receiver<'static>> {
        Receiver::new(Held::Shared(Arc::clone(self)), is_executable)
    }

    /// A file of its own below `tmp/`.
    fn temporary(&self) -> Result<(PathBuf, File)> {
        let path = self.dir.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::create_new(&path).map_err(|error| failed("write", &path, error))?;
        Ok((path, file))
    }

    /// Gives everything that was written its name, in the order of [`Durability`].
    pub fn commit(&self) -> Result<Written> {
        let mut pending: Vec<_> = std::mem::take(&mut *self.pending()).into_iter().collect();
        pending.sort_unstable();
        self.sync(pending.iter().map(|(_, path)| path.as_path()), pending.len())?;
        for ((digest, is_executable), path) in &pending {
            self.name(path, digest, Twin::of(*is_executable))?;
        }
        let mut shards: Vec<PathBuf> = pending
            .iter()
            .map(|((digest, executable), _)| self.shard(digest, Twin::of(*executable)))
            .collect();
        shards.sort_unstable();
        shards.dedup();
        self.sync(shards.iter().map(PathBuf::as_path), shards.len())?;
        Ok(Written {
            count: self.count.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        })
    }

    /// Waits until these files or directories are on the disk.
    fn sync<'a>(&self, paths: impl Iterator<Item = &'a Path>, count: usize) -> Result<()> {
        if self.durability != Durability::Batch || count == 0 {
            return Ok(());
        }
        if count > FEW {
            return self.store().sync();
        }
        for path in paths {
            let synced = File::open(path).and_then(|file| file.sync_all());
            synced.map_err(|error| failed("write to the disk", path, error))?;
        }
        Ok(())
    }

    fn shard(&self, digest: &Digest, twin: Twin) -> PathBuf {
        self.store().root().join(shard(self.store().function, twin, digest.hash()[0]))
    }

    fn name(&self, path: &Path, digest: &Digest, twin: Twin) -> Result<()> {
        let to = self.store().root().join(object(self.store().function, twin, digest));
        fs::rename(path, &to).map_err(|error| failed("put in place", &to, error))
    }

    fn accept(&self, path: PathBuf, digest: Digest, twin: Twin) -> Result<Stored> {
        if self.durability == Durability::Batch {
            let key = (digest, twin == Twin::Executable);
            if let Some(other) = self.pending().insert(key, path) {
                // Two threads wrote the same.
                let _ = fs::remove_file(other);
                return Ok(Stored { digest, is_new: false });
            }
        } else {
            self.name(&path, &digest, twin)?;
            if self.durability == Durability::Each {
                let shard = self.shard(&digest, twin);
                let synced = File::open(&shard).and_then(|dir| dir.sync_all());
                synced.map_err(|error| failed("write to the disk", &shard, error))?;
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(digest.size(), Ordering::Relaxed);
        Ok(Stored { digest, is_new: true })
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, FxHashMap<(Digest, bool), PathBuf>> {
        // A thread that panicked has left a whole map: single inserts only.
        self.pending.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // What is left is taken away by the next collection.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A content on its way into the store. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Receiver<'a> {
    writer: Held<'a>,
    twin: Twin,
    file: File,
    path: PathBuf,
    hasher: Hasher,
    is_kept: bool,
}

/// A writer, lent or shared.
#[derive(Debug)]
enum Held<'a> {
    Borrowed(&'a Writer),
    Shared(Arc<Writer>),
}

impl Deref for Held<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        match self {
            Self::Borrowed(writer) => writer,
            Self::Shared(writer) => writer,
        }
    }
}

impl<'a> Receiver<'a> {
    fn new(writer: Held<'a>, is_executable: bool) -> Result<Self> {
        let (path, file) = writer.temporary()?;
        let hasher = Hasher::new(writer.store().function);
        Ok(Self { writer, twin: Twin::of(is_executable), file, path, hasher, is_kept: false })
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// The name of what was received so far.
    pub fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// The content is whole, whatever its name is.
    pub fn finish(self) -> Result<Stored> {
        let digest = self.digest();
        self.keep(digest)
    }

    /// The content is whole, and has to be this one.
    ///
    /// # Errors
    /// It is another, or cannot be written.
    pub fn finish_as(self, digest: Digest) -> Result<Stored> {
        let received = self.digest();
        if received != digest {
            let message =
                format!("what came is not what was asked for: {received} instead of {digest}");
            return Err(Error::new(message));
        }
        self.keep(digest)
    }

    fn keep(mut self, digest: Digest) -> Result<Stored> {
        if digest.is_empty() {
            return Ok(Stored { digest, is_new: false });
        }
        self.seal().map_err(|error| self.failed(error))?;
        self.is_kept = true;
        self.writer.accept(self.path.clone(), digest, self.twin)
    }

    fn seal(&mut self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(self.twin.mode()))?;
        let times = Timestamps { last_access: now(), last_modification: sentinel() };
        rustix::fs::futimens(&self.file, &times)?;
        if self.writer.durability == Durability::Each { self.file.sync_all() } else { Ok(()) }
    }

    /// Takes all that is left to be read.
    pub(crate) fn copy(&mut self, mut from: impl Read) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 17];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.write_all(&buffer[..count])?,
            }
        }
    }

    /// The error of a failed write.
    pub fn failed(&self, error: io::Error) -> Error {
        failed("write", &self.path, error)
    }
}

impl Write for Receiver<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Receiver<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // What is left is taken away with the writer's directory.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// This moment, by the file system's clock.
pub(super) const fn now() -> Timespec {
    Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ }
}

/// The time that stands there.
pub(super) const fn unchanged() -> Timespec {
    Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT as _ }
}

const fn sentinel() -> Timespec {
    Timespec { tv_sec: SENTINEL, tv_nsec: 0 }
}

/// Writes a small file of the store whole and durably: by temporary file, sync and rename.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_as(path, bytes, Durability::Each)
}

/// As [`replace`]; without durability, a power failure may leave it empty.
pub(crate) fn replace_as(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    file.write_all(bytes)?;
    if durability == Durability::None {
        file.persist(path)?;
        return Ok(());
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(dir)?.sync_all()
}
