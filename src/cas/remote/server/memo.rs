//! Trees that were whole a moment ago, so that looking at one again costs what changed. Looks at the store's directories.
//!
//! What is remembered holds while nothing speaks against it:
//! - A shard of the store in which a content came or went, whoever did that, looks different: then all of it that is
//!   remembered is looked at again, before anything is believed.
//! - Everything is forgotten after [`AHEAD`] seconds. Each content was marked as used for so much longer than it would be
//!   otherwise; so for a collector, one that is remembered is as good as one that was looked at.

use super::shared::lock;
use crate::cas::digest::Digest;
use crate::cas::store::{FRESH, Store, Turnover};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Seconds until all is forgotten.
pub(super) const AHEAD: i64 = FRESH / 2;

/// So many contents are remembered at most: some 80 MB.
const ROOM: usize = 1 << 20;

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memo {
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often everything was forgotten.
    epoch: u64,
    /// How often something was added.
    additions: u64,
    /// When the first of it was looked at, in seconds since 1970 by the file system's clock.
    since: i64,
    count: usize,
    /// By the first byte of the hash.
    shards: BTreeMap<u8, Shard>,
}

#[derive(Debug)]
struct Shard {
    /// How it was before its contents were looked at.
    turnover: Option<Turnover>,
    contents: FxHashMap<Digest, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Whether it is a directory, and everything below it was there.
    is_tree: bool,
    /// The addition that it came with.
    addition: u64,
}

impl Default for Memo {
    fn default() -> Self {
        Self { room: ROOM, state: Mutex::default() }
    }
}

impl State {
    fn forget(&mut self, now: i64) {
        let (epoch, additions) = (self.epoch + 1, self.additions);
        *self = Self { epoch, additions, since: now, ..Self::default() };
    }

    /// What may have gone since it was looked at.
    fn doubtful(&self, turnovers: &[Option<Turnover>]) -> Vec<Digest> {
        let is_doubtful = |(first, shard): &(&u8, &Shard)| {
            shard.turnover.is_none() || shard.turnover != at(turnovers, **first)
        };
        let doubtful = self.shards.iter().filter(is_doubtful);
        doubtful.flat_map(|(_, shard)| shard.contents.keys().copied()).collect()
    }

    fn add(&mut self, digest: Digest, is_tree: bool, turnover: Option<Turnover>) {
        let new = || Shard { turnover, contents: FxHashMap::default() };
        let shard = self.shards.entry(digest.hash()[0]).or_insert_with(new);
        // Somebody else looked at the shard at another time: who comes next looks at all of it.
        if shard.turnover != turnover {
            shard.turnover = None;
        }
        let seen = Seen { is_tree, addition: self.additions };
        let before = shard.contents.insert(digest, seen);
        self.count += usize::from(before.is_none());
    }
}

impl Memo {
    /// What is known of a store at the moment `now`, in seconds since 1970 by the file system's clock. `keep` says whether a
    /// content is there, and marks it as used for [`AHEAD`] seconds more.
    pub(super) fn recall(
        &self,
        store: &Store,
        now: i64,
        keep: impl Fn(&Digest) -> bool + Send + Sync,
    ) -> Recall<'_> {
        let turnovers: Vec<_> = (0..=u8::MAX).map(|first| store.turnover(first, now)).collect();
        let (epoch, additions, doubtful) = {
            let mut state = lock(&self.state);
            if !(state.since..state.since + AHEAD).contains(&now) {
                state.forget(now);
            }
            (state.epoch, state.additions, state.doubtful(&turnovers))
        };
        // Not under the lock, which the threads that do this may be waiting for.
        let is_whole = doubtful.par_iter().with_min_len(64).all(keep);
        let mut state = lock(&self.state);
        let mut recall = Recall { memo: self, epoch, additions, turnovers };
        if state.epoch == epoch && !is_whole {
            state.forget(now);
            recall.epoch = state.epoch;
        } else if state.epoch == epoch && state.additions == additions {
            for (first, shard) in &mut state.shards {
                shard.turnover = at(&recall.turnovers, *first);
            }
        }
        recall
    }

    /// Forgets everything.
    pub(super) fn forget(&self) {
        lock(&self.state).forget(0);
    }
}

/// What was known at one moment.
pub(super) struct Recall<'a> {
    memo: &'a Memo,
    epoch: u64,
    additions: u64,
    turnovers: Vec<Option<Turnover>>,
}

impl Recall<'_> {
    /// Whether a content is there.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.seen(digest).is_some()
    }

    /// Whether a directory and everything below it is there.
    pub(super) fn has_tree(&self, digest: &Digest) -> bool {
        self.seen(digest).is_some_and(|seen| seen.is_tree)
    }

    fn seen(&self, digest: &Digest) -> Option<Seen> {
        let state = lock(&self.memo.state);
        let seen = state.shards.get(&digest.hash()[0])?.contents.get(digest)?;
        (state.epoch == self.epoch && seen.addition <= self.additions).then_some(*seen)
    }

    /// Remembers what was looked at since, and whether each is a tree. Unless all was forgotten meanwhile: trees may hold
    /// what was known then.
    pub(super) fn add(self, found: impl ExactSizeIterator<Item = (Digest, bool)>) {
        let mut state = lock(&self.memo.state);
        if state.epoch != self.epoch || found.len() > self.memo.room {
            return;
        }
        if state.count + found.len() > self.memo.room {
            let since = state.since;
            state.forget(since);
            return;
        }
        state.additions += 1;
        for (digest, is_tree) in found {
            state.add(digest, is_tree, at(&self.turnovers, digest.hash()[0]));
        }
    }
}

fn at(turnovers: &[Option<Turnover>], first: u8) -> Option<Turnover> {
    turnovers.get(usize::from(first)).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::store::Durability;
    use crate::cas::testing::store;

    /// A store of some contents, and a moment at which nothing in it changes any more.
    fn bed() -> (tempfile::TempDir, Store, Vec<Digest>, i64) {
        let (dir, store) = store();
        let writer = store.writer(Durability::None).unwrap();
        let put = |n: u8| writer.put(&[n], false).unwrap().digest;
        let digests = (0..4).map(put).collect();
        writer.commit().unwrap();
        let now = writer.lease().start_ns() / 1_000_000_000 + 10;
        (dir, store, digests, now)
    }

    fn trees(digests: &[Digest]) -> std::vec::IntoIter<(Digest, bool)> {
        digests.iter().map(|digest| (*digest, true)).collect::<Vec<_>>().into_iter()
    }

    fn unasked(digest: &Digest) -> bool {
        panic!("{digest} is looked at");
    }

    #[test]
    fn what_was_added_is_known_from_the_next_moment_on_and_for_its_time() {
        let (_dir, store, digests, now) = bed();
        let memo = Memo::default();
        let recall = memo.recall(&store, now, unasked);
        memo.recall(&store, now, unasked).add(vec![(digests[0], false)].into_iter());
        assert!(!recall.has(&digests[0]), "it was looked at by somebody else, perhaps before");
        let recall = memo.recall(&store, now + 1, unasked);
        assert!(recall.has(&digests[0]) && !recall.has_tree(&digests[0]));
        recall.add(trees(&digests[..1]));
        assert!(memo.recall(&store, now + AHEAD - 1, unasked).has_tree(&digests[0]));
        assert!(!memo.recall(&store, now + AHEAD, unasked).has(&digests[0]));
        memo.recall(&store, now, unasked).add(trees(&digests));
        // A clock that was set back.
        assert!(!memo.recall(&store, now - 1, unasked).has(&digests[0]));
    }

    #[test]
    fn a_shard_that_changed_is_looked_at_again() {
        let (_dir, store, digests, now) = bed();
        let memo = Memo::default();
        memo.recall(&store, now, unasked).add(trees(&digests));
        let aside = store.root().join("aside");
        let path = |digest: &Digest| {
            store.root().join("cas/sha256").join(&digest.hex()[..2]).join(digest.hex())
        };
        std::fs::rename(path(&digests[2]), &aside).unwrap();
        std::fs::rename(&aside, path(&digests[2])).unwrap();
        let only_that = |digest: &Digest| *digest == digests[2];
        assert!(memo.recall(&store, now, only_that).has_tree(&digests[2]));
        assert!(memo.recall(&store, now, unasked).has_tree(&digests[2]));
        // Somebody who began before that cannot say how the shard is now.
        let old = memo.recall(&store, now, unasked);
        std::fs::rename(path(&digests[2]), &aside).unwrap();
        let nothing = |_: &Digest| false;
        let recall = memo.recall(&store, now, nothing);
        assert!(!recall.has(&digests[2]) && !recall.has(&digests[0]), "trees may lead there");
        old.add(trees(&digests));
        assert!(!memo.recall(&store, now, unasked).has(&digests[2]));
    }

    #[test]
    fn a_shard_that_two_saw_differently_is_looked_at_again() {
        let (_dir, store, digests, now) = bed();
        let memo = Memo::default();
        let old = memo.recall(&store, now, unasked);
        let shard = store.root().join("cas/sha256").join(&digests[1].hex()[..2]);
        std::fs::write(shard.join("x"), "").unwrap();
        memo.recall(&store, now, unasked).add(trees(&digests[1..2]));
        old.add(trees(&digests[1..2]));
        assert!(!memo.recall(&store, now, |_: &Digest| false).has(&digests[1]));
    }

    #[test]
    fn a_shard_that_changes_right_now_is_looked_at_each_time() {
        let (_dir, store, digests, later) = bed();
        let now = store.lease().unwrap().start_ns() / 1_000_000_000;
        let memo = Memo::default();
        memo.recall(&store, now, unasked).add(trees(&digests));
        assert!(!memo.recall(&store, now, |_: &Digest| false).has(&digests[0]));
        memo.recall(&store, now, unasked).add(trees(&digests));
        assert!(memo.recall(&store, later, |_: &Digest| true).has(&digests[0]));
        assert!(memo.recall(&store, later, unasked).has(&digests[0]));
    }

    #[test]
    fn there_is_room_for_so_much() {
        let (_dir, store, digests, now) = bed();
        let memo = Memo { room: 3, ..Memo::default() };
        memo.recall(&store, now, unasked).add(trees(&digests));
        assert!(!memo.recall(&store, now, unasked).has(&digests[0]));
        memo.recall(&store, now, unasked).add(trees(&digests[..2]));
        memo.recall(&store, now, unasked).add(trees(&digests[2..3]));
        assert!(memo.recall(&store, now, unasked).has(&digests[0]));
        // What comes may lead to what had to go.
        memo.recall(&store, now, unasked).add(trees(&digests[3..]));
        let recall = memo.recall(&store, now, unasked);
        assert!(digests.iter().all(|digest| !recall.has(digest)));
        recall.add(trees(&digests[..3]));
        assert!(memo.recall(&store, now, unasked).has(&digests[0]));
    }
}
