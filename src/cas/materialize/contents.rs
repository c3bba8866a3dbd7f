//! Contents on their way from the store into a tree: looked at once each, then shared or copied. Writes twins that the
//! store lacks; touches the directories it is handed.

use super::beneath;
use super::options::{Faults, Method, Options, Placed, Point};
use crate::cas::digest::Digest;
use crate::cas::store::{Durability, Lease, Store, Twin, failed, hash_file};
use crate::error::{Error, Result};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A content, and whether it is to be executable.
pub(super) type Content = (Digest, bool);

/// Places contents that it has seen in the store, from many threads at once.
pub(super) struct Contents<'a> {
    store: &'a Store,
    /// Paths below the store's directory.
    paths: FxHashMap<Content, String>,
    can_reflink: AtomicBool,
    can_hardlink: AtomicBool,
    /// Whether the mode a file is made with is the mode it has.
    keeps_modes: bool,
    faults: &'a Faults,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    files: AtomicU64,
    bytes: AtomicU64,
    shared_bytes: AtomicU64,
    reflinked: AtomicU64,
    hardlinked: AtomicU64,
    copied: AtomicU64,
}

impl<'a> Contents<'a> {
    /// Looks at `contents`, which stay for as long as the lease; `stage` is an empty directory where they will be placed.
    ///
    /// # Errors
    /// One of them is not in the store, or is damaged.
    pub(super) fn new(
        lease: &'a Lease,
        contents: &[Content],
        stage: &OwnedFd,
        options: &'a Options,
    ) -> Result<Self> {
        let store = lease.store();
        let probed = Probe::of(store, stage, options).map_err(|error| {
            Error::new("cannot write beside the destination").cause(error.into())
        })?;
        let twins_count = probed.can_hardlink && !probed.can_reflink;
        let wanted: Vec<Content> =
            contents.iter().filter(|(digest, _)| !digest.is_empty()).copied().collect();
        let keep = |&(digest, is_executable): &Content| {
            let kept = lease.keep_twin(&digest, Twin::of(is_executable))?;
            let (twin, path) = kept.ok_or_else(|| missing(&digest))?;
            if options.verify {
                check(store, &digest, &path)?;
            }
            Ok(((digest, is_executable), twin, path))
        };
        let kept: Vec<_> = wanted.par_iter().with_min_len(64).map(keep).collect::<Result<_>>()?;
        let mut paths = FxHashMap::default();
        let mut lacking = Vec::new();
        for (content, twin, path) in kept {
            if twins_count && twin != Twin::of(content.1) {
                lacking.push((content, path.clone()));
            }
            paths.insert(content, path);
        }
        if !lacking.is_empty() {
            make_twins(lease, &lacking, options.durability)?;
            for ((digest, is_executable), _) in lacking {
                let kept = lease.keep_twin(&digest, Twin::of(is_executable))?;
                let (_, path) = kept.ok_or_else(|| missing(&digest))?;
                paths.insert((digest, is_executable), path);
            }
        }
        Ok(Self {
            store,
            paths,
            can_reflink: AtomicBool::new(probed.can_reflink),
            can_hardlink: AtomicBool::new(probed.can_hardlink),
            keeps_modes: probed.keeps_modes,
            faults: &options.faults,
            counts: Counts::default(),
        })
    }

    /// Puts a content into a directory under a name that nothing has; `path` is what errors name.
    pub(super) fn place(
        &self,
        (digest, is_executable): Content,
        dir: BorrowedFd<'_>,
        name: &str,
        path: impl Fn() -> std::path::PathBuf,
    ) -> Result<()> {
        let fail = |error: Errno| {
            let failure = failed("place the file", &path(), error);
            match error {
                Errno::EXIST => {
                    failure.hint("the file system takes two names of the bundle for one")
                }
                _ => failure,
            }
        };
        add(&self.counts.files, 1);
        add(&self.counts.bytes, digest.size());
        if digest.is_empty() {
            let made = self.create(dir, name, is_executable);
            return made.and_then(|file| self.finish(&file, is_executable)).map_err(fail);
        }
        let Some(from) = self.paths.get(&(digest, is_executable)) else {
            return Err(missing(&digest));
        };
        if self.can_reflink.load(Ordering::Relaxed)
            && self.reflink(from, dir, name, is_executable).map_err(fail)?
        {
            add(&self.counts.reflinked, 1);
            add(&self.counts.shared_bytes, digest.size());
            return Ok(());
        }
        if self.can_hardlink.load(Ordering::Relaxed) {
            match self.hardlink(from, dir, name) {
                Ok(true) => {
                    add(&self.counts.hardlinked, 1);
                    add(&self.counts.shared_bytes, digest.size());
                    return Ok(());
                }
                Ok(false) => {}
                Err(Errno::NOENT) => return Err(missing(&digest)),
                Err(error) => return Err(fail(error)),
            }
        }
        let copied = self.copy(from, dir, name, is_executable);
        let bytes = copied.map_err(|error| failed("copy the file", &path(), error))?;
        if bytes != digest.size() {
            self.store.reject(&digest)?;
            return Err(missing(&digest));
        }
        add(&self.counts.copied, 1);
        Ok(())
    }

    /// Whether blocks could be shared; otherwise nothing is there.
    fn reflink(
        &self,
        from: &str,
        dir: BorrowedFd<'_>,
        name: &str,
        is_executable: bool,
    ) -> rustix::io::Result<bool> {
        let source = open_object(self.store, from)?;
        let file = self.create(dir, name, is_executable)?;
        match self.faults.at(Point::Clone).and_then(|()| rustix::fs::ioctl_ficlone(&file, &source))
        {
            Ok(()) => self.finish(&file, is_executable).map(|()| true),
            Err(error) if is_incapable(error) => {
                if error == Errno::XDEV || error == Errno::OPNOTSUPP {
                    self.can_reflink.store(false, Ordering::Relaxed);
                }
                rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the inode could be shared; otherwise nothing is there.
    fn hardlink(&self, from: &str, dir: BorrowedFd<'_>, name: &str) -> rustix::io::Result<bool> {
        let linked = self.faults.at(Point::Link).and_then(|()| {
            rustix::fs::linkat(self.store.handle(), from, dir, name, AtFlags::empty())
        });
        match linked {
            Ok(()) => Ok(true),
            Err(error) if is_incapable(error) => {
                // Too many links of one inode, or an owner that forbids it, say nothing about the next file.
                if !matches!(error, Errno::MLINK | Errno::PERM | Errno::ACCESS) {
                    self.can_hardlink.store(false, Ordering::Relaxed);
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Bytes that were copied.
    fn copy(
        &self,
        from: &str,
        dir: BorrowedFd<'_>,
        name: &str,
        is_executable: bool,
    ) -> io::Result<u64> {
        let mut source = File::from(open_object(self.store, from)?);
        let mut file = File::from(self.create(dir, name, is_executable)?);
        // The standard library lets the kernel copy.
        let bytes = io::copy(&mut source, &mut file)?;
        self.finish(&file, is_executable)?;
        Ok(bytes)
    }

    fn create(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        is_executable: bool,
    ) -> rustix::io::Result<OwnedFd> {
        self.faults.at(Point::Create)?;
        create(dir, name, mode(is_executable))
    }

    fn finish(&self, file: impl AsFd, is_executable: bool) -> rustix::io::Result<()> {
        if !self.keeps_modes {
            rustix::fs::fchmod(&file, mode(is_executable))?;
        }
        beneath::mark(file)
    }

    /// What was placed so far.
    pub(super) fn placed(&self) -> Placed {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Placed {
            files: get(&self.counts.files),
            bytes: get(&self.counts.bytes),
            shared_bytes: get(&self.counts.shared_bytes),
            reflinked: get(&self.counts.reflinked),
            hardlinked: get(&self.counts.hardlinked),
            copied: get(&self.counts.copied),
            ..Placed::default()
        }
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}

/// Nobody may write to a file of a tree: through a shared inode that would reach every tree and the store.
fn mode(is_executable: bool) -> Mode {
    Mode::from_raw_mode(Twin::of(is_executable).mode())
}

fn create(dir: BorrowedFd<'_>, name: &str, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, mode)
}

fn open_object(store: &Store, path: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(store.handle(), path, flags, Mode::empty())
}

/// What file systems answer that cannot share, or not this file.
fn is_incapable(error: Errno) -> bool {
    matches!(
        error,
        Errno::XDEV
            | Errno::MLINK
            | Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOTTY
            | Errno::INVAL
            | Errno::NOSYS
            | Errno::TXTBSY
    )
}

/// What the file system of the destination can do.
struct Probe {
    can_reflink: bool,
    can_hardlink: bool,
    keeps_modes: bool,
}

impl Probe {
    fn of(store: &Store, stage: &OwnedFd, options: &Options) -> rustix::io::Result<Self> {
        const NAME: &str = "probe";
        let mode = mode(true);
        let file = create(stage.as_fd(), NAME, mode)?;
        let stat = rustix::fs::fstat(&file)?;
        let clones = || {
            let source = open_object(store, "VERSION")?;
            options.faults.at(Point::Clone)?;
            rustix::fs::ioctl_ficlone(&file, &source)
        };
        let can_reflink =
            matches!(options.method, Method::Auto | Method::Reflink) && clones().is_ok();
        rustix::fs::unlinkat(stage, NAME, AtFlags::empty())?;
        Ok(Self {
            can_reflink,
            can_hardlink: matches!(options.method, Method::Auto | Method::Hardlink),
            keeps_modes: Mode::from_raw_mode(stat.st_mode) == mode,
        })
    }
}

/// Makes the inodes that the store has with the other mode only, all at once.
fn make_twins(lease: &Lease, lacking: &[(Content, String)], durability: Durability) -> Result<()> {
    let store = lease.store();
    let writer = store.writer(durability)?;
    let make = |((digest, is_executable), path): &(Content, String)| {
        let at = store.root().join(path);
        let fail = |error: io::Error| failed("read", &at, error);
        let mut source = File::from(open_object(store, path).map_err(|error| fail(error.into()))?);
        let mut receiver = writer.receiver(*is_executable)?;
        io::copy(&mut source, &mut receiver).map_err(fail)?;
        match receiver.finish_as(*digest) {
            Ok(_) => Ok(()),
            Err(_) => {
                store.reject(digest)?;
                Err(missing(digest))
            }
        }
    };
    lacking.par_iter().try_for_each(make)?;
    writer.commit().map(drop)
}

/// Reads a content whole.
fn check(store: &Store, digest: &Digest, path: &str) -> Result<()> {
    let at = store.root().join(path);
    let fail = |error: io::Error| failed("read", &at, error);
    let file = open_object(store, path).map_err(|error| fail(error.into()))?;
    if hash_file(store.function(), File::from(file)).map_err(fail)? == *digest {
        return Ok(());
    }
    store.reject(digest)?;
    Err(missing(digest))
}

/// The error of a content that the store does not have.
pub(super) fn missing(digest: &Digest) -> Error {
    Error::new("a content of the bundle is not in the store, or was damaged and put aside")
        .at(digest.to_string())
        .hint("fetch the bundle again, or repair the store with `caf verify`")
}

/// Whether this is the store's own inode of a content.
pub(super) fn is_object(store: &Store, path: &Path, stat: &rustix::fs::Stat) -> bool {
    rustix::fs::statat(store.handle(), path, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|object| (object.st_dev, object.st_ino) == (stat.st_dev, stat.st_ino))
}
