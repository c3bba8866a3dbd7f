//! From files to a manifest in the store: listed, compared with what is known of them, read where that is needed. Reads
//! the tree that is packed; writes through `store`.
#![expect(clippy::disallowed_methods, reason = "what is packed may lie anywhere")]

mod entry;
mod nest;
mod stat_cache;
mod walk;

pub use entry::{FileStat, Rewrite, SourceEntry, SourceFile, SourceNode};
pub use stat_cache::StatCache;
pub use walk::{OutsideLinks, Skip, walk};

use super::digest::Digest;
use super::store::{Writer, failed};
use super::tree::{Limits, Manifest};
use crate::error::{Error, Result};
use crate::progress::Progress;
use rayon::prelude::*;
use stat_cache::{Became, Key};
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

/// A packed tree, and what it took.
#[derive(Debug)]
pub struct Packed {
    /// The tree; its contents and directories are with the writer.
    pub manifest: Manifest,
    /// Files that were read, since nothing was known of them.
    pub files_read: u64,
    /// Files that a rewrite left out, in the order of their paths.
    pub left_out: Vec<String>,
}

/// Packs entries, each path at most once. What is new is with the writer: its `commit` makes it visible.
///
/// # Errors
/// A file cannot be read, changes while it is read, or is refused; a path is there twice.
pub fn pack(
    entries: Vec<SourceEntry>,
    writer: &Writer,
    cache: &StatCache,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Packed> {
    progress.start("packing", Some(entries.len()));
    let packing = Packing { writer, cache, files_read: AtomicU64::new(0), progress };
    let outcomes: Vec<Outcome> =
        entries.par_iter().map(|entry| packing.entry(entry)).collect::<Result<_>>()?;
    let mut known = Vec::with_capacity(outcomes.len());
    let mut left_out = Vec::new();
    let mut nodes = Vec::with_capacity(outcomes.len());
    for (entry, outcome) in entries.into_iter().zip(outcomes) {
        if let Some(key) = outcome.key {
            known.push((entry.path.clone(), key, outcome.digest));
        }
        match (entry.node, outcome.digest) {
            (SourceNode::File(file), Some(digest)) => {
                nodes.push((
                    entry.path,
                    nest::Node::File { digest, is_executable: file.is_executable },
                ));
            }
            (SourceNode::Bytes { is_executable, .. }, Some(digest)) => {
                nodes.push((entry.path, nest::Node::File { digest, is_executable }));
            }
            (SourceNode::Link(target), _) => nodes.push((entry.path, nest::Node::Link(target))),
            (SourceNode::Directory, _) => nodes.push((entry.path, nest::Node::Directory)),
            (_, None) => left_out.push(entry.path),
        }
    }
    left_out.sort();
    let manifest = nest::nest(nodes, writer, limits)?;
    if !cache.is_same(&known) {
        cache.save(known)?;
    }
    Ok(Packed { manifest, files_read: packing.files_read.into_inner(), left_out })
}

struct Packing<'a> {
    writer: &'a Writer,
    cache: &'a StatCache,
    files_read: AtomicU64,
    progress: &'a dyn Progress,
}

#[derive(Default)]
struct Outcome {
    /// What is in the bundle; `None` for what is no file, and for a file that is left out.
    digest: Option<Digest>,
    /// What the outcome may be remembered by.
    key: Option<Key>,
}

impl Packing<'_> {
    fn entry(&self, entry: &SourceEntry) -> Result<Outcome> {
        self.progress.step();
        match &entry.node {
            SourceNode::File(file) => self.file(&entry.path, file),
            SourceNode::Bytes { bytes, is_executable } => {
                let digest = Some(self.writer.put(bytes, *is_executable)?.digest);
                Ok(Outcome { digest, key: None })
            }
            SourceNode::Link(_) | SourceNode::Directory => Ok(Outcome::default()),
        }
    }

    fn file(&self, path: &str, file: &SourceFile) -> Result<Outcome> {
        let key = stat_cache::key(file);
        match self.cache.get(path, &key) {
            Some(Became::LeftOut) => return Ok(Outcome { digest: None, key: Some(key) }),
            Some(Became::Stored(digest)) if self.writer.has(&digest)? => {
                return Ok(Outcome { digest: Some(digest), key: Some(key) });
            }
            _ => {}
        }
        self.files_read.fetch_add(1, Ordering::Relaxed);
        let digest = self.read(file)?;
        let key = (!file.stat.is_racy(self.writer.lease().start_ns())).then_some(key);
        Ok(Outcome { digest, key })
    }

    fn read(&self, file: &SourceFile) -> Result<Option<Digest>> {
        let path = &file.origin;
        let fail = |error| failed("read", path, error);
        let mut open = File::open(path).map_err(fail)?;
        let again = open.try_clone().map_err(fail)?;
        let digest = match &file.rewrite {
            None => Some(self.writer.put_file(open, path, file.is_executable)?.digest),
            Some(rewrite) => {
                let mut bytes = Vec::with_capacity(usize::try_from(file.stat.size).unwrap_or(0));
                open.read_to_end(&mut bytes).map_err(fail)?;
                match rewrite.apply(bytes)? {
                    Some(bytes) => Some(self.writer.put(&bytes, file.is_executable)?.digest),
                    None => None,
                }
            }
        };
        if FileStat::of(&again.metadata().map_err(fail)?) == file.stat {
            return Ok(digest);
        }
        Err(Error::new("the file changed while it was packed")
            .at(path.display().to_string())
            .hint("pack again when nothing writes to it"))
    }
}

#[cfg(test)]
mod tests;
