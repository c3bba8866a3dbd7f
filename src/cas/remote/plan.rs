//! What a push has to ask for and send, and in which messages. Pure values; touches nothing.

use super::known::Known;
use crate::cas::digest::Digest;
use crate::cas::tree::Manifest;
use rustc_hash::{FxHashMap, FxHashSet};

/// Bytes of contents that go in one message, so that several in flight stay small.
pub(super) const BATCH: u64 = 1 << 20;

/// Bytes of a message for each content, besides its bytes: digest, size, status.
const OVERHEAD: u64 = 128;

/// Of what is believed to be on the server, so many are asked for nonetheless: a server that was emptied is found out.
const SAMPLE: usize = 4;

/// What has to be on the server, as far as it is not known to be there.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Contents of files.
    pub(super) contents: Vec<Digest>,
    /// Directories, each after those below it: the root is the last.
    pub(super) directories: Vec<Digest>,
    /// When each of the directories was whole on the server at the latest, once everything here is there.
    pub(super) times: FxHashMap<Digest, u64>,
    /// What is not asked for, since it is known: directories with everything below them, and contents.
    pub(super) believed: Vec<Digest>,
}

impl Plan {
    /// What is needed for a tree, and for contents besides.
    pub(super) fn of(manifest: &Manifest, others: &[Digest], known: &Known) -> Self {
        let mut planner =
            Planner { manifest, known, plan: Self::default(), seen: FxHashSet::default() };
        planner.directory(manifest.root());
        others.iter().for_each(|digest| {
            planner.content(*digest);
        });
        planner.plan
    }

    /// Everything to ask for.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let step = self.believed.len().div_ceil(SAMPLE).max(1);
        let sample = self.believed.iter().step_by(step);
        self.contents.iter().chain(&self.directories).chain(sample).copied().collect()
    }
}

struct Planner<'a> {
    manifest: &'a Manifest,
    known: &'a Known,
    plan: Plan,
    seen: FxHashSet<Digest>,
}

impl Planner<'_> {
    /// Gives the time at which it was known with everything below it. As deep as the manifest, which is limited.
    fn directory(&mut self, digest: Digest) -> u64 {
        if let Some(time) = self.plan.times.get(&digest) {
            return *time;
        }
        let Some(directory) = self.manifest.directory(&digest).filter(|_| !digest.is_empty())
        else {
            return self.known.now();
        };
        let known = self.known.tree(&digest);
        let mut time = known.unwrap_or_else(|| self.known.now());
        if known.is_some() {
            self.plan.believed.push(digest);
        } else {
            for file in directory.files() {
                time = time.min(self.content(file.digest));
            }
            for node in directory.directories() {
                time = time.min(self.directory(node.digest));
            }
            self.plan.directories.push(digest);
        }
        self.plan.times.insert(digest, time);
        time
    }

    fn content(&mut self, digest: Digest) -> u64 {
        let known = self.known.content(&digest);
        if !digest.is_empty() && self.seen.insert(digest) {
            let list =
                if known.is_some() { &mut self.plan.believed } else { &mut self.plan.contents };
            list.push(digest);
        }
        known.unwrap_or_else(|| self.known.now())
    }
}

/// How contents travel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parcel<T> {
    /// Together in one message.
    Batch(Vec<T>),
    /// Alone, in a stream.
    Stream(T),
}

/// Packs contents into messages in their order, the large ones first: they take the longest.
pub(super) fn parcels<T: Copy>(
    items: &[T],
    max_batch: u64,
    digest: impl Fn(&T) -> &Digest,
) -> Vec<Parcel<T>> {
    let limit = max_batch.min(BATCH);
    let cost = |item: &T| digest(item).size().saturating_add(OVERHEAD);
    let (small, large): (Vec<T>, Vec<T>) = items.iter().partition(|item| cost(item) <= limit);
    let mut parcels: Vec<Parcel<T>> = large.into_iter().map(Parcel::Stream).collect();
    let mut batch = Vec::new();
    let mut size = 0;
    for item in small {
        if size + cost(&item) > limit {
            parcels.push(Parcel::Batch(std::mem::take(&mut batch)));
            size = 0;
        }
        size += cost(&item);
        batch.push(item);
    }
    if !batch.is_empty() {
        parcels.push(Parcel::Batch(batch));
    }
    parcels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::testing::{Shelf, manifest};

    fn plan(shelf: &Shelf, root: Digest, known: &Known) -> Plan {
        Plan::of(&manifest(shelf, root).unwrap(), &[], known)
    }

    #[test]
    fn children_come_before_parents_and_the_root_last() {
        let mut shelf = Shelf::default();
        // `x/b` is the same directory as `a/b/b`, and nearer to the root.
        let root = shelf.tree(&[("a/b/b/f", "1"), ("a/c", "2"), ("x/b/f", "1"), ("empty", "")]);
        let manifest = manifest(&shelf, root).unwrap();
        let plan = Plan::of(&manifest, &[], &Known::nothing(7));
        assert_eq!(plan.contents.len(), 2);
        assert_eq!(plan.directories.last(), Some(&root));
        for (at, digest) in plan.directories.iter().enumerate() {
            let below = manifest.directory(digest).unwrap().directories();
            assert!(below.iter().all(|node| plan.directories[..at].contains(&node.digest)));
        }
        assert!(plan.believed.is_empty() && plan.times.values().all(|time| *time == 7));
    }

    #[test]
    fn what_is_known_with_everything_below_it_is_not_looked_at() {
        let mut shelf = Shelf::default();
        let old = shelf.tree(&[("a/x", "1"), ("a/y", "2"), ("b/z", "3"), ("b/c/w", "4")]);
        let new = shelf.tree(&[("a/x", "1"), ("a/y", "new"), ("b/z", "3"), ("b/c/w", "4")]);
        let known = Known::nothing(50);
        let first = plan(&shelf, old, &known);
        known.note_contents(&first.contents);
        // What was believed then makes the whole no younger.
        known.note_trees(first.times.keys().map(|digest| (*digest, 40)));
        let second = plan(&shelf, new, &known);
        assert_eq!((second.contents.len(), second.directories.len()), (1, 2));
        // `b` with everything below it, and `a/x`.
        assert_eq!(second.believed.len(), 2);
        assert_eq!(second.times[&new], 40);
        let again = plan(&shelf, old, &known);
        assert_eq!((again.believed.as_slice(), again.digests().len()), ([old].as_slice(), 1));
    }

    #[test]
    fn parcels_are_below_the_limit_and_in_order() {
        let sizes = [10, 2 << 20, 500 << 10, 500 << 10, 500 << 10, 5];
        let digests: Vec<Digest> =
            sizes.iter().enumerate().map(|(at, size)| Digest::new([at as u8; 32], *size)).collect();
        let found = parcels(&digests, 4 << 20, |digest| digest);
        let expected = vec![
            Parcel::Stream(digests[1]),
            Parcel::Batch(vec![digests[0], digests[2], digests[3]]),
            Parcel::Batch(vec![digests[4], digests[5]]),
        ];
        assert_eq!(found, expected);
        assert_eq!(parcels(&digests, 100, |digest| digest).len(), sizes.len());
    }
}
