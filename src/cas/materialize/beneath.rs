//! Directories held open, and what is done in them by name: no path is resolved from the root of the disk, and no link is
//! followed. Touches the directories it is handed.

use crate::cas::store::SENTINEL;
use rayon::prelude::*;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, StatxFlags, Timespec, Timestamps,
};
use rustix::io::{Errno, Result};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// A directory to list, or to work in.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Whether the system has `openat2` and lets us use it.
static HAS_OPENAT2: AtomicBool = AtomicBool::new(true);

/// Opens the directory that has this name, one segment, in another.
pub(super) fn open(dir: impl AsFd, name: &str) -> Result<OwnedFd> {
    rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())
}

/// Opens a directory some directories below another; the empty path is the other itself.
pub(super) fn open_path(root: &OwnedFd, path: &str) -> Result<OwnedFd> {
    let below = if path.is_empty() { "." } else { path };
    if HAS_OPENAT2.load(Ordering::Relaxed) {
        let within = ResolveFlags::BENEATH
            .union(ResolveFlags::NO_SYMLINKS)
            .union(ResolveFlags::NO_MAGICLINKS);
        match rustix::fs::openat2(root, below, DIRECTORY, Mode::empty(), within) {
            // Old systems don't know the call, and filters of containers answer EPERM to what they don't know.
            Err(Errno::NOSYS | Errno::PERM) => HAS_OPENAT2.store(false, Ordering::Relaxed),
            opened => return opened,
        }
    }
    walk(root, path)
}

/// As [`open_path`], one segment after the other.
pub(super) fn walk(root: &OwnedFd, path: &str) -> Result<OwnedFd> {
    let mut dir = open(root, ".")?;
    if path.is_empty() {
        return Ok(dir);
    }
    for segment in path.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err(Errno::XDEV);
        }
        dir = open(&dir, segment)?;
    }
    Ok(dir)
}

/// What a name in a directory stands for; a link is a link.
pub(super) fn look(dir: impl AsFd, name: impl rustix::path::Arg) -> Result<Option<Stat>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a file or link looks as we left it: nobody wrote to it, and nobody put it there but us.
pub(super) fn is_untouched(stat: &Stat) -> bool {
    stat.st_mtime == SENTINEL && stat.st_mtime_nsec == 0
}

/// Gives what is open the one modification time that everything in a tree has.
pub(super) fn mark(file: impl AsFd) -> Result<()> {
    rustix::fs::futimens(file, &times())
}

/// As [`mark`], for a name.
pub(super) fn mark_at(dir: impl AsFd, name: &str) -> Result<()> {
    rustix::fs::utimensat(dir, name, &times(), AtFlags::SYMLINK_NOFOLLOW)
}

fn times() -> Timestamps {
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ };
    Timestamps { last_access: now, last_modification: Timespec { tv_sec: SENTINEL, tv_nsec: 0 } }
}

/// What tells a directory from another that has its name later: its inode, and when that was made, in nanoseconds since
/// 1970. Devices are left out: they have other numbers after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Identity {
    inode: u64,
    born: i64,
}

impl Identity {
    /// Of an open directory.
    pub(super) fn of(dir: impl AsFd) -> Result<Self> {
        let dir = dir.as_fd();
        let wanted = StatxFlags::INO.union(StatxFlags::BTIME);
        match rustix::fs::statx(dir, "", AtFlags::EMPTY_PATH, wanted) {
            Ok(found) => {
                let born = found.stx_btime;
                // Some file systems don't know when an inode was made.
                let is_known = found.stx_mask & StatxFlags::BTIME.bits() != 0;
                let nanos = born
                    .tv_sec
                    .saturating_mul(1_000_000_000)
                    .saturating_add(i64::from(born.tv_nsec));
                Ok(Self { inode: found.stx_ino, born: if is_known { nanos } else { 0 } })
            }
            Err(Errno::NOSYS | Errno::PERM) => {
                Ok(Self { inode: rustix::fs::fstat(dir)?.st_ino, born: 0 })
            }
            Err(error) => Err(error),
        }
    }
}

/// What an open directory holds, in the order of the names.
pub(super) fn list(dir: impl AsFd) -> Result<Vec<(CString, FileType)>> {
    let dir = dir.as_fd();
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => look(dir, name)?
                .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
            kind => kind,
        };
        entries.push((name.to_owned(), kind));
    }
    entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(entries)
}

/// Takes away whatever has this name, with all that is in it. Gives how many entries went.
pub(super) fn remove(dir: BorrowedFd<'_>, name: &CStr) -> Result<u64> {
    let Some(stat) = look(dir, name)? else { return Ok(0) };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        remove_directory(dir, name)
    } else {
        unlink(dir, name, AtFlags::empty())
    }
}

fn remove_directory(dir: BorrowedFd<'_>, name: &CStr) -> Result<u64> {
    let open = match rustix::fs::openat(dir, name, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(0),
        open => open?,
    };
    let entries = list(&open)?;
    if !entries.is_empty() {
        // Somebody may have taken away the right to write in it.
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&open)?.st_mode);
        if !mode.contains(Mode::RWXU) {
            rustix::fs::fchmod(&open, mode.union(Mode::RWXU))?;
        }
    }
    let go = |(name, kind): &(CString, FileType)| match kind {
        FileType::Directory => remove_directory(open.as_fd(), name),
        _ => unlink(&open, name, AtFlags::empty()),
    };
    let gone = entries
        .par_iter()
        .with_min_len(64)
        .map(go)
        .try_reduce(|| 0, |one, other| Ok(one + other))?;
    Ok(gone + unlink(dir, name, AtFlags::REMOVEDIR)?)
}

fn unlink(dir: impl AsFd, name: &CStr, flags: AtFlags) -> Result<u64> {
    match rustix::fs::unlinkat(dir, name, flags) {
        Ok(()) => Ok(1),
        Err(Errno::NOENT) => Ok(0),
        Err(error) => Err(error),
    }
}
