//! Reading the disk. The only file of `workspace` that touches it; everything else asks here.
#![expect(clippy::disallowed_methods, reason = "the one file that reads the disk")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stat::{Known, Stat};
use crate::cache::Cache;
use crate::digest::{Digest, Parts};
use crate::source::ProjectPath;

/// Larger files are not read: none of them is a source, and a few would fill the memory.
const MAX_BYTES: u64 = 256 << 20;

/// The contents of the project's files, by project-relative path.
pub trait Files: Send + Sync {
    /// The bytes of a file. Symbolic links are followed.
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>>;

    /// What a file holds, without a look at it where nothing was written to it since the last one.
    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        self.read(path).map(Content::of)
    }

    /// Whether a file is there to be read; a directory is not one.
    fn exists(&self, path: &ProjectPath) -> bool;

    /// How many bytes a file has.
    fn size(&self, path: &ProjectPath) -> io::Result<u64> {
        self.read(path).map(|bytes| bytes.len() as u64)
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Content {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its bytes, where they had to be read to know their digest.
    pub bytes: Option<Vec<u8>>,
}

impl Content {
    /// These bytes.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes: Some(bytes) }
    }

    /// Its bytes, and their digest: that of what is read now, if they were not read so far.
    pub fn read(self, files: &dyn Files, path: &ProjectPath) -> io::Result<(Digest, Vec<u8>)> {
        if let Some(bytes) = self.bytes {
            return Ok((self.digest, bytes));
        }
        let bytes = files.read(path)?;
        Ok((Digest::of(&bytes), bytes))
    }
}

/// The files as they are on disk.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
    cache: Arc<Cache>,
}

impl DiskFiles {
    /// The files of the project at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), cache: Arc::default() }
    }

    /// The same with what earlier runs know of them.
    #[must_use]
    pub fn with_cache(self, cache: &Arc<Cache>) -> Self {
        Self { cache: Arc::clone(cache), ..self }
    }
}

impl Files for DiskFiles {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        read(&self.root.join(path.as_str()))
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        let file = self.root.join(path.as_str());
        let Some(stat) = Stat::of(&file).filter(|_| self.cache.is_on()) else {
            return read(&file).map(Content::of);
        };
        let key = Parts::new("stat").add(path.as_str()).finish();
        let known: Option<Known> = self.cache.get(&key);
        if let Some(known) = known.filter(|known| known.stat == stat) {
            return Ok(Content { digest: known.digest, bytes: None });
        }
        let content = Content::of(read(&file)?);
        if stat.is_settled(self.cache.started()) {
            self.cache.put(key, &Known { stat, digest: content.digest });
        }
        Ok(content)
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        self.root.join(path.as_str()).is_file()
    }

    fn size(&self, path: &ProjectPath) -> io::Result<u64> {
        fs::metadata(self.root.join(path.as_str())).map(|metadata| metadata.len())
    }
}

/// Files with changes laid over them in memory, so that an edit can be tried before it is written.
pub struct OverlayFiles {
    base: Arc<dyn Files>,
    changed: BTreeMap<ProjectPath, Option<Vec<u8>>>,
}

impl OverlayFiles {
    /// `changed` has the new bytes of each changed file, `None` for a deleted one.
    pub fn new(base: Arc<dyn Files>, changed: BTreeMap<ProjectPath, Option<Vec<u8>>>) -> Self {
        Self { base, changed }
    }
}

impl Files for OverlayFiles {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        match self.changed.get(path) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            Some(None) => Err(io::ErrorKind::NotFound.into()),
            None => self.base.read(path),
        }
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        match self.changed.get(path) {
            Some(_) => self.read(path).map(Content::of),
            None => self.base.content(path),
        }
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        match self.changed.get(path) {
            Some(change) => change.is_some(),
            None => self.base.exists(path),
        }
    }

    fn size(&self, path: &ProjectPath) -> io::Result<u64> {
        match self.changed.get(path) {
            Some(Some(bytes)) => Ok(bytes.len() as u64),
            Some(None) => Err(io::ErrorKind::NotFound.into()),
            None => self.base.size(path),
        }
    }
}

/// One name in a directory.
#[derive(Debug)]
pub(super) struct Entry {
    /// The name, or its readable approximation if it is not UTF-8.
    pub(super) name: Result<String, String>,
    pub(super) kind: EntryKind,
}

/// What a directory entry is.
#[derive(Debug)]
pub(super) enum EntryKind {
    File,
    Directory,
    /// A symbolic link. `real` is where it ends, `None` if it leads nowhere.
    Link {
        real: Option<PathBuf>,
        is_dir: bool,
    },
    /// A socket, a pipe, a device, or a link to one.
    Other,
}

/// The entries of a directory, sorted by name.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| name.to_string_lossy().into_owned());
        entries.push(Entry { name, kind: kind_of(&entry)? });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn kind_of(entry: &fs::DirEntry) -> io::Result<EntryKind> {
    let file_type = entry.file_type()?;
    Ok(if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_dir() {
        EntryKind::Directory
    } else if file_type.is_symlink() {
        // Fails for a dangling link and for a cycle of links alike.
        let real = fs::canonicalize(entry.path()).ok();
        let is_dir = real.as_deref().is_some_and(Path::is_dir);
        if real.as_deref().is_none_or(|real| is_dir || real.is_file()) {
            EntryKind::Link { real, is_dir }
        } else {
            EntryKind::Other
        }
    } else {
        EntryKind::Other
    })
}

/// All files below `dir`, in the order of their names; none if it is no directory. Links and special files are left out.
pub(super) fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match list(dir) {
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let Ok(name) = entry.name else { continue };
        let path = dir.join(name);
        match entry.kind {
            EntryKind::File => files.push(path),
            EntryKind::Directory => files.extend(files_below(&path)?),
            EntryKind::Link { .. } | EntryKind::Other => {}
        }
    }
    Ok(files)
}

/// The bytes of a file anywhere on disk, `None` if there is none.
pub(super) fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes of a regular file. Pipes may never answer, and devices may never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("neither a file nor a directory"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(io::Error::other(format!("larger than {} MiB", MAX_BYTES >> 20)));
    }
    // `fs::read` would ask for the size once more.
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether `path` names anything.
pub(super) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether `path` is a directory.
pub(super) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// `path` without links, `.` and `..`.
pub(super) fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Expresses an absolute path relative to the project, `None` if it lies outside or is not UTF-8.
pub(super) fn relative(project: &Path, path: &Path) -> Option<ProjectPath> {
    let rest = path.strip_prefix(project).ok()?;
    ProjectPath::root().join(rest.to_str()?)
}

/// How messages name a file: relative to the project, or by its absolute path if it lies outside.
pub(super) fn shown(project: &Path, path: &Path) -> ProjectPath {
    relative(project, path).unwrap_or_else(|| ProjectPath::new(&*path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_changes_creates_and_deletes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "old").unwrap();
        fs::write(dir.path().join("b"), "gone").unwrap();
        let disk = DiskFiles::new(dir.path());
        let [a, b, c] = ["a", "b", "c"].map(ProjectPath::new);
        let changed = [(a.clone(), Some(b"new".to_vec())), (b.clone(), None)];
        let mut changed = BTreeMap::from(changed);
        changed.insert(c.clone(), Some(b"made".to_vec()));
        let overlay = OverlayFiles::new(Arc::new(disk.clone()), changed);
        assert_eq!(overlay.read(&a).unwrap(), b"new");
        assert_eq!(overlay.read(&c).unwrap(), b"made");
        assert_eq!([&a, &c].map(|path| overlay.size(path).unwrap()), [3, 4]);
        assert_eq!((disk.size(&b).unwrap(), overlay.size(&b).is_err()), (4, true));
        assert!(!overlay.exists(&b) && overlay.exists(&c) && disk.exists(&b));
        assert_eq!(overlay.read(&b).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_directory_is_not_a_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("BUCK")).unwrap();
        assert!(!DiskFiles::new(dir.path()).exists(&ProjectPath::new("BUCK")));
    }
}
