//! What has to happen at which path for a tree to become another, and what of it is not ours to touch. Looks at the tree.

use super::beneath;
use crate::cas::digest::Digest;
use crate::cas::tree::{Change, Difference, join};
use rustix::fs::{FileType, Stat};
use rustix::io::{Errno, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// What happens at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is there now.
    pub(super) there: Option<FileType>,
    /// What shall be there.
    pub(super) wanted: Option<Change>,
}

/// What happens to a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// By path; a directory before what is in it.
    pub(super) steps: BTreeMap<String, Step>,
    /// Bytecode that Python wrote beside sources that change or go. Every source has the same modification time, so that
    /// Python could take it for that of a new source of the same size.
    pub(super) stale: Vec<String>,
    /// Directories whose modification time is not that of a tree.
    pub(super) unmarked: Vec<String>,
    /// What somebody else put in the way, or changed.
    pub(super) foreign: Vec<String>,
    /// What somebody else put there, and nothing stands against.
    pub(super) kept: Vec<String>,
}

impl Plan {
    /// All that this and the other say.
    pub(super) fn add(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.stale.extend(other.stale);
        self.unmarked.extend(other.unmarked);
        self.foreign.extend(other.foreign);
        self.kept.extend(other.kept);
    }

    /// Whether nothing has to happen.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.stale.is_empty() && self.unmarked.is_empty()
    }

    /// The plan for what differs between two roots, in a tree that has the first; `None` if that lacks directories, or
    /// has something else in their place, so that all of it has to be looked at.
    pub(super) fn of(
        root: &OwnedFd,
        differences: &BTreeMap<String, Difference>,
    ) -> Result<Option<Self>> {
        let mut plan = Self::default();
        let mut opener = Opener::new(root);
        let mut sources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, difference) in differences {
            let (above, name) = split(path);
            let there = match opener.open(above) {
                Ok(dir) => {
                    let stat = beneath::look(&dir, name)?;
                    if let Some(stat) = &stat {
                        plan.judge(differences, path, difference, &dir, stat)?;
                    }
                    stat.as_ref().map(kind)
                }
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => match differences.get(above) {
                    Some(Difference {
                        before: Some(Change::Directory(_)),
                        after: Some(Change::Directory(_)),
                    })
                    | None => return Ok(None),
                    Some(_) => None,
                },
                Err(error) => return Err(error),
            };
            if let Some(stem) = name.strip_suffix(".py") {
                sources.entry(above).or_default().insert(stem);
            }
            let step = Step { there, wanted: difference.after.clone() };
            if is_done(&step) {
                continue;
            }
            plan.steps.insert(path.clone(), step);
        }
        for (above, stems) in sources {
            plan.add_stale(differences, &mut opener, above, &stems)?;
        }
        plan.stale.sort_unstable();
        plan.stale.dedup();
        Ok(Some(plan))
    }

    /// Whether what is at a path is what was placed there, or what may be in its place.
    fn judge(
        &mut self,
        differences: &BTreeMap<String, Difference>,
        path: &str,
        difference: &Difference,
        dir: &OwnedFd,
        stat: &Stat,
    ) -> Result<()> {
        let (_, name) = split(path);
        let is_ours = match &difference.before {
            None => {
                kind(stat) == FileType::Directory
                    && matches!(difference.after, Some(Change::Directory(_)))
            }
            Some(Change::File { digest, .. }) => is_placed(stat, digest),
            Some(Change::Link(target)) => is_link_to(dir, name, stat, target)?,
            Some(Change::Directory(_)) => {
                if kind(stat) == FileType::Directory
                    && !matches!(difference.after, Some(Change::Directory(_)))
                {
                    self.judge_going(differences, path, &beneath::open(dir, name)?)?;
                }
                kind(stat) == FileType::Directory
            }
        };
        if !is_ours && !is_bytecode(path, stat) {
            self.foreign.push(path.to_owned());
        }
        Ok(())
    }

    /// Looks for what is not ours in a directory that goes.
    fn judge_going(
        &mut self,
        differences: &BTreeMap<String, Difference>,
        path: &str,
        dir: &OwnedFd,
    ) -> Result<()> {
        for (name, found) in beneath::list(dir)? {
            let below = join(path, &name.to_string_lossy());
            if differences.contains_key(&below) {
                continue;
            }
            let is_cache = split(&below).1 == CACHE && found == FileType::Directory;
            if is_cache {
                self.judge_going(differences, &below, &beneath::open(dir, CACHE)?)?;
                let step = Step { there: Some(found), wanted: None };
                self.steps.insert(below, step);
            } else if beneath::look(dir, name)?.is_some_and(|stat| !is_bytecode(&below, &stat)) {
                self.foreign.push(below);
            } else {
                self.stale.push(below);
            }
        }
        Ok(())
    }

    /// Bytecode that Python wrote of these sources.
    fn add_stale(
        &mut self,
        differences: &BTreeMap<String, Difference>,
        opener: &mut Opener<'_>,
        above: &str,
        stems: &BTreeSet<&str>,
    ) -> Result<()> {
        let cache = join(above, CACHE);
        let Ok(dir) = opener.open(&cache) else { return Ok(()) };
        for (name, _) in beneath::list(&dir)? {
            let below = join(&cache, &name.to_string_lossy());
            let stem = split(&below).1.split('.').next().unwrap_or_default();
            if stems.contains(stem)
                && !differences.contains_key(&below)
                && beneath::look(&dir, name)?.is_some_and(|stat| is_bytecode(&below, &stat))
            {
                self.stale.push(below);
            }
        }
        Ok(())
    }
}

/// Where Python keeps bytecode.
const CACHE: &str = "__pycache__";

/// Whether Python wrote this, so that it can write it again: bytecode in its own place, which we did not put there.
pub(super) fn is_bytecode(path: &str, stat: &Stat) -> bool {
    let (above, name) = split(path);
    kind(stat) == FileType::RegularFile
        && split(above).1 == CACHE
        // While it is written, a number follows.
        && name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.').ends_with(".pyc")
        && !beneath::is_untouched(stat)
}

/// Whether nothing has to happen.
fn is_done(step: &Step) -> bool {
    match (&step.there, &step.wanted) {
        (None, None) => true,
        (Some(there), Some(Change::Directory(_))) => *there == FileType::Directory,
        _ => false,
    }
}

/// What a look at an inode tells of its kind.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Whether this is a file of this size that nobody wrote to since it was placed.
pub(super) fn is_placed(stat: &Stat, digest: &Digest) -> bool {
    kind(stat) == FileType::RegularFile
        && beneath::is_untouched(stat)
        && u64::try_from(stat.st_size) == Ok(digest.size())
}

/// Whether this is a link that leads there.
pub(super) fn is_link_to(dir: &OwnedFd, name: &str, stat: &Stat, target: &str) -> Result<bool> {
    Ok(kind(stat) == FileType::Symlink
        && rustix::fs::readlinkat(dir, name, Vec::new())?.to_bytes() == target.as_bytes())
}

/// A path as the directory above, and the name there.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Opens directories of a tree; the one that was opened last is at hand.
pub(super) struct Opener<'a> {
    root: &'a OwnedFd,
    last: Option<(String, Arc<OwnedFd>)>,
}

impl<'a> Opener<'a> {
    /// Below this directory.
    pub(super) const fn new(root: &'a OwnedFd) -> Self {
        Self { root, last: None }
    }

    /// The directory at a path.
    pub(super) fn open(&mut self, path: &str) -> Result<Arc<OwnedFd>> {
        if let Some((last, dir)) = &self.last
            && last == path
        {
            return Ok(Arc::clone(dir));
        }
        let dir = Arc::new(beneath::open_path(self.root, path)?);
        self.last = Some((path.to_owned(), Arc::clone(&dir)));
        Ok(dir)
    }
}
