//! Sends large contents in chunks: those that the server lacks, and how the whole is put together from them. Reads the store;
//! touches the network.

use super::chunks::{Chunking, Part, is_too_little, parts, size_of};
use super::failure::{Failure, Outcome};
use super::plan::Parcel;
use super::upload::Upload;
use crate::cas::digest::Digest;
use rustc_hash::FxHashSet;

impl Upload<'_> {
    /// Sends contents: of the large ones the chunks that the server lacks, if both sides cut them alike; the others whole.
    pub(super) fn send_contents(&self, contents: &[Digest]) -> Outcome<()> {
        let whole = |digests: Vec<Digest>| digests.iter().map(Part::whole).collect::<Vec<_>>();
        let Some(chunking) = self.remote.chunking() else {
            return self.send(&whole(contents.to_vec()));
        };
        let is_large = |digest: &Digest| digest.size() >= chunking.max();
        let large: Vec<Digest> = contents.iter().copied().filter(is_large).collect();
        let spliced = self.send_chunks(chunking, &large, contents.len())?;
        let mut rest = contents.to_vec();
        rest.retain(|digest| !spliced.contains(digest));
        self.work.each(&self.parcels(&whole(rest)), |parcel| {
            self.parcel(parcel)?;
            match parcel {
                Parcel::Stream(part) if is_large(&part.digest) => {
                    // From then on the server knows its chunks. If it does not, the next edit goes whole, too.
                    let split = self.remote.split(self.work, chunking, &part.digest);
                    split.map(drop).or_else(Failure::unless_ours)
                }
                _ => Ok(()),
            }
        })
    }

    /// Sends contents in chunks; gives those for which that was worth it, and the server agreed. `count` contents are sent
    /// in all.
    fn send_chunks(
        &self,
        chunking: Chunking,
        large: &[Digest],
        count: usize,
    ) -> Outcome<FxHashSet<Digest>> {
        if large.is_empty() {
            return Ok(FxHashSet::default());
        }
        let mut cuts = self.work.cut(chunking, self.lease, large)?;
        let mut all: Vec<Digest> = cuts.iter().flat_map(|(_, chunks)| chunks).copied().collect();
        all.sort_unstable();
        all.dedup();
        let lacking = self.remote.query(self.work, &all)?;
        let mut lacking: FxHashSet<Digest> = lacking.into_iter().collect();
        self.work.progress.start("uploading", Some(count));
        cuts.retain(|(digest, chunks)| {
            let there = chunks.iter().filter(|chunk| !lacking.contains(*chunk));
            !is_too_little(size_of(there), digest.size())
        });
        let parts = cuts.iter().flat_map(|(content, chunks)| parts(content, chunks));
        let parts: Vec<Part> = parts.filter(|part| lacking.remove(&part.digest)).collect();
        self.send(&parts)?;
        let spliced = self.work.map(&cuts, |(digest, chunks)| {
            match self.remote.splice(self.work, digest, chunks) {
                Ok(()) => {
                    self.work.arrived();
                    Ok(Some(*digest))
                }
                Err(failure) => failure.unless_ours().map(|()| None),
            }
        })?;
        Ok(spliced.into_iter().flatten().collect())
    }
}
