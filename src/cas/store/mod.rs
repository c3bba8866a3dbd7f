//! The local store: contents in files named by their digests. Reads and writes one directory, see `layout`.
#![expect(clippy::disallowed_methods, reason = "the store is a directory of its own")]

mod closure;
mod gc;
mod layout;
mod lease;
mod records;
mod turnover;
mod turns;
mod usage;
mod verify;
mod writer;

pub use gc::{CollectOptions, Collected, GRACE};
pub use lease::Lease;
pub use records::RefName;
pub use usage::{Counters, Usage};
pub use verify::Verified;
pub use writer::{Durability, Receiver, Stored, Writer, Written};

pub(crate) use layout::{SENTINEL, Twin, failed};
pub(crate) use turnover::Turnover;
pub(crate) use writer::replace_as;

use super::digest::{Digest, DigestFunction, Hasher};
use super::tree::{Directories, Directory};
use crate::error::{Error, Result};
use layout::{DIRECTORIES, Look, QUARANTINE, found, object, shard};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use turns::Turns;

/// What the first line of `VERSION` says; another layout gets another number.
const LAYOUT: &str = "secateur-store 1";

/// Seconds for which a content counts as just used: so often are times of use written, and so much longer than its
/// caller's lease is a content safe from collection.
pub(crate) const FRESH: i64 = 600;

/// Held while contents are being removed.
const SWEEP_LOCK: &str = "sweep.lock";

/// A store. Cheap to clone; safe to use from many threads and many processes at once.
#[derive(Clone, Debug)]
pub struct Store {
    root: Arc<PathBuf>,
    dir: Arc<OwnedFd>,
    function: DigestFunction,
    /// Of writing the file system to the disk.
    turns: Arc<Turns>,
}

/// The content of a file in the store, open for reading.
#[derive(Debug)]
pub struct Blob {
    /// The open file, at its beginning.
    pub file: File,
    /// What is in it, if nobody damaged it: whoever hands bytes on checks them on the way.
    pub digest: Digest,
}

impl Store {
    /// Opens the store at `root`, and makes it if there is none.
    ///
    /// # Errors
    /// It cannot be made or read, was made by a later version, or names its contents by another function.
    pub fn open(root: &Path, function: DigestFunction) -> Result<Self> {
        let version = root.join("VERSION");
        let expected = format!("{LAYOUT}\n{function}\n");
        match fs::read_to_string(&version) {
            Ok(text) if text == expected => {}
            Ok(text) => return Err(other_layout(&version, &text, function)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(root, function, &expected)?;
            }
            Err(error) => return Err(failed("read the store's version", &version, error)),
        }
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(root, flags, Mode::empty())
            .map_err(|error| failed("open the store", root, error))?;
        let root = Arc::new(root.to_owned());
        Ok(Self { root, dir: Arc::new(dir), function, turns: Arc::default() })
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Waits until all that was written to its file system is on the disk.
    fn sync(&self) -> Result<()> {
        let synced = self.turns.next(|| rustix::fs::syncfs(&*self.dir));
        synced.map_err(|error| failed("write to the disk of", &self.root, error))
    }

    /// Its directory, open.
    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// What names its contents.
    pub fn function(&self) -> DigestFunction {
        self.function
    }

    /// Whether it has a content.
    pub fn contains(&self, digest: &Digest) -> Result<bool> {
        Ok(digest.is_empty() || self.look(digest, Twin::Plain)?.is_some())
    }

    /// The bytes of a content, checked; `None` if it is not there. What turns out to be damaged goes into quarantine and
    /// is not there.
    pub fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let Some(mut blob) = self.open_blob(digest)? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(usize::try_from(digest.size()).unwrap_or(0));
        blob.file.read_to_end(&mut bytes).map_err(|error| self.failed("read", digest, error))?;
        if self.function.digest(&bytes) == *digest {
            return Ok(Some(bytes));
        }
        self.reject(digest)?;
        Ok(None)
    }

    /// Opens a content; `None` if it is not there. Its inode is looked at, its bytes are not: whoever reads them checks
    /// them, and says [`Store::reject`] if they are wrong.
    pub fn open_blob(&self, digest: &Digest) -> Result<Option<Blob>> {
        if digest.is_empty() {
            let file =
                File::open("/dev/null").map_err(|error| self.failed("read", digest, error))?;
            return Ok(Some(Blob { file, digest: *digest }));
        }
        let Some((twin, _)) = self.look(digest, Twin::Plain)? else { return Ok(None) };
        let path = object(self.function, twin, digest);
        Ok(self.open_object(&path)?.map(|file| Blob { file, digest: *digest }))
    }

    /// Opens an object; `None` if it is not there. Times of use are what [`Lease`] says, not what the kernel notes, where
    /// the kernel lets us say so: for the owner of the file.
    fn open_object(&self, path: &str) -> Result<Option<File>> {
        let open = |more| {
            rustix::fs::openat(
                &*self.dir,
                path,
                OFlags::RDONLY | OFlags::CLOEXEC | more,
                Mode::empty(),
            )
        };
        let opened = match open(OFlags::NOATIME) {
            Err(rustix::io::Errno::PERM) => open(OFlags::empty()),
            opened => opened,
        };
        Ok(found(opened, "open", &self.root.join(path))?.map(File::from))
    }

    /// Takes a content whose bytes are not what its name says out of the store, so that it is fetched or packed again.
    /// Looks again first: another process may have put a good one there.
    pub fn reject(&self, digest: &Digest) -> Result<()> {
        for twin in [Twin::Plain, Twin::Executable] {
            let path = object(self.function, twin, digest);
            if !self.is_sound(&path, digest)? {
                self.quarantine(&path, digest)?;
            }
        }
        Ok(())
    }

    /// Whether the file at `path` is not there, or is what the digest says, byte for byte.
    fn is_sound(&self, path: &str, digest: &Digest) -> Result<bool> {
        let Some(file) = self.open_object(path)? else { return Ok(true) };
        let named = hash_file(self.function, file)
            .map_err(|error| failed("read", &self.root.join(path), error))?;
        Ok(named.hash() == digest.hash())
    }

    /// Waits while somebody removes contents; whether somebody did.
    fn wait_for_sweep(&self) -> Result<bool> {
        let path = self.root.join(SWEEP_LOCK);
        let fail = |error: io::Error| failed("lock", &path, error);
        let file = File::options().create(true).append(true).open(&path).map_err(fail)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                rustix::fs::flock(&file, FlockOperation::LockShared)
                    .map_err(|error| fail(error.into()))?;
                Ok(true)
            }
            Err(error) => Err(fail(error.into())),
        }
    }

    fn quarantine(&self, path: &str, digest: &Digest) -> Result<()> {
        let dir = self.root.join(QUARANTINE);
        fs::create_dir_all(&dir).map_err(|error| failed("make", &dir, error))?;
        let to = format!("{QUARANTINE}/{}", digest.hex());
        found(
            rustix::fs::renameat(&self.dir, path, &self.dir, &to),
            "quarantine",
            &self.root.join(path),
        )?;
        Ok(())
    }

    /// Finds a content, the wanted twin before the other. An inode that somebody touched is read whole: what is damaged
    /// goes into quarantine, what is not gets a new inode.
    fn look(&self, digest: &Digest, wanted: Twin) -> Result<Option<(Twin, Look)>> {
        for twin in [wanted, wanted.other()] {
            if let Some(look) = self.look_at(digest, twin)? {
                return Ok(Some((twin, look)));
            }
        }
        Ok(None)
    }

    fn look_at(&self, digest: &Digest, twin: Twin) -> Result<Option<Look>> {
        let path = object(self.function, twin, digest);
        let stat = rustix::fs::statat(&*self.dir, &path, AtFlags::SYMLINK_NOFOLLOW);
        let Some(stat) = found(stat, "look at", &self.root.join(&path))? else { return Ok(None) };
        let look = Look::of(&stat, twin);
        let is_sound = match (look.is_untouched, look.size == digest.size()) {
            (true, true) => return Ok(Some(look)),
            (true, false) => self.is_sound(&path, digest)?,
            (false, _) => self.renew(&path, digest, twin)?,
        };
        if !is_sound {
            self.quarantine(&path, digest)?;
        }
        // A content that is what its hash says, although somebody claims another size: nothing has that name.
        Ok((is_sound && look.size == digest.size()).then_some(look))
    }

    /// Gives a content that somebody touched, through a hard link perhaps, an inode of its own; whether it was sound.
    fn renew(&self, path: &str, digest: &Digest, twin: Twin) -> Result<bool> {
        let Some(mut file) = self.open_object(path)? else { return Ok(true) };
        let writer = self.writer(Durability::Each)?;
        let mut receiver = writer.receiver(twin == Twin::Executable)?;
        receiver.copy(&mut file).map_err(|error| self.failed("renew", digest, error))?;
        // Under the name that its bytes have, which is this one unless they were changed.
        Ok(receiver.finish()?.digest.hash() == digest.hash())
    }

    /// The files of all contents, plain ones first.
    fn object_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for twin in [Twin::Plain, Twin::Executable] {
            files.extend(records::files_below(&self.root.join(twin.directory()))?);
        }
        Ok(files)
    }

    fn failed(&self, what: &str, digest: &Digest, error: impl Into<io::Error>) -> Error {
        failed(what, &self.root.join(object(self.function, Twin::Plain, digest)), error)
    }

    /// One directory of a manifest, checked; `None` if it is not there.
    pub fn directory(&self, digest: &Digest) -> Result<Option<Directory>> {
        if digest.size() > super::tree::MAX_DIRECTORY_BYTES {
            return Err(Error::new("is too large for a directory").at(digest.to_string()));
        }
        let Some(bytes) = self.read(digest)? else { return Ok(None) };
        let directory = Directory::decode(&bytes).map_err(|refusal| {
            Error::new(format!("the directory is refused: {refusal}")).at(digest.to_string())
        })?;
        Ok(Some(directory))
    }
}

impl Directories for Store {
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>> {
        let load = |digest: &Digest| {
            let directory = self.directory(digest)?;
            let missing = || {
                Error::new("a directory of the bundle is not in the store").at(digest.to_string())
            };
            directory.map(Arc::new).ok_or_else(missing)
        };
        digests.par_iter().map(load).collect()
    }
}

fn other_layout(path: &Path, text: &str, function: DigestFunction) -> Error {
    let mut lines = text.lines();
    let (layout, theirs) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    if layout == LAYOUT && DigestFunction::of_name(theirs).is_some() {
        let hint = format!("pass `--digest {theirs}`, or another directory as `--store`");
        return Error::new(format!("the store names its contents by {theirs}, not by {function}"))
            .at(path.display().to_string())
            .hint(hint);
    }
    Error::new("this is no store of this version")
        .at(path.display().to_string())
        .hint("pass another directory as `--store`")
}

/// Makes the directories of a store; `VERSION` comes last, so that half a store is made again.
fn create(root: &Path, function: DigestFunction, version: &str) -> Result<()> {
    let make = |path: PathBuf| {
        fs::create_dir_all(&path)
            .map_err(|error| failed("make the store's directory", &path, error))
    };
    for directory in DIRECTORIES {
        make(root.join(directory))?;
    }
    for twin in [Twin::Plain, Twin::Executable] {
        for first in 0..=u8::MAX {
            make(root.join(shard(function, twin, first)))?;
        }
    }
    let path = root.join("VERSION");
    writer::replace(&path, version.as_bytes()).map_err(|error| failed("write", &path, error))
}

/// The name of what is in a file, from where it stands.
pub(crate) fn hash_file(function: DigestFunction, mut file: File) -> io::Result<Digest> {
    let mut hasher = Hasher::new(function);
    let mut buffer = vec![0; 1 << 17];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests;
