//! Puts large contents together from chunks: those of contents that the store has, and from the server those that it lacks.
//! Reads and writes the store; touches the network.

use super::chunks::{Chunking, Part, is_too_little, parts, size_of};
use super::download::{Download, Wanted, finish, garbled};
use super::failure::Outcome;
use super::plan::BATCH;
use super::work::IN_FLIGHT;
use crate::cas::digest::Digest;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Bytes of fetched chunks in memory, but for the last of them.
pub(super) const WINDOW: u64 = BATCH * IN_FLIGHT as u64;

/// For contents that are wanted, those that may have chunks of them.
pub(super) type Bases = FxHashMap<Digest, Vec<Digest>>;

/// Where chunks are in the store.
pub(super) type Here = FxHashMap<Digest, Part>;

/// A content and its chunks.
type Split = (Wanted, Vec<Digest>);

impl Download<'_> {
    /// Fetches these into the store: of the large ones that have a base only what that lacks, if both sides cut them alike.
    pub(super) fn store_from(&self, wanted: &[Wanted], bases: &Bases) -> Outcome<()> {
        let chunking = self.remote.chunking();
        let is_based = |it: &Wanted| {
            chunking.is_some_and(|chunking| it.digest.size() >= chunking.max())
                && bases.contains_key(&it.digest)
        };
        let (large, mut whole): (Vec<Wanted>, Vec<Wanted>) =
            wanted.iter().partition(|it| is_based(it));
        if let Some(chunking) = chunking.filter(|_| !large.is_empty()) {
            whole.extend(self.store_chunks(chunking, &large, bases, wanted.len())?);
        } else {
            self.work.progress.start("downloading", Some(wanted.len()));
        }
        self.store(&whole)
    }

    /// Puts contents together; gives those that have to be fetched whole. `count` contents are fetched in all.
    fn store_chunks(
        &self,
        chunking: Chunking,
        wanted: &[Wanted],
        bases: &Bases,
        count: usize,
    ) -> Outcome<Vec<Wanted>> {
        let mut whole = Vec::new();
        let mut splits: Vec<Split> = Vec::new();
        self.work.progress.start("asking the server", Some(wanted.len()));
        let asked = self.work.map(wanted, |it| {
            let split = self.remote.split(self.work, chunking, &it.digest);
            self.work.progress.step();
            split.map(Some).or_else(|failure| failure.unless_ours().map(|()| None))
        })?;
        for (it, split) in wanted.iter().zip(asked) {
            match split {
                Some(chunks) => splits.push((*it, chunks)),
                None => whole.push(*it),
            }
        }
        let here = self.here(chunking, &splits, bases)?;
        self.work.progress.start("downloading", Some(count));
        for (it, chunks) in splits {
            let there = chunks.iter().filter(|chunk| here.contains_key(*chunk));
            if is_too_little(size_of(there), it.digest.size()) {
                whole.push(it);
            } else if let Err(failure) = self.assemble(&it, &chunks, &here) {
                failure.unless_ours()?;
                whole.push(it);
            } else {
                self.work.arrived();
            }
        }
        Ok(whole)
    }

    /// The chunks that the bases of these have.
    fn here(&self, chunking: Chunking, splits: &[Split], bases: &Bases) -> Outcome<Here> {
        let mut seen = FxHashSet::default();
        let based = splits.iter().filter_map(|(it, _)| bases.get(&it.digest)).flatten();
        let is_new = |old: &Digest| old.size() >= chunking.max() && seen.insert(*old);
        let olds: Vec<Digest> = based.copied().filter(is_new).collect();
        let cuts = self.work.cut(chunking, self.writer.lease(), &olds)?;
        let parts = cuts.iter().flat_map(|(content, chunks)| parts(content, chunks));
        Ok(parts.map(|part| (part.digest, part)).collect())
    }

    fn assemble(&self, it: &Wanted, chunks: &[Digest], here: &Here) -> Outcome<()> {
        let mut receivers = self.receivers(it)?;
        let mut rest = chunks;
        while !rest.is_empty() {
            let (window, lacking) = window(&mut rest, here);
            let fetched: Mutex<FxHashMap<Digest, Vec<u8>>> = Mutex::default();
            self.fetch(&lacking, |chunk, bytes| {
                self.work.moved_chunk(chunk.size());
                fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(*chunk, bytes);
                Ok(())
            })?;
            let fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
            for chunk in window {
                let read = match here.get(chunk) {
                    Some(part) => part.read(self.writer.store())?,
                    None => None,
                };
                // Whatever it is: the whole is hashed.
                let bytes = read.as_ref().or_else(|| fetched.get(chunk));
                for receiver in &mut receivers {
                    let written = receiver.write_all(bytes.map_or(&[], Vec::as_slice));
                    written.map_err(|error| receiver.failed(error))?;
                }
            }
        }
        if receivers.iter().any(|receiver| receiver.digest() != it.digest) {
            return Err(garbled(&it.digest, "is not what its chunks are"));
        }
        Ok(finish(receivers, it.digest)?)
    }
}

/// Takes so many chunks off the list as can be in memory at once; gives them, and what is to be fetched of them.
pub(super) fn window<'a>(rest: &mut &'a [Digest], here: &Here) -> (&'a [Digest], Vec<Digest>) {
    let (mut lacking, mut seen) = (Vec::new(), FxHashSet::default());
    let mut size = 0;
    let is_over = |chunk: &Digest| {
        if !here.contains_key(chunk) && seen.insert(*chunk) {
            lacking.push(*chunk);
            size += chunk.size();
        }
        size >= WINDOW
    };
    let end = rest.iter().position(is_over).map_or(rest.len(), |last| last + 1);
    let (window, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    *rest = after;
    (window, lacking)
}
