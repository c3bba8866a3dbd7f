//! Where a tree goes: the destination, and a locked directory of our own beside it, where it is made. Touches these two.
#![expect(clippy::disallowed_methods, reason = "the destination is looked at as it is on the disk")]

use super::beneath::{self, Identity};
use super::options::{Faults, Point};
use crate::cas::digest::DigestFunction;
use crate::cas::store::{Store, failed};
use crate::error::{Error, Result};
use crate::progress::Progress;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags, flock};
use rustix::io::Errno;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The name of a new tree in the directory of our own; after the exchange it is that of the old tree.
pub(super) const NEW: &str = "new";

/// The name of an old tree where nothing can be exchanged.
const OLD: &str = "old";

/// Modes of our own directory, and of all in a tree: Python running as the owner may write there, as it does anywhere.
const PRIVATE: Mode = Mode::RWXU;
pub(super) const SHARED: Mode = Mode::from_raw_mode(0o755);

/// A destination, and the lock on it for as long as this lives.
#[derive(Debug)]
pub(super) struct Site {
    /// The real path of the destination.
    path: PathBuf,
    /// The directory that the destination lies in.
    parent: OwnedFd,
    /// Its name there.
    name: PathBuf,
    /// The directory of our own beside it, which only we may enter, and which is empty.
    pub(super) stage: OwnedFd,
    stage_name: String,
    faults: Faults,
}

/// What stands at the destination.
#[derive(Debug)]
pub(super) enum Present {
    /// Nothing, or an empty directory.
    Nothing,
    /// A directory with something in it.
    Directory(OwnedFd, Identity),
    /// Something else.
    Other,
}

impl Site {
    /// Makes the directories above `dest`, and waits until nobody else works there. What a run that was stopped has left
    /// is taken away.
    ///
    /// # Errors
    /// The destination lies in the store or the store in it, is a mount point or the root, or cannot be written to.
    pub(super) fn open(
        store: &Store,
        dest: &Path,
        faults: &Faults,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let path = real_path(dest)?;
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused("the root of the disk can be no destination", &path));
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = rustix::fs::open(above, flags, Mode::empty())
            .map_err(|error| failed("open", above, error))?;
        let root = fs::canonicalize(store.root())
            .map_err(|error| failed("look at", store.root(), error))?;
        if path.starts_with(&root) || root.starts_with(&path) {
            return Err(refused("the destination and the store must not lie in each other", &path));
        }
        let function = DigestFunction::default();
        let hex = function.digest(name.as_bytes()).hex();
        let stage_name = format!(".caf-{}", hex.get(..16).unwrap_or(&hex));
        let stage_path = above.join(&stage_name);
        let stage = lock(&parent, &stage_name, progress).map_err(|error| match error {
            Errno::PERM => Error::new("the directory for new trees belongs to somebody else")
                .at(stage_path.display().to_string())
                .hint("remove it, or choose a destination in a directory of your own"),
            error => failed("make", &stage_path, error),
        })?;
        let name = PathBuf::from(name);
        let site = Self { path, parent, name, stage, stage_name, faults: faults.clone() };
        site.recover().map_err(|error| failed("clean up", &stage_path, error))?;
        site.refuse_mount()?;
        Ok(site)
    }

    /// The real path of the destination.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there now.
    pub(super) fn present(&self) -> Result<Present> {
        let look = || -> rustix::io::Result<Present> {
            let Some(stat) = beneath::look(&self.parent, &self.name)? else {
                return Ok(Present::Nothing);
            };
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                return Ok(Present::Other);
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let dir = rustix::fs::openat(&self.parent, &self.name, flags, Mode::empty())?;
            if beneath::list(&dir)?.is_empty() {
                return Ok(Present::Nothing);
            }
            let identity = Identity::of(&dir)?;
            Ok(Present::Directory(dir, identity))
        };
        look().map_err(|error| failed("look at", &self.path, error))
    }

    /// Makes the directory of a new tree.
    pub(super) fn make_new(&self) -> Result<OwnedFd> {
        let make = || {
            rustix::fs::mkdirat(&self.stage, NEW, SHARED)?;
            beneath::open(&self.stage, NEW)
        };
        make().map_err(|error| failed("make a directory beside", &self.path, error))
    }

    /// Gives the new tree the destination's name. What had it is then ours to take away; if `is_empty`, it must still be.
    pub(super) fn exchange(&self, is_empty: bool) -> Result<()> {
        let swap = || -> rustix::io::Result<()> {
            self.faults.at(Point::Rename)?;
            if is_empty {
                // Somebody may have put something there since: that is never ours.
                match rustix::fs::unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(error),
                }
            }
            let flags = if is_empty { RenameFlags::NOREPLACE } else { RenameFlags::EXCHANGE };
            let renamed = self.faults.at(Point::Exchange).and_then(|()| {
                rustix::fs::renameat_with(&self.stage, NEW, &self.parent, &self.name, flags)
            });
            match renamed {
                // Not every file system can exchange names.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.swap_slowly(is_empty),
                done => done,
            }
        };
        swap().map_err(|error| failed("put the new tree at", &self.path, error))
    }

    /// With a moment in which nothing has the name; who stops in it leaves the old tree where [`Site::recover`] finds it.
    fn swap_slowly(&self, is_empty: bool) -> rustix::io::Result<()> {
        if !is_empty {
            rustix::fs::renameat(&self.parent, &self.name, &self.stage, OLD)?;
        }
        self.faults.at(Point::Rename)?;
        let renamed = rustix::fs::renameat(&self.stage, NEW, &self.parent, &self.name);
        if renamed.is_err() && !is_empty {
            rustix::fs::renameat(&self.stage, OLD, &self.parent, &self.name)?;
        }
        renamed
    }

    /// Waits until the destination's name is on the disk.
    pub(super) fn sync_name(&self) -> Result<()> {
        rustix::fs::fsync(&self.parent)
            .map_err(|error| failed("write to the disk", &self.path, error))
    }

    /// Whether names that differ in case only are one name here.
    pub(super) fn ignores_case(&self) -> Result<bool> {
        let probe = || -> rustix::io::Result<bool> {
            rustix::fs::mkdirat(&self.stage, "Probe", PRIVATE)?;
            let found = beneath::look(&self.stage, "pROBE")?.is_some();
            rustix::fs::unlinkat(&self.stage, "Probe", AtFlags::REMOVEDIR)?;
            Ok(found)
        };
        probe().map_err(|error| failed("write beside", &self.path, error))
    }

    /// Empties the directory of our own. Gives how many entries went.
    pub(super) fn clear(&self) -> rustix::io::Result<u64> {
        self.faults.at(Point::Clean)?;
        let mut gone = 0;
        for (name, _) in beneath::list(&self.stage)? {
            gone += beneath::remove(self.stage.as_fd(), &name)?;
        }
        Ok(gone)
    }

    fn recover(&self) -> rustix::io::Result<()> {
        if beneath::look(&self.parent, &self.name)?.is_none()
            && beneath::look(&self.stage, OLD)?.is_some()
        {
            rustix::fs::renameat(&self.stage, OLD, &self.parent, &self.name)?;
        }
        self.clear().map(drop)
    }

    fn refuse_mount(&self) -> Result<()> {
        let look = || -> rustix::io::Result<bool> {
            let there = beneath::look(&self.parent, &self.name)?;
            let here = rustix::fs::fstat(&self.stage)?.st_dev;
            Ok(there.is_some_and(|stat| stat.st_dev != here))
        };
        if look().map_err(|error| failed("look at", &self.path, error))? {
            return Err(refused("a mount point cannot be exchanged for a new tree", &self.path)
                .hint("choose a directory below it"));
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What is left is taken away by the next run.
        if self.clear().is_ok() {
            let _ = rustix::fs::unlinkat(&self.parent, &self.stage_name, AtFlags::REMOVEDIR);
        }
    }
}

fn refused(message: &str, path: &Path) -> Error {
    Error::new(message).at(path.display().to_string())
}

/// The real path of the directory at `dest` and which one it is, if there is one. Nothing is made or locked.
pub(super) fn placed(dest: &Path) -> Result<Option<(PathBuf, Identity)>> {
    let look = || -> std::io::Result<_> {
        let path = fs::canonicalize(dest)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&path, flags, Mode::empty())?;
        Ok((path, Identity::of(&dir)?))
    };
    match look() {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(failed("look at", dest, error)),
    }
}

/// The destination without links on the way; the directories above it are made.
fn real_path(dest: &Path) -> Result<PathBuf> {
    let fail = |error| failed("look at", dest, error);
    match fs::canonicalize(dest) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        path => return path.map_err(fail),
    }
    if fs::symlink_metadata(dest).is_ok() {
        return Err(refused("the destination is a link that leads nowhere", dest));
    }
    let Some(name) = dest.file_name() else {
        return Err(refused("the destination has no name", dest));
    };
    let above = dest.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(above).map_err(|error| failed("make", above, error))?;
    Ok(fs::canonicalize(above).map_err(fail)?.join(name))
}

/// Makes and locks the directory of our own. `EPERM` if there is one of somebody else.
fn lock(parent: &OwnedFd, name: &str, progress: &dyn Progress) -> rustix::io::Result<OwnedFd> {
    loop {
        match rustix::fs::mkdirat(parent, name, PRIVATE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        let dir = match beneath::open(parent, name) {
            Err(Errno::NOENT) => continue,
            dir => dir?,
        };
        let stat = rustix::fs::fstat(&dir)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(Errno::PERM);
        }
        if Mode::from_raw_mode(stat.st_mode) != PRIVATE {
            rustix::fs::fchmod(&dir, PRIVATE)?;
        }
        match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                progress.start("waiting for another run at this place", None);
                flock(&dir, FlockOperation::LockExclusive)?;
            }
            locked => locked?,
        }
        // Who held the lock may have removed what we had open.
        if beneath::look(parent, name)?.is_some_and(|now| now.st_ino == stat.st_ino) {
            return Ok(dir);
        }
    }
}
