//! Large contents cut where their bytes say so: an insertion moves the cuts around it, and no others. Reads the store.
//!
//! The cuts are those of `FAST_CDC_2020` in the Remote Execution API, see `FastCdc2020Params`: the algorithm of Wen Xia et
//! al., with normalization level 2, and chunks of a quarter of the average to four times as much.

use super::failure::Outcome;
use super::work::Work;
use crate::cas::digest::{Digest, DigestFunction};
use crate::cas::store::{Lease, Store};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use fastcdc::v2020::{AVERAGE_MAX, Normalization, StreamCDC};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Take};

/// The smallest average that the API allows.
const LEAST: u64 = 1 << 10;

/// How contents are cut, as both sides have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    /// Bytes of a chunk, on average.
    average: u32,
    /// What changes the cuts of everything.
    seed: u32,
}

impl Chunking {
    /// What the API recommends, and our own server does.
    pub(super) const RECOMMENDED: Self = Self { average: 512 << 10, seed: 0 };

    /// What a server offers; `None` if that is out of the API's range, or of that of the library: 1 KiB to 4 MiB.
    pub(super) fn of(params: &api::FastCdc2020Params) -> Option<Self> {
        let average = params.avg_chunk_size_bytes;
        let is_sane = (LEAST..=AVERAGE_MAX.into()).contains(&average);
        let average = u32::try_from(average).ok().filter(|_| is_sane)?;
        Some(Self { average, seed: params.seed })
    }

    /// As messages have it.
    pub(super) fn params(self) -> api::FastCdc2020Params {
        api::FastCdc2020Params { avg_chunk_size_bytes: self.average.into(), seed: self.seed }
    }

    /// Bytes of the largest chunk. What is smaller is not cut.
    pub(super) fn max(self) -> u64 {
        u64::from(self.average) * 4
    }

    /// So many chunks a content has at most.
    pub(super) fn most(self, content: &Digest) -> u64 {
        content.size() / (u64::from(self.average) / 4) + 1
    }

    /// Cuts what is read; the chunks in their order.
    pub(super) fn cut(self, function: DigestFunction, from: impl Read) -> io::Result<Vec<Digest>> {
        let (average, level) = (self.average, Normalization::Level2);
        let (min, max, seed) = (average / 4, average * 4, self.seed.into());
        let chunks = StreamCDC::with_level_and_seed(from, min, average, max, level, seed);
        chunks.map(|chunk| Ok(function.digest(&chunk?.data))).collect()
    }

    /// Whether chunks may have been cut like this, by their sizes.
    pub(super) fn fits(self, chunks: &[Digest]) -> bool {
        let (min, max) = (u64::from(self.average) / 4, self.max());
        let all_but_last = chunks.iter().rev().skip(1);
        all_but_last.map(Digest::size).all(|size| size >= min)
            && chunks.iter().map(Digest::size).all(|size| (1..=max).contains(&size))
    }
}

/// A content of a store, or a chunk of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) digest: Digest,
    /// The content that it is, or is a chunk of.
    pub(super) content: Digest,
    /// Where in that it begins.
    pub(super) offset: u64,
}

impl Part {
    /// A content.
    pub(super) const fn whole(digest: &Digest) -> Self {
        Self { digest: *digest, content: *digest, offset: 0 }
    }

    /// Whether it is a content, and not a chunk.
    pub(super) fn is_whole(&self) -> bool {
        self.digest == self.content
    }

    /// Opens the content where the part begins; `None` if it is not there.
    pub(super) fn open(&self, store: &Store) -> Result<Option<Take<File>>> {
        let Some(mut blob) = store.open_blob(&self.content)? else { return Ok(None) };
        let sought = blob.file.seek(SeekFrom::Start(self.offset));
        sought.map_err(|error| cannot_read(&self.content, error))?;
        Ok(Some(blob.file.take(self.digest.size())))
    }

    /// Its bytes, whatever they are; `None` if the content is not there.
    pub(super) fn read(&self, store: &Store) -> Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(store)? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(usize::try_from(self.digest.size()).unwrap_or(0));
        file.read_to_end(&mut bytes).map_err(|error| cannot_read(&self.content, error))?;
        Ok(Some(bytes))
    }
}

/// The chunks of a content, in their order.
pub(super) fn parts<'a>(content: &'a Digest, chunks: &'a [Digest]) -> impl Iterator<Item = Part> {
    chunks.iter().scan(0, |next: &mut u64, chunk| {
        let offset = *next;
        *next = offset.saturating_add(chunk.size());
        Some(Part { digest: *chunk, content: *content, offset })
    })
}

/// The error of a content that cannot be read.
pub(super) fn cannot_read(content: &Digest, error: io::Error) -> Error {
    Error::new("cannot read").at(content.to_string()).cause(error)
}

impl Work<'_> {
    /// Cuts contents of the store; gives those that are there, and their chunks.
    pub(super) fn cut(
        &self,
        chunking: Chunking,
        lease: &Lease,
        contents: &[Digest],
    ) -> Outcome<Vec<(Digest, Vec<Digest>)>> {
        self.progress.start("cutting large files", Some(contents.len()));
        let function = lease.store().function();
        let cuts = self.map(contents, |digest| {
            lease.keep(digest)?;
            let Some(file) = Part::whole(digest).open(lease.store())? else { return Ok(None) };
            let chunks =
                chunking.cut(function, file).map_err(|error| cannot_read(digest, error))?;
            self.progress.step();
            Ok(Some((*digest, chunks)))
        })?;
        Ok(cuts.into_iter().flatten().collect())
    }
}

/// Bytes of chunks together.
pub(super) fn size_of<'a>(chunks: impl IntoIterator<Item = &'a Digest>) -> u64 {
    chunks.into_iter().map(Digest::size).fold(0, u64::saturating_add)
}

/// Whether so few bytes are there already that a content is better moved whole: chunks travel in smaller messages, and are
/// written twice by who puts them together.
pub(super) fn is_too_little(there: u64, whole: u64) -> bool {
    there < whole / 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::testing::pseudo_random;
    use proptest::prelude::*;

    fn sizes(chunking: Chunking, bytes: &[u8]) -> Vec<u64> {
        let chunks = chunking.cut(DigestFunction::Sha256, bytes).unwrap();
        assert!(chunking.fits(&chunks));
        for part in parts(&Digest::new([0; 32], 0), &chunks) {
            let begin = usize::try_from(part.offset).unwrap();
            let bytes = &bytes[begin..][..usize::try_from(part.digest.size()).unwrap()];
            assert_eq!(DigestFunction::Sha256.digest(bytes), part.digest);
        }
        assert_eq!(size_of(&chunks), bytes.len() as u64);
        chunks.iter().map(Digest::size).collect()
    }

    #[test]
    fn sizes_out_of_range_are_not_agreed_on() {
        let of = |avg_chunk_size_bytes| {
            Chunking::of(&api::FastCdc2020Params { avg_chunk_size_bytes, seed: 7 })
        };
        assert_eq!([0, 1023, (4 << 20) + 1, u64::MAX].map(of), [None; 4]);
        for average in [1 << 10, 512 << 10, 4 << 20] {
            let chunking = of(average).unwrap();
            assert_eq!(
                (chunking.params().avg_chunk_size_bytes, chunking.max()),
                (average, average * 4)
            );
            // The library takes whatever is agreed on.
            sizes(chunking, b"x");
        }
        assert_eq!(Chunking::of(&Chunking::RECOMMENDED.params()), Some(Chunking::RECOMMENDED));
    }

    #[test]
    fn cuts_are_those_of_the_api() {
        // By another implementation, which looks at one byte at a time and makes the table from MD5 itself.
        let bytes = pseudo_random(1, 8 << 20);
        let expected = [
            278_755, 570_329, 257_106, 712_040, 921_477, 563_668, 530_635, 157_902, 564_844,
            549_231, 622_370, 673_740, 877_504, 214_918, 572_224, 321_865,
        ];
        assert_eq!(sizes(Chunking::RECOMMENDED, &bytes), expected);
        let expected = [
            761_515, 581_482, 645_120, 683_653, 637_567, 586_347, 525_776, 535_860, 545_885,
            889_668, 549_982, 495_731, 578_949, 251_355, 119_718,
        ];
        assert_eq!(sizes(Chunking { seed: 7, ..Chunking::RECOMMENDED }, &bytes), expected);
        let small = Chunking { average: 1 << 10, seed: 0 };
        let expected = [1130, 1554, 1026, 1103, 1048, 1205, 1126];
        assert_eq!(sizes(small, &pseudo_random(2, 8 << 10)), expected);
        // No cut anywhere: the largest chunks.
        let max = Chunking::RECOMMENDED.max();
        assert_eq!(sizes(Chunking::RECOMMENDED, &vec![0; 5 << 20]), [max, max, 1 << 20]);
        assert!(sizes(small, b"").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_inserted_changes_the_chunks_around_it(
            seed: u64,
            size in 0..200_000usize,
            at: prop::sample::Index,
            inserted in prop::collection::vec(any::<u8>(), 0..1000),
        ) {
            let chunking = Chunking { average: 1 << 10, seed: 0 };
            let old = pseudo_random(seed, size);
            let mut new = old.clone();
            let at = at.index(size + 1);
            new.splice(at..at, inserted);
            let before = chunking.cut(DigestFunction::Sha256, old.as_slice()).unwrap();
            sizes(chunking, &old);
            sizes(chunking, &new);
            let after = chunking.cut(DigestFunction::Sha256, new.as_slice()).unwrap();
            // Cuts meet again after a few chunks, since the bytes behind the insertion are the same.
            let fresh = after.iter().filter(|chunk| !before.contains(chunk)).count();
            prop_assert!(fresh <= 24, "{fresh} of {}", after.len());
        }
    }
}
