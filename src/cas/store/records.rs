//! Small named records of a store: action results, and names of bundles. They are what keeps contents alive, and the time
//! of their last use says which goes first. Touches `ac/` and `refs/` only.

use super::layout::{failed, shard};
use super::{Durability, Store, writer};
use crate::cas::digest::{Digest, hex};
use crate::error::{Error, Result};
use std::fs;
use std::io;
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

impl Store {
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
            .filter_map(|path| {
                let path = path.strip_prefix(&root).ok()?;
                let name = path.parent()?.to_str()?.to_owned();
                let revision = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?.to_owned();
                Some(RefName { name, revision })
            })
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
        let name = format!("{}-{}", hex(action.hash()), action.size());
        self.root.join("ac").join(self.function.name()).join(shard(action.hash())).join(name)
    }

    fn reference_path(&self, name: &RefName) -> PathBuf {
        self.root.join("refs").join(&name.name).join(format!("{}{SUFFIX}", name.revision))
    }
}

/// Tells a revision from a segment of a longer name.
const SUFFIX: &str = ".ref";

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => {
            // Who may read but not write has its use uncounted.
            let times = rustix::fs::Timestamps {
                last_access: writer::now(),
                last_modification: writer::now(),
            };
            let _ =
                rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty());
            Ok(Some(bytes))
        }
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
