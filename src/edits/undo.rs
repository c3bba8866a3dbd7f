//! Takes a batch back, or completes one that was interrupted. Writes through `journal` and `switch`.

use super::apply::{half_way, is_reserved, project, refuse_unfinished, unreadable};
use super::disk::{self, Node};
use super::journal::{Batch, BatchId, BatchState, Journal};
use super::plan::{Entry, Plan, Side};
use super::refusal::{ApplyError, Reason, Refused};
use super::switch::{Failure, Switch};
use crate::error::{Error, Result};
use std::path::Path;

/// Restores the files of a batch, byte for byte: the batch of that number, or else the last that was not taken back.
///
/// Where a file has changed since, nothing is restored. A batch that was interrupted is taken back like any other, and
/// must be before others are.
pub fn undo(root: &Path, batch: Option<&str>) -> std::result::Result<Batch, ApplyError> {
    let root = project(root)?;
    let journal = Journal::open(&root)?.ok_or_else(nothing_to_undo)?;
    let batches = journal.states()?;
    let (id, state) = select(&batches, batch)?;
    if !state.is_unfinished() {
        refuse_unfinished(&batches)?;
    }
    let plan = journal.plan(id)?;
    let work = Work { root: &root, journal: &journal, plan: &plan, id, state };
    let numbers = work.numbers_on(Side::After)?;
    journal.set_state(id, BatchState::Undoing)?;
    work.bring(&numbers, Side::Before, BatchState::Undone)
}

/// Completes the batch that was interrupted: writes the rest of its changes, or takes the rest of them back if it was being
/// undone.
pub fn finish(root: &Path) -> std::result::Result<Batch, ApplyError> {
    let root = project(root)?;
    let none = || Error::new("there is nothing to finish: no batch was interrupted");
    let journal = Journal::open(&root)?.ok_or_else(none)?;
    let batches = journal.states()?;
    let unfinished = batches.iter().find(|(_, state)| state.is_unfinished());
    let (id, state) = unfinished.copied().ok_or_else(none)?;
    let (side, finished) = match state {
        BatchState::Undoing => (Side::Before, BatchState::Undone),
        _ => (Side::After, BatchState::Applied),
    };
    let plan = journal.plan(id)?;
    let work = Work { root: &root, journal: &journal, plan: &plan, id, state };
    let numbers = work.numbers_on(side.other())?;
    work.bring(&numbers, side, finished)
}

fn nothing_to_undo() -> Error {
    Error::new("there is nothing to undo").hint("`secateur undo --list` shows the batches")
}

fn select(batches: &[(BatchId, BatchState)], name: Option<&str>) -> Result<(BatchId, BatchState)> {
    let Some(name) = name else {
        let unfinished = batches.iter().find(|(_, state)| state.is_unfinished());
        let last = || batches.iter().rfind(|(_, state)| *state == BatchState::Applied);
        return unfinished.or_else(last).copied().ok_or_else(nothing_to_undo);
    };
    let id = BatchId::parse(name);
    match batches.iter().find(|(other, _)| Some(*other) == id) {
        None => Err(Error::new(format!("there is no batch `{name}`"))
            .hint("`secateur undo --list` shows the batches")),
        Some((id, BatchState::Undone)) => Err(Error::new(format!("batch {id} was undone already"))),
        Some(batch) => Ok(*batch),
    }
}

/// A batch of the journal and the project it belongs to.
struct Work<'a> {
    root: &'a Path,
    journal: &'a Journal,
    plan: &'a Plan,
    id: BatchId,
    state: BatchState,
}

impl Work<'_> {
    /// The entries that are on `side`, by their numbers in the plan. Refuses if one is on neither.
    fn numbers_on(&self, side: Side) -> std::result::Result<Vec<usize>, ApplyError> {
        let (mut numbers, mut refused) = (Vec::new(), Vec::new());
        for (number, entry) in self.plan.entries.iter().enumerate() {
            match side_of(self.root, entry) {
                Ok(found) if found == side => numbers.push(number),
                Ok(_) => {}
                Err(reason) => refused.push(Refused { path: entry.path.clone(), reason }),
            }
        }
        if refused.is_empty() {
            return Ok(numbers);
        }
        self.blame_later_batches(&mut refused)?;
        Err(ApplyError::Refused(refused))
    }

    /// Names the last batch that changed a file again and stands.
    fn blame_later_batches(&self, refused: &mut [Refused]) -> Result<()> {
        for (id, state) in self.journal.states()? {
            if id <= self.id || state != BatchState::Applied {
                continue;
            }
            let later = self.journal.batch(id)?;
            for Refused { path, reason } in &mut *refused {
                if later.edited.contains(path) || later.deleted.contains(path) {
                    *reason = Reason::ChangedByBatch(id);
                }
            }
        }
        Ok(())
    }

    fn bring(
        &self,
        numbers: &[usize],
        side: Side,
        finished: BatchState,
    ) -> std::result::Result<Batch, ApplyError> {
        let Self { root, journal, plan, id, state } = *self;
        match (Switch { root, id, plan }).run(numbers, side) {
            Ok(()) => journal.set_state(id, finished)?,
            Err(Failure { error, nothing_changed: true }) => {
                journal.set_state(id, state)?;
                return Err(error.hint("no file was changed").into());
            }
            Err(Failure { error, nothing_changed: false }) => return Err(half_way(error).into()),
        }
        Ok(journal.batch(id)?)
    }
}

/// Which side a path is on.
fn side_of(root: &Path, entry: &Entry) -> std::result::Result<Side, Reason> {
    if is_reserved(&entry.path) {
        return Err(Reason::Reserved);
    }
    // The journal holds real paths. If there is a link on the way now, it leads to somebody else's file.
    let mut dir = entry.path.parent();
    while let Some(at) = dir.filter(|dir| dir.parent().is_some()) {
        let is_dir = disk::is_dir(&root.join(at.as_str())).map_err(|error| unreadable(&error))?;
        if is_dir == Some(false) {
            return Err(Reason::Changed);
        }
        dir = at.parent();
    }
    let now = Node::read(&root.join(entry.path.as_str())).map_err(|error| unreadable(&error))?;
    match now {
        now if now.is_same(&entry.after) => Ok(Side::After),
        now if now.is_same(&entry.before) => Ok(Side::Before),
        Node::Absent => Err(Reason::Gone),
        _ if matches!(entry.after, Node::Absent) => Err(Reason::ThereAgain),
        _ => Err(Reason::Changed),
    }
}
