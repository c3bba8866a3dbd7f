//! The parallel walk that reads a [`Tree`]. Touches the disk through `files` only.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;

use super::cells::{Cell, CellOrigin, Cells};
use super::files::{self, Entry, EntryKind};
use super::tree::{Dir, Symlink, Tree, build_file, build_file_problem, child, is_version_control};
use crate::source::{Problem, ProblemKind, ProjectPath};

impl Tree {
    /// Reads the directories of all cells that lie on disk.
    ///
    /// `[project] ignore` holds per cell, other cells' roots end a walk, links are recorded and never followed.
    pub(super) fn read(cells: &Cells) -> Self {
        let walk = Walk { cells, tree: Mutex::default() };
        let on_disk = cells.iter().filter(|cell| cell.origin == CellOrigin::Disk);
        rayon::scope(|scope| {
            for cell in on_disk.filter(|cell| files::is_dir(&walk.path(&cell.root))) {
                scope.spawn(|scope| walk.dir(scope, cell, cell.root.clone()));
            }
        });
        let mut tree = walk.tree.into_inner().unwrap_or_else(PoisonError::into_inner);
        tree.problems.sort();
        tree.index(cells);
        tree
    }
}

struct Walk<'a> {
    cells: &'a Cells,
    tree: Mutex<Tree>,
}

/// What one directory holds.
#[derive(Default)]
struct Found {
    dir: Dir,
    symlinks: Vec<(ProjectPath, Symlink)>,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn path(&self, dir: &ProjectPath) -> PathBuf {
        self.cells.project.join(dir.as_str())
    }

    fn dir<'s>(&'s self, scope: &Scope<'s>, cell: &'s Cell, path: ProjectPath) {
        let mut found = Found::default();
        match files::list(&self.path(&path)) {
            Ok(entries) => {
                for entry in entries {
                    self.entry(cell, &path, entry, &mut found);
                }
                find_build_file(cell, &path, &mut found);
            }
            Err(error) => {
                found.dir.unread = true;
                found.problem(path.clone(), error.to_string());
            }
        }
        for name in &found.dir.dirs {
            let path = child(&path, name);
            scope.spawn(move |scope| self.dir(scope, cell, path));
        }
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        tree.dirs.insert(path, Arc::new(found.dir));
        tree.symlinks.extend(found.symlinks);
        tree.problems.extend(found.problems);
    }

    fn entry(&self, cell: &Cell, dir: &ProjectPath, entry: Entry, found: &mut Found) {
        let name = match entry.name {
            Ok(name) => name,
            Err(name) => return found.problem(child(dir, &name), "the name is not UTF-8"),
        };
        let path = child(dir, &name);
        let below = path.below(&cell.root).unwrap_or_default();
        let is_cell_root = || self.cells.cell_of(&path).root == path;
        if is_version_control(&name) || cell.ignore.matches(below) || is_cell_root() {
            return;
        }
        let names = match entry.kind {
            EntryKind::File => &mut found.dir.files,
            EntryKind::Directory => &mut found.dir.dirs,
            EntryKind::Link { real, is_dir } => {
                let is_file = real.is_some() && !is_dir;
                let target = real.and_then(|real| files::relative(&self.cells.project, &real));
                found.symlinks.push((path, Symlink { target, is_dir }));
                if is_file { &mut found.dir.files } else { &mut found.dir.links }
            }
            EntryKind::Other => return found.problem(path, "neither a file nor a directory"),
        };
        names.push(name.into());
    }
}

impl Found {
    fn problem(&mut self, path: ProjectPath, message: impl Into<String>) {
        let (line, kind) = (0, ProblemKind::Unreadable);
        self.problems.push(Problem { path, line, kind, message: message.into() });
    }
}

fn find_build_file(cell: &Cell, path: &ProjectPath, found: &mut Found) {
    let Found { dir, problems, .. } = found;
    dir.build_file = build_file(&dir.files, &cell.build_file_names);
    for name in &cell.build_file_names {
        if dir.build_file.as_deref() == Some(name) {
            break;
        }
        for (names, what) in [(&dir.dirs, "a directory"), (&dir.links, "a link to no file")] {
            if names.iter().any(|other| **other == **name) {
                problems.push(build_file_problem(path, name, what));
            }
        }
    }
}
