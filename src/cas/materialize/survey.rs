//! A look at every path of a tree: what is not as a manifest says, and what is not ours. Looks at the tree.

use super::beneath;
use super::contents::is_object;
use super::plan::{Plan, Step, is_bytecode, is_link_to, is_placed, kind, split};
use crate::cas::digest::Digest;
use crate::cas::store::{Lease, Twin, failed, hash_file};
use crate::cas::tree::{Directory, Entry, Manifest, entries_of, join};
use crate::error::Result;
use rayon::prelude::*;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

/// What is compared: a tree on the disk, and a manifest.
pub(super) struct Survey<'a> {
    pub(super) lease: &'a Lease,
    pub(super) manifest: &'a Manifest,
    /// Whether files are read that look as they should.
    pub(super) verify: bool,
    /// Whether a run was stopped here, so that directories without anything in them may be ours.
    pub(super) is_recovery: bool,
    /// What errors name.
    pub(super) path: &'a Path,
}

impl Survey<'_> {
    /// What has to happen for the tree to be what the manifest says.
    pub(super) fn plan(&self, root: &OwnedFd) -> Result<Plan> {
        let stat = rustix::fs::fstat(root).map_err(|error| failed("look at", self.path, error))?;
        let mut plan = self.level(root, self.manifest.directory(&self.manifest.root()), "")?;
        if !beneath::is_untouched(&stat) {
            plan.unmarked.push(String::new());
        }
        plan.stale.sort_unstable();
        plan.foreign.sort_unstable();
        Ok(plan)
    }

    /// The plan of one directory and all below; `None` if the manifest does not have it.
    fn level(&self, dir: &OwnedFd, directory: Option<&Directory>, path: &str) -> Result<Plan> {
        let fail = |error| failed("look at", &self.path.join(path), error);
        let entries = directory.map(entries_of).unwrap_or_default();
        let mut wanted: BTreeMap<&str, Entry<'_>> = entries.into_iter().collect();
        let mut plan = Plan::default();
        let mut found = Vec::new();
        for (name, _) in beneath::list(dir).map_err(fail)? {
            let entry = name.to_str().ok().and_then(|name| wanted.remove(name));
            match name.to_str() {
                Ok(name) => found.push((name.to_owned(), entry)),
                // Names that are no text are nobody's but the user's.
                Err(_) => plan.kept.push(join(path, &name.to_string_lossy())),
            }
        }
        for (name, entry) in wanted {
            self.add_absent(&mut plan, join(path, name), entry);
        }
        let look = |(name, entry): &(String, Option<Entry<'_>>)| {
            let below = join(path, name);
            let stat = beneath::look(dir, name.as_str())
                .map_err(|error| failed("look at", &self.path.join(&below), error))?;
            match stat {
                Some(stat) => self.at(dir, &below, *entry, &stat),
                None => Ok(Plan::default()),
            }
        };
        let plans: Vec<Plan> =
            found.par_iter().with_min_len(32).map(look).collect::<Result<_>>()?;
        plans.into_iter().for_each(|other| plan.add(other));
        Ok(plan)
    }

    /// The plan of a path at which there is something.
    fn at(&self, dir: &OwnedFd, path: &str, entry: Option<Entry<'_>>, stat: &Stat) -> Result<Plan> {
        let fail = |error| failed("look at", &self.path.join(path), error);
        let (_, name) = split(path);
        let mut plan = Plan::default();
        match (entry, kind(stat)) {
            (Some(Entry::Directory(digest)), FileType::Directory) => {
                let below = beneath::open(dir, name).map_err(fail)?;
                plan = self.level(&below, self.manifest.directory(&digest), path)?;
                if !beneath::is_untouched(stat) {
                    plan.unmarked.push(path.to_owned());
                }
            }
            (None, FileType::Directory) => {
                let below = self.level(&beneath::open(dir, name).map_err(fail)?, None, path)?;
                let is_ours = !below.steps.is_empty()
                    || below.kept.is_empty()
                        && (self.is_recovery
                            || beneath::is_untouched(stat)
                            || !below.stale.is_empty());
                plan.add(below);
                if is_ours {
                    plan.foreign.append(&mut plan.kept);
                    plan.go(path, stat);
                }
            }
            (Some(Entry::File { digest, is_executable }), FileType::RegularFile)
                if self.is_right(dir, path, stat, digest, is_executable)? => {}
            (Some(Entry::Link(target)), FileType::Symlink)
                if is_link_to(dir, name, stat, target).map_err(fail)? => {}
            (None, _) if is_bytecode(path, stat) => plan.stale.push(path.to_owned()),
            (None, _) if beneath::is_untouched(stat) => plan.go(path, stat),
            (None, _) => plan.kept.push(path.to_owned()),
            (Some(entry), found) => {
                if found == FileType::Directory {
                    let below = self.level(&beneath::open(dir, name).map_err(fail)?, None, path)?;
                    plan.add(below);
                    plan.foreign.append(&mut plan.kept);
                } else if !beneath::is_untouched(stat) && !is_bytecode(path, stat) {
                    plan.foreign.push(path.to_owned());
                }
                self.add_absent(&mut plan, path.to_owned(), entry);
                if let Some(step) = plan.steps.get_mut(path) {
                    step.there = Some(found);
                }
            }
        }
        Ok(plan)
    }

    /// Whether a file is what was wanted: the store's own inode, or the same bytes and mode.
    fn is_right(
        &self,
        dir: &OwnedFd,
        path: &str,
        stat: &Stat,
        digest: Digest,
        is_executable: bool,
    ) -> Result<bool> {
        let twin = Twin::of(is_executable);
        if !is_placed(stat, &digest) || stat.st_mode & 0o777 != twin.mode() {
            return Ok(false);
        }
        if digest.is_empty() {
            return Ok(true);
        }
        let store = self.lease.store();
        if !self.verify
            && let Some((_, object)) = self.lease.keep_twin(&digest, twin)?
            && is_object(store, Path::new(&object), stat)
        {
            return Ok(true);
        }
        let read = || {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(dir, split(path).1, flags, Mode::empty())?;
            hash_file(store.function(), File::from(file))
        };
        let read = read().map_err(|error| failed("read", &self.path.join(path), error))?;
        Ok(read == digest)
    }

    /// Steps for a path at which there is nothing, and all below.
    fn add_absent(&self, plan: &mut Plan, path: String, entry: Entry<'_>) {
        if let Entry::Directory(digest) = entry
            && let Some(directory) = self.manifest.directory(&digest)
        {
            for (name, below) in entries_of(directory) {
                self.add_absent(plan, join(&path, name), below);
            }
        }
        plan.steps.insert(path, Step { there: None, wanted: Some(entry.into()) });
    }
}

impl Plan {
    /// What is at a path goes.
    fn go(&mut self, path: &str, stat: &Stat) {
        self.steps.insert(path.to_owned(), Step { there: Some(kind(stat)), wanted: None });
    }
}

/// What lies in a tree and does not look as if it was placed there, in order.
pub(super) fn foreign(dir: &OwnedFd, path: &str) -> rustix::io::Result<Vec<String>> {
    let look = |(name, found): &(std::ffi::CString, FileType)| -> rustix::io::Result<Vec<String>> {
        let below = join(path, &name.to_string_lossy());
        if *found == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            return match rustix::fs::openat(dir, name.as_c_str(), flags, Mode::empty()) {
                Ok(dir) => foreign(&dir, &below),
                Err(Errno::NOENT) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let stat = beneath::look(dir, name.as_c_str())?;
        let is_foreign = |stat: &Stat| !beneath::is_untouched(stat) && !is_bytecode(&below, stat);
        Ok(stat.filter(is_foreign).map(|_| below.clone()).into_iter().collect())
    };
    let found: Vec<Vec<String>> = beneath::list(dir)?
        .par_iter()
        .with_min_len(32)
        .map(look)
        .collect::<rustix::io::Result<_>>()?;
    Ok(found.concat())
}
