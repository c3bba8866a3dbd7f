//! A whole tree in an empty directory, many directories at once. Touches that directory.

use super::beneath;
use super::contents::Contents;
use super::options::{Faults, Placed, Point};
use super::site::SHARED;
use crate::cas::digest::Digest;
use crate::cas::store::failed;
use crate::cas::tree::{Directory, Manifest, join};
use crate::error::{Error, Result};
use crate::progress::Progress;
use rayon::Scope;
use rayon::prelude::*;
use rustix::fs::Mode;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Files of one directory that are placed one after the other.
const CHUNK: usize = 256;

/// A tree that is being made.
pub(super) struct Whole<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) contents: &'a Contents<'a>,
    /// What errors name.
    pub(super) path: &'a Path,
    pub(super) faults: &'a Faults,
    pub(super) progress: &'a dyn Progress,
}

/// What has become of it so far.
#[derive(Default)]
struct State {
    directories: AtomicU64,
    /// Paths of directories with links in them.
    linked: Mutex<Vec<(String, Digest)>>,
    error: Mutex<Option<Error>>,
    is_stopped: AtomicBool,
}

/// A directory that is to be made.
struct Job {
    parent: Arc<OwnedFd>,
    name: String,
    path: String,
    digest: Digest,
}

impl Whole<'_> {
    /// Makes the tree in `root`: files and directories first, links when nothing else is to come.
    pub(super) fn make(&self, root: OwnedFd) -> Result<Placed> {
        let keeps_modes = self.keeps_modes(&root)?;
        let state = State::default();
        let root = Arc::new(root);
        let top = self.manifest.root();
        rayon::scope(|scope| {
            state.run(|| self.fill(scope, &state, &root, String::new(), top, keeps_modes));
        });
        let State { directories, linked, error, .. } = state;
        if let Some(error) = error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut linked = linked.into_inner().unwrap_or_else(PoisonError::into_inner);
        linked.sort_unstable();
        let links = self.link(&root, &linked)?;
        let directories = directories.into_inner();
        Ok(Placed { directories, links, ..self.contents.placed() })
    }

    fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.path.to_owned() } else { self.path.join(path) }
    }

    /// Whether directories get the mode that they are made with: what the process masks does not change on the way.
    fn keeps_modes(&self, root: &OwnedFd) -> Result<bool> {
        let fail = |error| failed("look at", self.path, error);
        let stat = rustix::fs::fstat(root).map_err(fail)?;
        let is_kept = SHARED == Mode::from_raw_mode(stat.st_mode & 0o777);
        if !is_kept {
            rustix::fs::fchmod(root, SHARED).map_err(fail)?;
        }
        Ok(is_kept)
    }

    /// Fills a directory, and leaves the directories in it to whoever has time.
    fn fill<'s>(
        &'s self,
        scope: &Scope<'s>,
        state: &'s State,
        dir: &Arc<OwnedFd>,
        path: String,
        digest: Digest,
        keeps_modes: bool,
    ) -> Result<()> {
        let Some(directory) = self.manifest.directory(&digest) else {
            return Err(Error::new("a directory is not in the manifest").at(digest.to_string()));
        };
        directory.files().par_chunks(CHUNK).try_for_each(|files| {
            files.iter().try_for_each(|file| {
                if state.is_stopped.load(Ordering::Relaxed) || self.progress.is_cancelled() {
                    return Err(Error::new("stopped before the tree was whole"));
                }
                let content = (file.digest, file.is_executable);
                let name = file.name.as_str();
                let at = || self.at(&join(&path, name));
                self.contents.place(content, dir.as_fd(), name, at)?;
                self.progress.step();
                Ok(())
            })
        })?;
        for node in directory.directories() {
            let fail = |error| failed("make", &self.at(&join(&path, node.name.as_str())), error);
            self.faults.at(Point::Directory).map_err(fail)?;
            rustix::fs::mkdirat(dir, node.name.as_str(), SHARED).map_err(fail)?;
            state.directories.fetch_add(1, Ordering::Relaxed);
        }
        beneath::mark(dir).map_err(|error| failed("touch", &self.at(&path), error))?;
        for node in directory.directories() {
            let job = Job {
                parent: Arc::clone(dir),
                name: node.name.to_string(),
                path: join(&path, node.name.as_str()),
                digest: node.digest,
            };
            scope.spawn(move |scope| {
                state.run(|| self.enter(scope, state, job, keeps_modes));
            });
        }
        if !directory.symlinks().is_empty() {
            let mut linked = state.linked.lock().unwrap_or_else(PoisonError::into_inner);
            linked.push((path, digest));
        }
        Ok(())
    }

    fn enter<'s>(
        &'s self,
        scope: &Scope<'s>,
        state: &'s State,
        job: Job,
        keeps_modes: bool,
    ) -> Result<()> {
        let fail = |error| failed("enter", &self.at(&job.path), error);
        let dir = beneath::open(&job.parent, &job.name).map_err(fail)?;
        if !keeps_modes {
            rustix::fs::fchmod(&dir, SHARED).map_err(fail)?;
        }
        self.fill(scope, state, &Arc::new(dir), job.path, job.digest, keeps_modes)
    }

    /// Makes the links of these directories.
    fn link(&self, root: &OwnedFd, linked: &[(String, Digest)]) -> Result<u64> {
        let mut count = 0;
        for (path, digest) in linked {
            let fail = |error| failed("make the links in", &self.at(path), error);
            let dir = beneath::open_path(root, path).map_err(fail)?;
            for link in self.manifest.directory(digest).map_or(&[][..], Directory::symlinks) {
                self.faults.at(Point::Symlink).map_err(fail)?;
                make_link(&link.target, &dir, link.name.as_str()).map_err(fail)?;
                count += 1;
            }
            beneath::mark(&dir).map_err(fail)?;
        }
        Ok(count)
    }
}

/// Makes a symbolic link as all in a tree is: with the one modification time.
pub(super) fn make_link(target: &str, dir: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    rustix::fs::symlinkat(target, dir, name)?;
    beneath::mark_at(dir, name)
}

impl State {
    /// Does a step unless one before it failed.
    fn run(&self, step: impl FnOnce() -> Result<()>) {
        if self.is_stopped.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = step() {
            // The first counts: those after it are about being stopped.
            let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.is_stopped.swap(true, Ordering::Relaxed) {
                *first = Some(error);
            }
        }
    }
}
