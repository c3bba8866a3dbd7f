//! Small named records of a store: action results, and names of bundles. They are what keeps contents alive, and the time
//! of their last use says which goes first. Touches `ac/` and `refs/` only.

use super::layout::failed;
use super::{Durability, Store, writer};
use crate::cas::digest::Digest;
use crate::error::{Error, Result};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A name that somebody gave to a root in this store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefName {
    /// The bundle: segments divided by `/`.
    pub name: String,
    /// The revision: one segment.
    pub revision: String,
}

impl RefName {
    /// Reads `NAME@REVISION`.
    ///
    /// # Errors
    /// A part is missing, or could not be the name of a file everywhere.
    pub fn new(text: &str) -> Result<Self> {
        let hint = "a bundle is named as NAME@REVISION, say serving/ranker@8f3a2c1";
        let refuse = |message: String| Error::new(message).hint(hint);
        let (name, revision) =
            text.rsplit_once('@').ok_or_else(|| refuse(format!("`{text}` has no revision")))?;
        let is_fine = |segment: &str| {
            !segment.is_empty()
                && segment.len() <= 128
                && !segment.starts_with(['.', '-'])
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || "._+-=".contains(c))
        };
        match name.split('/').chain([revision]).find(|segment| !is_fine(segment)) {
            None => Ok(Self { name: name.to_owned(), revision: revision.to_owned() }),
            Some(segment) => Err(refuse(format!(
                "`{segment}` in `{text}` is not made of letters, digits and `._+-=` alone, or begins with `.` or `-`"
            ))),
        }
    }
}

impl std::fmt::Display for RefName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.revision)
    }
}

/// A file that keeps contents alive.
pub(super) struct Record {
    pub(super) path: PathBuf,
    /// When it was last used, in seconds since 1970.
    pub(super) used: i64,
    /// Whether somebody gave it a name; otherwise it is a cached action result.
    pub(super) is_name: bool,
    /// How it is called.
    pub(super) shown: String,
}

impl Store {
    /// Every record, names and then action results.
    pub(super) fn records(&self) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for (dir, is_name) in [("refs", true), ("ac", false)] {
            let dir = self.root.join(dir);
            for path in files_below(&dir)? {
                // It went meanwhile.
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                let shown = path.strip_prefix(&dir).unwrap_or(&path);
                let name = if is_name { name_of(shown) } else { None };
                let shown =
                    name.map_or_else(|| shown.display().to_string(), |name| name.to_string());
                records.push(Record { used: metadata.mtime(), is_name, shown, path });
            }
        }
        Ok(records)
    }

    /// The encoded `ActionResult` of an action; being read counts as use.
    pub fn action_result(&self, action: &Digest) -> Result<Option<Vec<u8>>> {
        read(&self.action_path(action))
    }

    /// Keeps the encoded `ActionResult` of an action.
    pub fn put_action_result(&self, action: &Digest, bytes: &[u8]) -> Result<()> {
        write(&self.action_path(action), bytes)
    }

    /// What a name stands for, as `bundle` encodes it; being read counts as use.
    pub fn reference(&self, name: &RefName) -> Result<Option<Vec<u8>>> {
        read(&self.reference_path(name))
    }

    /// The same without counting as use.
    pub fn peek_reference(&self, name: &RefName) -> Result<Option<Vec<u8>>> {
        peek(&self.reference_path(name))
    }

    /// Gives a name.
    pub fn put_reference(&self, name: &RefName, bytes: &[u8]) -> Result<()> {
        write(&self.reference_path(name), bytes)
    }

    /// Takes a name away; whether it was there.
    pub fn remove_reference(&self, name: &RefName) -> Result<bool> {
        let path = self.reference_path(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("remove", &path, error)),
        }
    }

    /// All names, sorted.
    pub fn references(&self) -> Result<Vec<RefName>> {
        let root = self.root.join("refs");
        let mut names: Vec<RefName> = files_below(&root)?
            .iter()
            .filter_map(|path| name_of(path.strip_prefix(&root).ok()?))
            .collect();
        names.sort();
        Ok(names)
    }

    /// What was remembered of the materialized tree whose path has this digest.
    pub(crate) fn tree_record(&self, path: &Digest) -> Result<Option<Vec<u8>>> {
        read(&self.tree_path(path))
    }

    /// Remembers something of the materialized tree whose path has this digest.
    pub(crate) fn put_tree_record(
        &self,
        path: &Digest,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<()> {
        let path = self.tree_path(path);
        let written = writer::replace_as(&path, bytes, durability);
        written.map_err(|error| failed("write", &path, error))
    }

    fn tree_path(&self, path: &Digest) -> PathBuf {
        self.root.join("trees").join(path.hex())
    }

    fn action_path(&self, action: &Digest) -> PathBuf {
        let hex = action.hex();
        let name = format!("{hex}-{}", action.size());
        self.root.join("ac").join(self.function.name()).join(&hex[..2]).join(name)
    }

    fn reference_path(&self, name: &RefName) -> PathBuf {
        self.root.join("refs").join(&name.name).join(format!("{}{SUFFIX}", name.revision))
    }
}

/// Tells a revision from a segment of a longer name.
const SUFFIX: &str = ".ref";

/// The name whose file this is, below `refs/`.
fn name_of(path: &Path) -> Option<RefName> {
    let name = path.parent()?.to_str()?.to_owned();
    let revision = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?.to_owned();
    Some(RefName { name, revision })
}

/// The bytes of a file, whose use counts; `None` if it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let bytes = peek(path)?;
    if bytes.is_some() {
        let times =
            rustix::fs::Timestamps { last_access: writer::now(), last_modification: writer::now() };
        // Who may read but not write has its use uncounted.
        let _ = rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty());
    }
    Ok(bytes)
}

/// The same without counting as use.
pub(super) fn peek(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, error)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| failed("make", dir, error))?;
    }
    writer::replace(path, bytes).map_err(|error| failed("write", path, error))
}

/// All files below a directory, sorted; none if it is not there.
pub(super) fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| failed("list", &dir, error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed("list", &dir, error))?;
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir { dirs.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    Ok(files)
}
