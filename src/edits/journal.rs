//! The journal: what each batch does, kept in `.secateur/journal/` at the root of the project so that a batch can be
//! finished or taken back. Touches that directory, through `disk`.

use super::disk;
use super::plan::{Header, Plan};
use crate::error::{Error, Result};
use crate::source::ProjectPath;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The directory at the root of the project that holds what is ours.
pub(super) const OURS: &str = ".secateur";

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// Its changes are being written, or were when the program was stopped.
    Applying,
    /// All its changes are written.
    Applied,
    /// It is being taken back, or was when the program was stopped.
    Undoing,
    /// It was taken back.
    Undone,
}

impl BatchState {
    const ALL: [Self; 4] = [Self::Applying, Self::Applied, Self::Undoing, Self::Undone];

    /// The name in reports and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Whether some of its files may be old and others new.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Applying | Self::Undoing)
    }
}

/// The number of a batch: they count from 1, whatever the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId(u32);

impl BatchId {
    /// Reads `0012` or `12`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| is_number && *number > 0).map(Self)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// A batch of changes as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// How far it is.
    pub state: BatchState,
    /// What it was made for, in one line.
    pub title: String,
    /// The files whose text it changes, sorted.
    pub edited: Vec<ProjectPath>,
    /// The files that it deletes, sorted.
    pub deleted: Vec<ProjectPath>,
}

/// The journal of a project, locked against other processes.
pub(super) struct Journal {
    dir: PathBuf,
    _lock: disk::Lock,
}

impl Journal {
    /// Opens and locks the journal, `None` if the project has none.
    pub(super) fn open(root: &Path) -> Result<Option<Self>> {
        if !is_there(root)? {
            return Ok(None);
        }
        let place = format!("{OURS}/lock");
        let lock = disk::lock(&root.join(&place));
        let lock = lock.map_err(|error| Error::new("cannot be locked").at(place).cause(error))?;
        let busy = || {
            Error::new("another secateur is changing files of this project")
                .hint("wait until it has ended")
        };
        Ok(Some(Self { dir: dir(root), _lock: lock.ok_or_else(busy)? }))
    }

    /// The same, and makes one if there is none.
    pub(super) fn create(root: &Path) -> Result<Self> {
        ensure(root)?;
        Self::open(root)?.ok_or_else(|| Error::new("is gone").at(OURS))
    }

    /// Writes a batch as being applied. Once this returns, its changes can be finished or taken back.
    pub(super) fn begin(&self, plan: &Plan) -> Result<BatchId> {
        let last = ids(&self.dir)?.last().copied();
        let id = BatchId(last.map_or(0, |id| id.0).saturating_add(1));
        let write = || {
            let temp = self.temp(id);
            disk::remove_all(&temp)?;
            disk::create_dir(&temp)?;
            let (header, contents) = Header::split(plan);
            disk::write_new(&temp.join("plan.json"), &serde_json::to_vec_pretty(&header)?)?;
            disk::write_new(&temp.join("contents"), &contents)?;
            disk::write_new(&temp.join("state"), BatchState::Applying.as_str().as_bytes())?;
            disk::sync_dir(&temp)?;
            disk::rename(&temp, &self.path(id))
        };
        write().map(|()| id).map_err(|error| cannot("be written", id, error))
    }

    /// Notes how far a batch is.
    pub(super) fn set_state(&self, id: BatchId, state: BatchState) -> Result<()> {
        let written = disk::replace(&self.path(id).join("state"), state.as_str().as_bytes());
        written.map_err(|error| cannot("be written", id, error))
    }

    /// Forgets a batch that changed nothing.
    pub(super) fn discard(&self, id: BatchId) -> Result<()> {
        let temp = self.temp(id);
        let removed = disk::rename(&self.path(id), &temp).and_then(|()| disk::remove_all(&temp));
        removed.map_err(|error| cannot("be removed", id, error))
    }

    /// What a batch does.
    pub(super) fn plan(&self, id: BatchId) -> Result<Plan> {
        let contents = disk::read(&self.path(id).join("contents"));
        let contents = contents.map_err(|error| cannot("be read", id, error))?;
        header(&self.dir, id)?.join(&contents).map_err(|message| damaged(id, message))
    }

    /// How far each batch is, the oldest first. What they do is not read: a long history must not slow a change down.
    pub(super) fn states(&self) -> Result<Vec<(BatchId, BatchState)>> {
        let state = |id| state(&self.dir, id).map(|state| (id, state));
        ids(&self.dir)?.into_iter().map(state).collect()
    }

    /// One batch, which is there.
    pub(super) fn batch(&self, id: BatchId) -> Result<Batch> {
        batch(&self.dir, id)
    }

    fn path(&self, id: BatchId) -> PathBuf {
        self.dir.join(id.to_string())
    }

    /// Where a batch stands until it is written whole.
    fn temp(&self, id: BatchId) -> PathBuf {
        self.dir.join(format!("{id}.tmp"))
    }
}

/// The batches of a project, the oldest first. Locks nothing and makes nothing.
pub fn batches(root: &Path) -> Result<Vec<Batch>> {
    let dir = dir(root);
    if !is_there(root)? {
        return Ok(Vec::new());
    }
    ids(&dir)?.into_iter().map(|id| batch(&dir, id)).collect()
}

fn dir(root: &Path) -> PathBuf {
    root.join(OURS).join("journal")
}

/// Makes an empty journal if there is none.
pub(super) fn ensure(root: &Path) -> Result<()> {
    if is_there(root)? {
        return Ok(());
    }
    make(root).map_err(|error| Error::new("cannot be made").at(OURS).cause(error))
}

/// Whether the project has a journal. A link in its place might make us write anywhere.
pub(super) fn is_there(root: &Path) -> Result<bool> {
    for path in [root.join(OURS), dir(root)] {
        let is_dir = disk::is_dir(&path);
        match is_dir.map_err(|error| Error::new("cannot be read").at(OURS).cause(error))? {
            Some(true) => {}
            Some(false) => {
                return Err(Error::new("is no directory").at(path.display().to_string()));
            }
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn make(root: &Path) -> io::Result<()> {
    let ours = root.join(OURS);
    disk::create_dir(&dir(root))?;
    // Nothing of this belongs into a commit.
    disk::replace(&ours.join(".gitignore"), b"*\n")?;
    disk::sync_dir(root)
}

/// The batches that were written whole, in order.
fn ids(dir: &Path) -> Result<Vec<BatchId>> {
    let names = disk::names(dir);
    let names = names
        .map_err(|error| Error::new("cannot be read").at(dir.display().to_string()).cause(error))?;
    let mut ids: Vec<_> = names.iter().filter_map(|name| BatchId::parse(name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

fn batch(dir: &Path, id: BatchId) -> Result<Batch> {
    let header = header(dir, id)?;
    let state = state(dir, id)?;
    let (edited, deleted) = (header.paths(false), header.paths(true));
    Ok(Batch { id, state, title: header.title, edited, deleted })
}

fn state(dir: &Path, id: BatchId) -> Result<BatchState> {
    let text = disk::read(&dir.join(id.to_string()).join("state"));
    let text = text.map_err(|error| cannot("be read", id, error))?;
    let state = BatchState::ALL.into_iter().find(|state| state.as_str().as_bytes() == text);
    state.ok_or_else(|| damaged(id, "the state is none that secateur writes"))
}

fn header(dir: &Path, id: BatchId) -> Result<Header> {
    let text = disk::read(&dir.join(id.to_string()).join("plan.json"));
    let text = text.map_err(|error| cannot("be read", id, error))?;
    let header: Header =
        serde_json::from_slice(&text).map_err(|error| damaged(id, error.to_string()))?;
    header.check_version().map_err(|message| damaged(id, message))?;
    Ok(header)
}

fn cannot(what: &str, id: BatchId, cause: io::Error) -> Error {
    Error::new(format!("cannot {what}")).at(place(id)).cause(cause)
}

fn damaged(id: BatchId, message: impl Into<String>) -> Error {
    let place = place(id);
    let hint = format!("remove {place} to forget the batch; it cannot be undone then");
    Error::new(message).at(place).hint(hint)
}

fn place(id: BatchId) -> String {
    format!("{OURS}/journal/{id}")
}
