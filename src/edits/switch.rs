//! Brings the files of a batch from one side to the other: all of them, or none. Writes to the project, through `disk`.

use super::disk::{self, Node};
use super::journal::BatchId;
use super::plan::{Entry, Plan, Side};
use crate::error::{Error, Result};
use crate::source::ProjectPath;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A batch that is being written to a project.
pub(super) struct Switch<'a> {
    /// The project root, without links.
    pub(super) root: &'a Path,
    pub(super) id: BatchId,
    pub(super) plan: &'a Plan,
}

/// Why files were not brought to the other side.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether each file is what it was before.
    pub(super) nothing_changed: bool,
}

impl Switch<'_> {
    /// Brings these entries, by their numbers in the plan, to `side`. They must be on the other one.
    ///
    /// New contents are on disk beside the old before the first file is replaced, so that what may well fail, does so
    /// early. Where replacing fails nevertheless, what was replaced is put back.
    pub(super) fn run(&self, numbers: &[usize], side: Side) -> std::result::Result<(), Failure> {
        let mut replaced = Vec::new();
        let result = self.bring(numbers, side, &mut replaced);
        let error = match result {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let back = self.bring(&replaced, side.other(), &mut Vec::new());
        Err(Failure { error, nothing_changed: replaced.is_empty() || back.is_ok() })
    }

    fn bring(&self, numbers: &[usize], side: Side, replaced: &mut Vec<usize>) -> Result<()> {
        self.clean()?;
        let entries = || numbers.iter().filter_map(|&number| Some((number, self.entry(number)?)));
        if side == Side::Before {
            self.make_dirs(entries().map(|(_, entry)| entry))?;
        }
        let written = self.stage(&entries().collect::<Vec<_>>(), side).and_then(|()| {
            for (number, entry) in entries() {
                self.put(number, entry, side)?;
                replaced.push(number);
            }
            Ok(())
        });
        if written.is_err() {
            // What stays behind is removed by whoever goes on with the batch.
            self.clean().ok();
        }
        written?;
        self.sync(entries().map(|(_, entry)| entry))?;
        if side == Side::After { self.remove_dirs() } else { Ok(()) }
    }

    /// Writes what the entries are to hold beside them; in parallel, because the disk is waited for.
    fn stage(&self, entries: &[(usize, &Entry)], side: Side) -> Result<()> {
        let stage = |(number, entry): &(usize, &Entry)| {
            let staged = entry.at(side).stage(&self.temp(*number, entry));
            staged.map_err(|error| cannot("be written", &entry.path, error))
        };
        // The first in order, whichever came first.
        entries.par_iter().map(stage).collect::<Vec<_>>().into_iter().collect()
    }

    fn put(&self, number: usize, entry: &Entry, side: Side) -> Result<()> {
        let path = self.path(&entry.path);
        let now = Node::read(&path).map_err(|error| cannot("be read", &entry.path, error))?;
        if !now.is_same(entry.at(side.other())) {
            return Err(
                Error::new("somebody else changes the file right now").at(entry.path.as_str())
            );
        }
        let put = entry.at(side).put(&self.temp(number, entry), &path);
        put.map_err(|error| {
            let what =
                if matches!(entry.at(side), Node::Absent) { "be deleted" } else { "be replaced" };
            cannot(what, &entry.path, error)
        })
    }

    /// Removes what a run that was stopped left beside the files.
    fn clean(&self) -> Result<()> {
        for (number, entry) in self.plan.entries.iter().enumerate() {
            let removed = disk::remove(&self.temp(number, entry));
            removed.map_err(|error| cannot("be cleaned up", &entry.path, error))?;
        }
        Ok(())
    }

    /// Makes the directories that went, and others that somebody removed since.
    fn make_dirs<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<()> {
        for directory in self.plan.directories.iter().rev() {
            let made = disk::restore_dir(&self.path(&directory.path), directory.mode);
            made.map_err(|error| cannot("be made", &directory.path, error))?;
        }
        for entry in entries.filter(|entry| !matches!(entry.before, Node::Absent)) {
            let dir = parent(&entry.path);
            disk::create_dir(&self.path(&dir)).map_err(|error| cannot("be made", &dir, error))?;
        }
        Ok(())
    }

    fn remove_dirs(&self) -> Result<()> {
        for directory in &self.plan.directories {
            let removed = disk::remove_empty_dir(&self.path(&directory.path));
            removed.map_err(|error| cannot("be removed", &directory.path, error))?;
        }
        self.sync_dirs(self.plan.directories.iter().map(|directory| &directory.path))
    }

    fn sync<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<()> {
        self.sync_dirs(entries.map(|entry| &entry.path))
    }

    /// Waits until the names of these files and directories are on disk.
    fn sync_dirs<'a>(&self, paths: impl Iterator<Item = &'a ProjectPath>) -> Result<()> {
        for dir in paths.map(parent).collect::<BTreeSet<_>>() {
            match disk::sync_dir(&self.path(&dir)) {
                Err(error) if disk::is_absence(&error) => {}
                synced => synced.map_err(|error| cannot("be written", &dir, error))?,
            }
        }
        Ok(())
    }

    fn entry(&self, number: usize) -> Option<&Entry> {
        self.plan.entries.get(number)
    }

    fn path(&self, path: &ProjectPath) -> PathBuf {
        self.root.join(path.as_str())
    }

    /// Beside the file, so that it can be moved over it; by number, because the file's name may be as long as names get.
    fn temp(&self, number: usize, entry: &Entry) -> PathBuf {
        let name = format!(".secateur-{}-{number}.tmp", self.id);
        self.path(&parent(&entry.path)).join(name)
    }
}

fn parent(path: &ProjectPath) -> ProjectPath {
    path.parent().unwrap_or_else(ProjectPath::root)
}

fn cannot(what: &str, path: &ProjectPath, cause: io::Error) -> Error {
    Error::new(format!("cannot {what}")).at(path.as_str()).cause(cause)
}
