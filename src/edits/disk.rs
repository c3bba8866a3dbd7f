//! What stands at a path, read with its permissions and put in place durably. The only file of `edits` that touches the disk.
#![expect(clippy::disallowed_methods, reason = "the one file that changes the user's files")]

use crate::source::ProjectPath;
use std::fs::{self, DirBuilder, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, symlink,
};
use std::path::{Path, PathBuf};

/// An open file, for those who hand one on to a program.
pub(super) use std::fs::File;

/// What stands at a path.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Absent,
    File {
        bytes: Vec<u8>,
        attributes: Attributes,
    },
    /// A symbolic link, by the text of its target.
    Link(PathBuf),
}

/// What a file has besides its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    /// The permission bits, without the type of the file.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Node {
    /// What stands at `path` now. Links are not followed.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if is_absence(&error) => return Ok(Self::Absent),
            metadata => metadata?,
        };
        if metadata.is_symlink() {
            return fs::read_link(path).map(Self::Link);
        }
        if !metadata.is_file() {
            return Err(io::Error::other("neither a file nor a symbolic link"));
        }
        let attributes =
            Attributes { mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() };
        Ok(Self::File { bytes: fs::read(path)?, attributes })
    }

    /// Whether both are the same to a user. Who owns a file is left out: only root can give a file back to its owner.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) => true,
            (
                Self::File { bytes, attributes },
                Self::File { bytes: others, attributes: theirs },
            ) => bytes == others && attributes.mode == theirs.mode,
            (Self::Link(target), Self::Link(other)) => target == other,
            _ => false,
        }
    }

    /// Makes a file or link at `temp`, which is on disk when this returns. Nothing is made for what is to be absent.
    pub(super) fn stage(&self, temp: &Path) -> io::Result<()> {
        remove(temp)?;
        match self {
            Self::Absent => Ok(()),
            Self::Link(target) => symlink(target, temp),
            Self::File { bytes, attributes } => {
                let mut file = create_new(temp)?;
                file.write_all(bytes)?;
                attributes.give(&file)?;
                file.sync_all()
            }
        }
    }

    /// Moves what was staged at `temp` to `path`.
    pub(super) fn put(&self, temp: &Path, path: &Path) -> io::Result<()> {
        match self {
            Self::Absent => fs::remove_file(path),
            Self::File { .. } | Self::Link(_) => fs::rename(temp, path),
        }
    }
}

impl Attributes {
    fn give(self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        if (metadata.uid(), metadata.gid()) != (self.uid, self.gid) {
            // Where the owner cannot be kept, the file is still the user's to edit.
            fchown(file, Some(self.uid), Some(self.gid))
                .or_else(|_| fchown(file, None, Some(self.gid)))
                .ok();
        }
        // Last, because a change of owner takes bits away.
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

/// Opens a file that nothing stood for, so that nobody's link is followed; nobody else may read it yet.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a file that is on disk when this returns, though its name may not be.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// An empty file in place of what stood there.
pub(super) fn create(path: &Path) -> io::Result<File> {
    remove(path)?;
    create_new(path)
}

/// Replaces a file as a whole: after a crash, it is the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("tmp");
    remove(&temp)?;
    write_new(&temp, bytes)?;
    rename(&temp, path)
}

/// Moves a file or directory within its directory, durably.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_dir)
}

/// Waits until the names in a directory are on disk.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The bytes of a file of ours.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// Removes a file or link, if there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    unless_absent(fs::remove_file(path))
}

/// Removes a directory of ours with all it holds, if there is one.
pub(super) fn remove_all(dir: &Path) -> io::Result<()> {
    unless_absent(fs::remove_dir_all(dir))
}

/// Makes a directory, and those above it, unless they are there.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

/// Makes a directory with these permission bits, unless it is there.
pub(super) fn restore_dir(dir: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // Once more, because the process's mask took bits away.
        created => created.and_then(|()| fs::set_permissions(dir, Permissions::from_mode(mode))),
    }
}

/// Removes a directory if it is there and empty.
pub(super) fn remove_empty_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => unless_absent(removed),
    }
}

/// The permission bits of a directory.
pub(super) fn dir_mode(dir: &Path) -> io::Result<u32> {
    fs::symlink_metadata(dir).map(|metadata| metadata.mode() & 0o7777)
}

/// The names in a directory, sorted; none if there is no such directory. Names that are not UTF-8 become readable ones.
pub(super) fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = entries.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether a directory, and not a link to one, stands at `path`; `None` if nothing does.
pub(super) fn is_dir(path: &Path) -> io::Result<Option<bool>> {
    match fs::symlink_metadata(path) {
        Err(error) if is_absence(&error) => Ok(None),
        metadata => metadata.map(|metadata| Some(metadata.is_dir())),
    }
}

/// A lock against other processes. The system lets go of it when the process ends, however that happens.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is just starting has it, too, until it becomes its
        // program. If it cannot be unlocked, it is closed.
        let _ = self.file.unlock();
    }
}

/// Locks a file, which is made if it is not there; `None` if another process holds it.
pub(super) fn lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// `path` without links, `.` and `..`.
pub(super) fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// An absolute path as one of the project; `None` if it lies outside or is not UTF-8.
pub(super) fn relative(root: &Path, path: &Path) -> Option<ProjectPath> {
    path.strip_prefix(root).ok()?.to_str().map(ProjectPath::new)
}

/// Whether an error says that nothing is there.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unless_absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if is_absence(&error) => Ok(()),
        removed => removed,
    }
}
