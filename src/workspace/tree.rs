//! The files, directories and packages of the project as Buck2 sees them. Pure; `walk` reads it from disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::cells::{CellOrigin, Cells};
use super::files::Files;
use super::globs::Listing;
use crate::digest::Digest;
use crate::label::PackageId;
use crate::source::{Problem, ProblemKind, ProjectPath};

/// A directory that a cell can see. Ignored entries and the roots of other cells are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dir {
    /// The names of the files, links to files among them; sorted.
    pub files: Vec<Box<str>>,
    /// The names of the real subdirectories; sorted.
    pub dirs: Vec<Box<str>>,
    /// The names of symbolic links to directories or to nothing; sorted. Buck2 lists them as files and never enters them.
    pub links: Vec<Box<str>>,
    /// The build file: the first candidate that is a file here.
    pub build_file: Option<Box<str>>,
    /// It could not be listed, so that anything may be in it.
    pub unread: bool,
}

/// A package on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageDir {
    /// Its name.
    pub id: PackageId,
    /// Its directory.
    pub dir: ProjectPath,
    /// Its build file.
    pub build_file: ProjectPath,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symlink {
    /// Where it ends after all links are followed; `None` if that is nowhere, or outside of the project.
    pub target: Option<ProjectPath>,
    /// Whether it ends at a directory.
    pub is_dir: bool,
}

/// All that the project's cells can see on disk, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub(super) dirs: BTreeMap<ProjectPath, Arc<Dir>>,
    pub(super) symlinks: BTreeMap<ProjectPath, Symlink>,
    pub(super) problems: Vec<Problem>,
    /// Of all of it, once somebody asked.
    pub(super) digest: OnceLock<Digest>,
    cell_roots: BTreeSet<ProjectPath>,
    packages: Vec<PackageDir>,
    by_dir: FxHashMap<ProjectPath, usize>,
    /// The files of each package, listed when first asked for.
    listings: Vec<Arc<OnceLock<Listing>>>,
    files: OnceLock<Vec<ProjectPath>>,
}

impl Tree {
    /// The directory at `path`, if it is there and no cell ignores it.
    pub fn dir(&self, path: &ProjectPath) -> Option<&Dir> {
        self.dirs.get(path).map(|dir| &**dir)
    }

    /// Whether a file, or a link to one, is at `path`.
    pub fn is_file(&self, path: &ProjectPath) -> bool {
        let dir = path.parent().and_then(|parent| self.dirs.get(&parent));
        dir.is_some_and(|dir| has(&dir.files, path.file_name()))
    }

    /// Whether a file is there. The tree knows most of them; directories that are ignored are not in it, and `files` is asked.
    pub fn has_file(&self, path: &ProjectPath, files: &dyn Files) -> bool {
        self.is_file(path) || files.exists(path)
    }

    /// All packages, sorted by name.
    pub fn packages(&self) -> &[PackageDir] {
        &self.packages
    }

    /// The package in the directory `dir` itself.
    pub fn package_at(&self, dir: &ProjectPath) -> Option<&PackageDir> {
        self.packages.get(*self.by_dir.get(dir)?)
    }

    /// The package that owns a file or directory: the nearest build file at or above it, within its cell.
    pub fn package_of(&self, path: &ProjectPath) -> Option<&PackageDir> {
        let mut above = path.clone();
        loop {
            if let Some(package) = self.package_at(&above) {
                return Some(package);
            }
            if self.cell_roots.contains(&above) {
                return None;
            }
            above = above.parent()?;
        }
    }

    /// The packages right below the one in `dir`, by their paths from there.
    pub fn sub_packages<'a>(&'a self, dir: &'a ProjectPath) -> impl Iterator<Item = &'a str> {
        let below = self.packages.iter().filter(move |package| {
            let above = package.dir.parent().filter(|_| package.dir != *dir);
            above.and_then(|above| self.package_of(&above)).is_some_and(|owner| owner.dir == *dir)
        });
        below.filter_map(move |package| package.dir.below(dir))
    }

    /// All files, links to files among them; sorted.
    pub fn files(&self) -> impl Iterator<Item = &ProjectPath> {
        let collect = || {
            let in_dir = |(path, dir)| {
                let dir: &Arc<Dir> = dir;
                dir.files.iter().map(move |name| child(path, name))
            };
            let mut files: Vec<_> = self.dirs.par_iter().flat_map_iter(in_dir).collect();
            files.par_sort_unstable();
            files
        };
        self.files.get_or_init(collect).iter()
    }

    /// What could not be read, sorted.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Directories that could not be listed, sorted.
    pub fn unread(&self) -> impl Iterator<Item = &ProjectPath> {
        self.dirs.iter().filter(|(_, dir)| dir.unread).map(|(path, _)| path)
    }

    /// All symbolic links that a cell can see, sorted by path.
    pub fn symlinks(&self) -> impl Iterator<Item = (&ProjectPath, &Symlink)> {
        self.symlinks.iter()
    }

    /// `path` with the symbolic links in it followed; `None` if they lead out of the project or nowhere.
    ///
    /// Files below a linked directory can be loaded, though Buck2's listings do not show them.
    pub fn real_path(&self, path: &ProjectPath) -> Option<ProjectPath> {
        let mut above = path.clone();
        loop {
            if let Some(link) = self.symlinks.get(&above) {
                // The target is free of links, so that only what follows can hold more, and each step leaves less of it.
                return self.real_path(&link.target.as_ref()?.join(path.below(&above)?)?);
            }
            match above.parent() {
                Some(parent) => above = parent,
                None => return Some(path.clone()),
            }
        }
    }

    /// The tree after files were created and deleted, by the rules of the walk: what a cell ignores stays unseen. A deleted
    /// directory takes what is below it along.
    #[must_use]
    pub fn overlay(&self, created: &[ProjectPath], deleted: &[ProjectPath], cells: &Cells) -> Self {
        let mut tree = Self {
            dirs: self.dirs.clone(),
            symlinks: self.symlinks.clone(),
            problems: self.problems.clone(),
            ..Self::default()
        };
        for path in deleted {
            tree.delete(path);
        }
        for path in created.iter().filter(|path| is_visible(path, cells)) {
            tree.create(path, cells);
        }
        let changed: Vec<&ProjectPath> = created.iter().chain(deleted).collect();
        for dir in changed.iter().filter_map(|path| path.parent()) {
            let Some(entries) = tree.dirs.get_mut(&dir) else { continue };
            let names = &cells.cell_of(&dir).build_file_names;
            let build_file = build_file(&entries.files, names);
            if entries.build_file != build_file {
                Arc::make_mut(entries).build_file = build_file;
            }
        }
        tree.index(cells);
        tree.reuse_listings(self, &changed);
        tree
    }

    /// Derives packages from directories.
    pub(super) fn index(&mut self, cells: &Cells) {
        self.cell_roots = cells.iter().map(|cell| cell.root.clone()).collect();
        let packages = self.dirs.iter().filter_map(|(dir, entries)| {
            let build_file = child(dir, entries.build_file.as_deref()?);
            Some(PackageDir { id: cells.package_of_dir(dir), dir: dir.clone(), build_file })
        });
        self.packages = packages.collect();
        self.packages.sort();
        let numbered = self.packages.iter().enumerate();
        self.by_dir = numbered.map(|(at, package)| (package.dir.clone(), at)).collect();
        self.listings = self.packages.iter().map(|_| Arc::default()).collect();
    }

    /// The cached listing of a package of this tree.
    pub(super) fn listing(&self, package: &PackageDir) -> Option<&OnceLock<Listing>> {
        self.listings.get(*self.by_dir.get(&package.dir)?).map(|listing| &**listing)
    }

    fn reuse_listings(&mut self, other: &Self, changed: &[&ProjectPath]) {
        for (package, listing) in self.packages.iter().zip(&mut self.listings) {
            let is_touched = changed.iter().any(|path| path.below(&package.dir).is_some());
            let old = other.by_dir.get(&package.dir).and_then(|&at| other.listings.get(at));
            if let (false, Some(old)) = (is_touched, old) {
                *listing = old.clone();
            }
        }
    }

    fn delete(&mut self, path: &ProjectPath) {
        if self.dirs.contains_key(path) {
            self.dirs.retain(|dir, _| dir.below(path).is_none());
            self.symlinks.retain(|link, _| link.below(path).is_none());
        }
        self.symlinks.remove(path);
        let Some(dir) = path.parent().and_then(|parent| self.dirs.get_mut(&parent)) else { return };
        let dir = Arc::make_mut(dir);
        for names in [&mut dir.files, &mut dir.dirs, &mut dir.links] {
            names.retain(|name| **name != *path.file_name());
        }
    }

    fn create(&mut self, path: &ProjectPath, cells: &Cells) {
        let Some(parent) = path.parent() else { return };
        insert(&mut Arc::make_mut(self.dirs.entry(parent.clone()).or_default()).files, path);
        let mut dir = parent;
        // A cell's root is no entry of the directory above it.
        while cells.cell_of(&dir).root != dir {
            let Some(parent) = dir.parent() else { return };
            let above = Arc::make_mut(self.dirs.entry(parent.clone()).or_default());
            insert(&mut above.dirs, &dir);
            dir = parent;
        }
    }
}

/// The first candidate among the names of files, which are sorted.
pub(super) fn build_file(files: &[Box<str>], candidates: &[String]) -> Option<Box<str>> {
    candidates.iter().find(|name| has(files, name)).map(|name| name.as_str().into())
}

/// Something else that is named like a build file hides a mistake; Buck2 fails on it.
pub(super) fn build_file_problem(dir: &ProjectPath, name: &str, what: &str) -> Problem {
    Problem {
        path: child(dir, name),
        line: 0,
        kind: ProblemKind::Unreadable,
        message: format!("{what} has the name of a build file"),
    }
}

/// Directories of version control and of our own journal, which no cell can see whatever it ignores.
pub(super) fn is_version_control(name: &str) -> bool {
    matches!(name, ".git" | ".hg" | ".sl" | ".secateur")
}

/// `dir/name`.
pub(super) fn child(dir: &ProjectPath, name: &str) -> ProjectPath {
    let dir = dir.as_str();
    if dir.is_empty() { ProjectPath::new(name) } else { ProjectPath::new(format!("{dir}/{name}")) }
}

fn is_visible(path: &ProjectPath, cells: &Cells) -> bool {
    let cell = cells.cell_of(path);
    let Some(below) = path.below(&cell.root) else { return false };
    let ends = below.match_indices('/').map(|(at, _)| at).chain([below.len()]);
    let mut prefixes = ends.filter_map(|end| below.get(..end));
    cell.origin == CellOrigin::Disk
        && !below.split('/').any(is_version_control)
        && !prefixes.any(|prefix| cell.ignore.matches(prefix))
}

fn has(sorted: &[Box<str>], name: &str) -> bool {
    sorted.binary_search_by(|other| (**other).cmp(name)).is_ok()
}

fn insert(sorted: &mut Vec<Box<str>>, path: &ProjectPath) {
    let name = path.file_name();
    if let Err(at) = sorted.binary_search_by(|other| (**other).cmp(name)) {
        sorted.insert(at, name.into());
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
