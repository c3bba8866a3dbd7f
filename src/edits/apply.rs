//! Writes changes to the project: only where each file is what was analysed, all of them or none, and so that a stop at
//! any point can be undone or finished. Writes through `journal` and `switch`.

use super::change::FileChange;
use super::disk::{self, Node};
use super::journal::{Batch, BatchId, BatchState, Journal, OURS};
use super::plan::{Directory, Entry, Plan, Side};
use super::refusal::{ApplyError, Reason, Refused};
use super::switch::{Failure, Switch};
use crate::error::{Error, Result};
use crate::source::ProjectPath;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Directories that hold no sources.
const RESERVED: [&str; 4] = [OURS, ".git", ".hg", ".sl"];

/// What a batch is, besides its changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchInfo {
    /// What it is for, in one line; `undo --list` shows it.
    pub title: String,
    /// Whether directories go that hold nothing once its files are deleted.
    pub remove_empty_dirs: bool,
}

/// Writes the changes to the project at `root`. `None` if they change nothing.
///
/// Links inside the project are followed: their file is edited. A link that is to be deleted goes itself. Permissions
/// stay; owners too, as far as the system lets us.
pub fn apply(
    root: &Path,
    changes: &[FileChange],
    info: &BatchInfo,
) -> std::result::Result<Option<Batch>, ApplyError> {
    let root = project(root)?;
    let journal = Journal::open(&root)?;
    if let Some(journal) = &journal {
        refuse_unfinished(&journal.states()?)?;
    }
    let mut entries = entries(&root, changes).map_err(ApplyError::Refused)?;
    entries.retain(|entry| !entry.before.is_same(&entry.after));
    if entries.is_empty() {
        return Ok(None);
    }
    let directories = if info.remove_empty_dirs { emptied(&root, &entries)? } else { Vec::new() };
    let plan = Plan { title: info.title.clone(), entries, directories };
    let journal = journal.map_or_else(|| Journal::create(&root), Ok)?;
    write(&root, &journal, &plan).map(Some)
}

/// The project root without links.
pub(super) fn project(root: &Path) -> Result<PathBuf> {
    disk::canonical(root)
        .map_err(|error| Error::new("cannot be opened").at(root.display().to_string()).cause(error))
}

/// A batch that was stopped half-way comes first: whoever goes on reads files of which some are old and some are new.
pub(super) fn refuse_unfinished(batches: &[(BatchId, BatchState)]) -> Result<()> {
    match batches.iter().find(|(_, state)| state.is_unfinished()) {
        None => Ok(()),
        Some((id, BatchState::Undoing)) => {
            let message =
                format!("undoing batch {id} was interrupted: some files may be old, others new");
            Err(Error::new(message).hint("run `secateur undo` to undo the rest"))
        }
        Some((id, _)) => {
            let message = format!("batch {id} was interrupted: some files may be old, others new");
            Err(Error::new(message).hint(
                "run `secateur undo` to take it back, or `secateur undo --finish` to complete it",
            ))
        }
    }
}

fn write(root: &Path, journal: &Journal, plan: &Plan) -> std::result::Result<Batch, ApplyError> {
    let id = journal.begin(plan)?;
    let numbers: Vec<usize> = (0..plan.entries.len()).collect();
    match (Switch { root, id, plan }).run(&numbers, Side::After) {
        Ok(()) => journal.set_state(id, BatchState::Applied)?,
        Err(Failure { error, nothing_changed: true }) => {
            journal.discard(id)?;
            return Err(error.hint("no file was changed").into());
        }
        Err(Failure { error, nothing_changed: false }) => return Err(half_way(error).into()),
    }
    Ok(journal.batch(id)?)
}

/// The error of a batch that could be neither written nor put back.
pub(super) fn half_way(error: Error) -> Error {
    error.hint("some files were changed and could not be put back: once the cause is gone, run `secateur undo`")
}

/// What the changes do, in the order of the real paths.
fn entries(root: &Path, changes: &[FileChange]) -> std::result::Result<Vec<Entry>, Vec<Refused>> {
    let (mut entries, mut refused) = (Vec::<Entry>::new(), Vec::new());
    for change in changes {
        match entry(root, change) {
            Ok(entry) => entries.push(entry),
            Err(reason) => refused.push(Refused { path: change.path.clone(), reason }),
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries.dedup_by(|a, b| a.path == b.path && a.after.is_same(&b.after));
    for pair in entries.windows(2) {
        if let [a, b] = pair
            && a.path == b.path
        {
            refused.push(Refused { path: a.path.clone(), reason: Reason::Twice });
        }
    }
    refused.sort_by(|a, b| a.path.cmp(&b.path));
    if refused.is_empty() { Ok(entries) } else { Err(refused) }
}

fn entry(root: &Path, change: &FileChange) -> std::result::Result<Entry, Reason> {
    let path = real_path(root, &change.path)?;
    let real = disk::canonical(&root.join(path.as_str())).map_err(|error| unreadable(&error))?;
    let target = disk::relative(root, &real).ok_or(Reason::Outside)?;
    if is_reserved(&target) {
        return Err(Reason::Reserved);
    }
    let now = read(&real)?;
    let Node::File { bytes, attributes } = &now else { return Err(Reason::Gone) };
    if blake3::hash(bytes) != blake3::hash(&change.before) {
        return Err(Reason::Changed);
    }
    let attributes = *attributes;
    Ok(match &change.after {
        Some(bytes) => {
            let after = Node::File { bytes: bytes.clone(), attributes };
            Entry { path: target, before: now, after }
        }
        // The link, if it is one: its file may have other names, and those were not asked about.
        None => Entry { before: read(&root.join(path.as_str()))?, path, after: Node::Absent },
    })
}

/// The path without links on the way to it; its last component may be one.
fn real_path(root: &Path, path: &ProjectPath) -> std::result::Result<ProjectPath, Reason> {
    let is_normal = ProjectPath::root().join(path.as_str()).as_ref() == Some(path);
    let parent = path.parent().filter(|_| is_normal).ok_or(Reason::Outside)?;
    let parent =
        disk::canonical(&root.join(parent.as_str())).map_err(|error| unreadable(&error))?;
    let path = disk::relative(root, &parent.join(path.file_name())).ok_or(Reason::Outside)?;
    if is_reserved(&path) { Err(Reason::Reserved) } else { Ok(path) }
}

/// Whether a path belongs to version control or to the journal.
pub(super) fn is_reserved(path: &ProjectPath) -> bool {
    path.as_str().split('/').any(|part| RESERVED.contains(&part))
}

fn read(path: &Path) -> std::result::Result<Node, Reason> {
    Node::read(path).map_err(|error| unreadable(&error))
}

/// Why a file could not be read.
pub(super) fn unreadable(error: &std::io::Error) -> Reason {
    if disk::is_absence(error) { Reason::Gone } else { Reason::Unreadable(error.to_string()) }
}

/// The directories that hold nothing but what is deleted, those below before those above.
fn emptied(root: &Path, entries: &[Entry]) -> Result<Vec<Directory>> {
    let deleted = entries.iter().filter(|entry| matches!(entry.after, Node::Absent));
    let mut gone: BTreeSet<ProjectPath> = deleted.map(|entry| entry.path.clone()).collect();
    let mut directories = Vec::new();
    for path in gone.clone() {
        let mut dir = path.parent();
        while let Some(path) = dir.filter(|dir| dir.parent().is_some() && !gone.contains(dir)) {
            let full = root.join(path.as_str());
            let fail = |error| Error::new("cannot be read").at(path.as_str()).cause(error);
            let names = disk::names(&full).map_err(fail)?;
            if !names.iter().all(|name| path.join(name).is_some_and(|path| gone.contains(&path))) {
                break;
            }
            directories
                .push(Directory { path: path.clone(), mode: disk::dir_mode(&full).map_err(fail)? });
            dir = path.parent();
            gone.insert(path);
        }
    }
    Ok(directories)
}
