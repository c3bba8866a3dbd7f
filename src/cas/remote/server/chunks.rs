//! Where chunks are: within the contents that they were cut from, so that nothing is stored twice for good. Reads the store.
//!
//! What is known is kept in memory: a server that begins anew learns it again as contents are split and spliced. It is never
//! more than a hint where to look. The content is looked for and marked as used whenever its chunk is asked for, and the bytes
//! are hashed before they are sent.

use super::shared::{Keeper, lock};
use crate::cas::digest::Digest;
use crate::cas::remote::chunks::{Part, parts};
use crate::cas::store::Durability;
use crate::error::Result as Outcome;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tonic::Status;

/// So many chunks are known at most: those of 128 GiB of contents, in some 40 MB.
const ROOM: usize = 1 << 18;

/// The chunks that are known.
#[derive(Debug)]
pub(super) struct Chunks {
    room: usize,
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// Of a chunk that is in several contents, the last that was added.
    parts: FxHashMap<Digest, Part>,
    /// The chunks of contents.
    lists: FxHashMap<Digest, Arc<[Digest]>>,
    /// The contents as they were added.
    order: VecDeque<Digest>,
    /// Chunks in all lists.
    count: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { room: ROOM, index: Mutex::default() }
    }
}

impl Chunks {
    /// The chunks of a content, if they are known.
    pub(super) fn of(&self, content: &Digest) -> Option<Arc<[Digest]>> {
        lock(&self.index).lists.get(content).cloned()
    }

    /// Where a chunk may be.
    fn part(&self, chunk: &Digest) -> Option<Part> {
        lock(&self.index).parts.get(chunk).copied()
    }

    /// Whether there is room for so many chunks of one content.
    pub(super) fn has_room(&self, count: usize) -> bool {
        count <= self.room
    }

    /// These are the chunks of a content, each of which was hashed. What was added first makes room.
    pub(super) fn add(&self, content: Digest, chunks: Arc<[Digest]>) {
        if !self.has_room(chunks.len()) {
            return;
        }
        let mut index = lock(&self.index);
        index.forget(&content);
        while index.count + chunks.len() > self.room
            && let Some(first) = index.order.front().copied()
        {
            index.forget(&first);
        }
        index.parts.extend(parts(&content, &chunks).map(|part| (part.digest, part)));
        index.count += chunks.len();
        index.order.push_back(content);
        index.lists.insert(content, chunks);
    }

    /// A content is gone, and its chunks with it.
    fn forget(&self, content: &Digest) {
        lock(&self.index).forget(content);
    }
}

impl Index {
    fn forget(&mut self, content: &Digest) {
        let Some(chunks) = self.lists.remove(content) else { return };
        self.count -= chunks.len();
        self.order.retain(|other| other != content);
        for chunk in chunks.iter() {
            if self.parts.get(chunk).is_some_and(|part| part.content == *content) {
                self.parts.remove(chunk);
            }
        }
    }
}

impl Keeper<'_> {
    /// Where a chunk is, if its content is there.
    pub(super) fn part(&self, chunk: &Digest) -> Result<Option<Part>, Status> {
        let chunks = &self.shared.chunks;
        let Some(part) = chunks.part(chunk) else { return Ok(None) };
        if self.shared.options.faults.is_lost(chunk) {
            return Ok(None);
        }
        if !self.keep(&part.content)? {
            chunks.forget(&part.content);
            return Ok(None);
        }
        Ok(Some(part))
    }

    /// The bytes of a chunk, checked; `None` if there is no content that it is known to be in.
    pub(super) fn chunk(&self, chunk: &Digest) -> Result<Option<Vec<u8>>, Status> {
        let (shared, part) = (self.shared, self.part(chunk)?);
        let Some(part) = part else { return Ok(None) };
        let read = part.read(&shared.options.store).map_err(|error| shared.failed(&error))?;
        let Some(bytes) = read else { return Ok(None) };
        if shared.function().digest(&bytes) == *chunk {
            return Ok(Some(bytes));
        }
        shared.chunks.forget(&part.content);
        Err(shared.reject(&part.content))
    }

    /// As [`Keeper::keep`], for what is named: a chunk becomes a content of its own, since what it was cut from may go
    /// before the name does.
    pub(super) fn keep_named(&self, digest: &Digest) -> Result<bool, Status> {
        if self.keep(digest)? {
            return Ok(true);
        }
        let Some(bytes) = self.chunk(digest)? else { return Ok(false) };
        let put = || -> Outcome<()> {
            let writer = self.shared.options.store.writer(Durability::Each)?;
            writer.put(&bytes, false).map(drop)
        };
        put().map_err(|error| self.shared.failed(&error))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::new([number; 32], 10)
    }

    #[test]
    fn what_was_added_first_makes_room() {
        let chunks = Chunks { room: 4, ..Chunks::default() };
        let add = |content, numbers: &[u8]| {
            chunks.add(digest(content), numbers.iter().map(|number| digest(*number)).collect());
        };
        let part = |number| chunks.part(&digest(number)).map(|part| (part.content, part.offset));
        add(100, &[1, 2]);
        add(101, &[2, 3]);
        assert_eq!(part(1), Some((digest(100), 0)));
        assert_eq!([part(2), part(3)], [Some((digest(101), 0)), Some((digest(101), 10))]);
        // Added again, it is the last.
        add(100, &[1, 2]);
        add(102, &[4]);
        assert_eq!((part(3), chunks.of(&digest(101))), (None, None));
        assert_eq!((part(2), part(4)), (Some((digest(100), 10)), Some((digest(102), 0))));
        add(103, &[5, 6, 7, 8, 9]);
        assert_eq!(part(5), None);
        chunks.forget(&digest(100));
        assert_eq!((part(1), part(4)), (None, Some((digest(102), 0))));
        assert_eq!(lock(&chunks.index).count, 1);
    }
}
