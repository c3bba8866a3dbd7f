//! A plan carried out in a tree that stays where it is: what is new comes first, what is old goes last. Touches the tree.

use super::beneath;
use super::contents::{Content, Contents};
use super::options::{Options, Placed, Point};
use super::plan::{Opener, Plan, split};
use super::site::{SHARED, Site};
use super::whole::make_link;
use crate::cas::store::{Durability, failed};
use crate::cas::tree::Change;
use crate::error::Result;
use crate::progress::Progress;
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// So many directories are synced one by one; for more, the whole file system is.
const FEW: usize = 64;

/// A tree that is changed, and how.
pub(super) struct Apply<'a> {
    pub(super) root: &'a OwnedFd,
    pub(super) site: &'a Site,
    pub(super) plan: &'a Plan,
    pub(super) contents: &'a Contents<'a>,
    pub(super) options: &'a Options,
    pub(super) progress: &'a dyn Progress,
}

/// What lies beside the tree, ready to get its name there.
pub(super) struct Ready<'a> {
    files: Vec<&'a str>,
    links: Vec<(&'a str, &'a str)>,
}

impl Plan {
    /// The contents that it places, each once.
    pub(super) fn contents(&self) -> Vec<Content> {
        let contents: BTreeSet<Content> =
            self.steps.values().filter_map(|step| content(step.wanted.as_ref())).collect();
        contents.into_iter().collect()
    }
}

fn content(wanted: Option<&Change>) -> Option<Content> {
    match wanted {
        Some(Change::File { digest, is_executable }) => Some((*digest, *is_executable)),
        _ => None,
    }
}

impl<'a> Apply<'a> {
    /// Puts what is new beside the tree, which is not touched: what can be missing is missed now.
    pub(super) fn prepare(&self) -> Result<Ready<'a>> {
        let mut files = Vec::new();
        let mut links = Vec::new();
        for (path, step) in &self.plan.steps {
            match &step.wanted {
                Some(Change::File { digest, is_executable }) => {
                    files.push((path.as_str(), (*digest, *is_executable)));
                }
                Some(Change::Link(target)) => links.push((path.as_str(), target.as_str())),
                _ => {}
            }
        }
        self.progress.start("placing files", Some(files.len()));
        files.par_iter().enumerate().with_min_len(16).try_for_each(
            |(number, (path, content))| -> Result<()> {
                let name = number.to_string();
                let at = || self.site.path().join(path);
                self.contents.place(*content, self.site.stage.as_fd(), &name, at)?;
                self.progress.step();
                Ok(())
            },
        )?;
        self.sync_files(files.len())?;
        Ok(Ready { files: files.into_iter().map(|(path, _)| path).collect(), links })
    }

    /// Waits until the bytes of what lies beside the tree are on the disk; those of shared inodes are.
    fn sync_files(&self, count: usize) -> Result<()> {
        let placed = self.contents.placed();
        if self.options.durability == Durability::None || placed.copied + placed.reflinked == 0 {
            return Ok(());
        }
        let sync = || -> rustix::io::Result<()> {
            if count > FEW {
                return rustix::fs::syncfs(&self.site.stage);
            }
            for number in 0..count {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let name = number.to_string();
                rustix::fs::fsync(rustix::fs::openat(
                    &self.site.stage,
                    name,
                    flags,
                    Mode::empty(),
                )?)?;
            }
            Ok(())
        };
        sync().map_err(|error| failed("write to the disk beside", self.site.path(), error))
    }

    /// Changes the tree.
    pub(super) fn run(&self, ready: &Ready<'a>) -> Result<Placed> {
        let mut placed = self.contents.placed();
        let mut opener = Opener::new(self.root);
        self.make_room(&mut opener, &mut placed)?;
        for (number, path) in ready.files.iter().enumerate() {
            self.step(path, Point::Rename, "put in place", || {
                let (above, name) = split(path);
                let dir = opener.open(above)?;
                rustix::fs::renameat(&self.site.stage, number.to_string(), &dir, name)
            })?;
        }
        for (path, target) in &ready.links {
            self.step(path, Point::Symlink, "put in place", || {
                let (above, name) = split(path);
                make_link(target, &self.site.stage, "link")?;
                rustix::fs::renameat(&self.site.stage, "link", &opener.open(above)?, name)
            })?;
            placed.links += 1;
        }
        self.remove(&mut opener, &mut placed)?;
        self.finish(&mut opener)?;
        Ok(placed)
    }

    fn step<T>(
        &self,
        path: &str,
        point: Point,
        what: &str,
        act: impl FnOnce() -> rustix::io::Result<T>,
    ) -> Result<T> {
        let done = self.options.faults.at(point).and_then(|()| act());
        done.map_err(|error| failed(what, &self.site.path().join(path), error))
    }

    /// Makes directories, and takes away what is of another kind than what comes.
    fn make_room(&self, opener: &mut Opener<'_>, placed: &mut Placed) -> Result<()> {
        for (path, step) in &self.plan.steps {
            let Some(wanted) = &step.wanted else { continue };
            let is_directory = matches!(wanted, Change::Directory(_));
            let (above, name) = split(path);
            let in_the_way =
                step.there.is_some_and(|there| is_directory != (there == FileType::Directory));
            if in_the_way {
                placed.removed += self.step(path, Point::Remove, "remove", || {
                    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
                    beneath::remove(opener.open(above)?.as_fd(), &name)
                })?;
            }
            if is_directory {
                self.step(path, Point::Directory, "make", || {
                    let dir = opener.open(above)?;
                    rustix::fs::mkdirat(&dir, name, SHARED)?;
                    rustix::fs::fchmod(beneath::open(&dir, name)?, SHARED)
                })?;
                placed.directories += 1;
            }
        }
        Ok(())
    }

    fn remove(&self, opener: &mut Opener<'_>, placed: &mut Placed) -> Result<()> {
        let stale = self.plan.stale.iter().map(|path| (path.as_str(), FileType::RegularFile));
        let gone = self.plan.steps.iter().rev().filter(|(_, step)| step.wanted.is_none());
        let gone = gone.filter_map(|(path, step)| Some((path.as_str(), step.there?)));
        for (path, kind) in stale.chain(gone) {
            placed.removed += self.step(path, Point::Remove, "remove", || {
                let (above, name) = split(path);
                let dir = match opener.open(above) {
                    // It went with something that was in the way.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(0),
                    dir => dir?,
                };
                if self.options.force {
                    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
                    return beneath::remove(dir.as_fd(), &name);
                }
                let flags = match kind {
                    FileType::Directory => AtFlags::REMOVEDIR,
                    _ => AtFlags::empty(),
                };
                match rustix::fs::unlinkat(&dir, name, flags) {
                    Err(Errno::NOENT) => Ok(0),
                    removed => removed.map(|()| 1),
                }
            })?;
        }
        Ok(())
    }

    /// Gives the directories that were touched their modification time, and waits for the disk.
    fn finish(&self, opener: &mut Opener<'_>) -> Result<()> {
        let mut touched: BTreeSet<&str> =
            self.plan.steps.keys().map(|path| split(path).0).collect();
        touched.extend(self.plan.stale.iter().map(|path| split(path).0));
        touched.extend(self.plan.unmarked.iter().map(String::as_str));
        let made = self.plan.steps.iter();
        touched.extend(made.filter_map(|(path, step)| {
            matches!(step.wanted, Some(Change::Directory(_))).then_some(path.as_str())
        }));
        let is_durable = self.options.durability != Durability::None;
        let few = touched.len() <= FEW;
        for path in touched {
            self.step(path, Point::Rename, "touch", || {
                let dir = match opener.open(path) {
                    // It is gone.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
                    dir => dir?,
                };
                beneath::mark(&dir)?;
                if is_durable && few { rustix::fs::fsync(&dir) } else { Ok(()) }
            })?;
        }
        if is_durable && !few {
            self.step("", Point::Rename, "write to the disk", || rustix::fs::syncfs(self.root))?;
        }
        Ok(())
    }
}
