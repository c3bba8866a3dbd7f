//! What goes wrong on purpose, so that tests see how clients take it: a test aid. Pure values; touches nothing.
//!
//! Whether a content meets a fault depends on the seed and its digest alone, as in the blob-loss simulator of Bazel's
//! example worker: so a test that failed once fails again. Without faults nothing is looked up.

use crate::cas::digest::Digest;
use crate::cas::remote::failure::RetryInfo;
use bazel_remote_apis::google::{protobuf, rpc};
use prost::Message;
use rustc_hash::FxHashMap;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tonic::{Code, Status};

/// What can go wrong with a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is there when asked for, and gone when read: until its times are over, or it is sent again.
    Lose,
    /// One bit of it is wrong when read.
    Corrupt,
    /// The stream ends half way, as if that were all.
    Truncate,
    /// The last piece of a stream, or the answer to another call, takes so long.
    Stall(Duration),
    /// Any call about it is answered with `RESOURCE_EXHAUSTED`.
    Exhausted,
    /// Any call about it is answered with `UNAVAILABLE`, and when to come back.
    Unavailable {
        /// What `RetryInfo` says.
        retry_after: Duration,
    },
    /// The disk is full when it is written.
    DiskFull,
}

/// For [`Faults::with`]: as often as it is used.
pub const FOREVER: u32 = u32::MAX;

/// All that goes wrong with one server; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Faults(Option<Arc<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    seed: u64,
    faults: Vec<Fault>,
    requests: Option<u64>,
    bytes: Option<u64>,
    is_unable_to_cut: bool,
    requests_seen: AtomicU64,
    bytes_seen: AtomicU64,
    /// How often each fault met each content.
    met: Mutex<FxHashMap<(usize, Digest), u32>>,
}

#[derive(Clone, Debug)]
struct Fault {
    trouble: Trouble,
    per_mille: u64,
    times: u32,
}

/// What is done with a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// It is asked for, or the result of an action is.
    Ask,
    Read,
    Write,
}

impl Faults {
    /// Nothing yet; the seed chooses which contents are met.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Plan { seed, ..Plan::default() })))
    }

    /// One more fault: it meets `per_mille` of all contents, each of them the first `times` that it could.
    #[must_use]
    pub fn with(self, trouble: Trouble, per_mille: u16, times: u32) -> Self {
        let fault = Fault { trouble, per_mille: per_mille.into(), times };
        self.planned(|plan| plan.faults.push(fault))
    }

    /// The server dies when this many calls have come.
    #[must_use]
    pub fn dying_after_requests(self, count: u64) -> Self {
        self.planned(|plan| plan.requests = Some(count))
    }

    /// The server dies when this many bytes of contents have come and gone in streams and batches.
    #[must_use]
    pub fn dying_after_bytes(self, count: u64) -> Self {
        self.planned(|plan| plan.bytes = Some(count))
    }

    /// The server neither splits nor splices, and says so.
    #[must_use]
    pub fn without_chunks(self) -> Self {
        self.planned(|plan| plan.is_unable_to_cut = true)
    }

    /// How often anything went wrong so far.
    pub fn count(&self) -> u64 {
        let count =
            |plan: &Arc<Plan>| plan.met().values().filter(|met| **met != FOREVER).sum::<u32>();
        self.0.as_ref().map_or(0, count).into()
    }

    /// A plan with a change, and nothing met so far.
    fn planned(self, change: impl FnOnce(&mut Plan)) -> Self {
        let old = self.0.unwrap_or_default();
        let mut plan = Plan {
            seed: old.seed,
            faults: old.faults.clone(),
            requests: old.requests,
            bytes: old.bytes,
            is_unable_to_cut: old.is_unable_to_cut,
            ..Plan::default()
        };
        change(&mut plan);
        Self(Some(Arc::new(plan)))
    }

    /// What goes wrong with a content now.
    pub(super) fn strike(&self, moment: Moment, digest: &Digest) -> Option<Trouble> {
        let plan = self.0.as_ref()?;
        let mut met = plan.met();
        let chosen = plan.chosen(digest).filter(|(_, fault)| fault.trouble.happens_at(moment));
        for (index, fault) in chosen {
            let count = met.entry((index, *digest)).or_default();
            if *count < fault.times {
                *count += 1;
                return Some(fault.trouble.clone());
            }
        }
        None
    }

    /// Whether a content is gone since it was read.
    pub(super) fn is_lost(&self, digest: &Digest) -> bool {
        let Some(plan) = &self.0 else { return false };
        let met = plan.met();
        plan.chosen(digest).any(|(index, fault)| {
            let count = met.get(&(index, *digest)).copied().unwrap_or(0);
            fault.trouble == Trouble::Lose && count > 0 && count < fault.times
        })
    }

    /// A content was sent again: it is not lost any more.
    pub(super) fn heal(&self, digest: &Digest) {
        let Some(plan) = &self.0 else { return };
        let mut met = plan.met();
        for (index, fault) in plan.chosen(digest) {
            if fault.trouble == Trouble::Lose && met.contains_key(&(index, *digest)) {
                met.insert((index, *digest), FOREVER);
            }
        }
    }

    /// Whether the server splits and splices.
    pub(super) fn can_cut(&self) -> bool {
        !self.0.as_ref().is_some_and(|plan| plan.is_unable_to_cut)
    }

    /// Counts a call; whether the server dies of it.
    pub(super) fn dies_of_request(&self) -> bool {
        self.0.as_ref().is_some_and(|plan| exceeds(&plan.requests_seen, 1, plan.requests))
    }

    /// Counts bytes; whether the server dies of them.
    pub(super) fn dies_of_bytes(&self, count: u64) -> bool {
        self.0.as_ref().is_some_and(|plan| exceeds(&plan.bytes_seen, count, plan.bytes))
    }
}

fn exceeds(seen: &AtomicU64, more: u64, limit: Option<u64>) -> bool {
    limit.is_some_and(|limit| seen.fetch_add(more, Ordering::Relaxed) + more > limit)
}

impl Plan {
    fn chosen(&self, digest: &Digest) -> impl Iterator<Item = (usize, &Fault)> {
        self.faults.iter().enumerate().filter(move |(index, fault)| {
            let mut hasher = SipHasher13::new_with_keys(self.seed, *index as u64);
            hasher.write(digest.hash());
            hasher.finish() % 1000 < fault.per_mille
        })
    }

    fn met(&self) -> std::sync::MutexGuard<'_, FxHashMap<(usize, Digest), u32>> {
        super::shared::lock(&self.met)
    }
}

impl Trouble {
    fn happens_at(&self, moment: Moment) -> bool {
        match self {
            Self::Lose | Self::Corrupt | Self::Truncate => moment == Moment::Read,
            Self::DiskFull => moment == Moment::Write,
            Self::Stall(_) | Self::Exhausted | Self::Unavailable { .. } => true,
        }
    }

    /// The answer, where that is all that goes wrong.
    pub(super) fn status(&self) -> Option<Status> {
        match self {
            Self::Lose => Some(Status::not_found("the content is not there")),
            Self::Exhausted => Some(Status::resource_exhausted("too much at once")),
            Self::Unavailable { retry_after } => Some(unavailable(*retry_after)),
            Self::Corrupt | Self::Truncate | Self::Stall(_) | Self::DiskFull => None,
        }
    }
}

fn unavailable(retry_after: Duration) -> Status {
    let message = "come back later";
    let delay = protobuf::Duration {
        seconds: retry_after.as_secs().cast_signed(),
        nanos: retry_after.subsec_nanos().cast_signed(),
    };
    let info = protobuf::Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: RetryInfo { retry_delay: Some(delay) }.encode_to_vec(),
    };
    let code = Code::Unavailable;
    let details =
        rpc::Status { code: code.into(), message: message.to_owned(), details: vec![info] };
    Status::with_details(code, message, details.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::digest::DigestFunction;

    fn digests() -> Vec<Digest> {
        (0..1000u32).map(|n| DigestFunction::Sha256.digest(&n.to_le_bytes())).collect()
    }

    #[test]
    fn the_seed_and_the_digest_choose() {
        let met = |seed: u64| -> Vec<Digest> {
            let faults = Faults::seeded(seed).with(Trouble::Corrupt, 100, 1);
            let is_met = |digest: &Digest| faults.strike(Moment::Read, digest).is_some();
            let met: Vec<Digest> = digests().into_iter().filter(is_met).collect();
            assert_eq!(faults.count(), met.len() as u64);
            assert!(met.iter().all(|digest| faults.strike(Moment::Read, digest).is_none()));
            met
        };
        assert_eq!(met(1), met(1));
        assert_ne!(met(1), met(2));
        assert!((50..200).contains(&met(1).len()), "{}", met(1).len());
    }

    #[test]
    fn what_is_lost_is_lost_from_its_first_reading_to_its_next_writing() {
        let digest = DigestFunction::Sha256.digest(b"x");
        let faults = Faults::seeded(0).with(Trouble::Lose, 1000, FOREVER);
        assert!(!faults.is_lost(&digest));
        assert_eq!(faults.strike(Moment::Write, &digest), None);
        assert_eq!(faults.strike(Moment::Read, &digest), Some(Trouble::Lose));
        assert!(faults.is_lost(&digest));
        faults.heal(&digest);
        assert!(!faults.is_lost(&digest));
        assert_eq!(faults.strike(Moment::Read, &digest), None);
        let once = Faults::seeded(0).with(Trouble::Lose, 1000, 1);
        assert_eq!(once.strike(Moment::Read, &digest), Some(Trouble::Lose));
        assert!(!once.is_lost(&digest));
    }

    #[test]
    fn faults_add_up_and_none_is_none() {
        let digest = DigestFunction::Sha256.digest(b"x");
        assert_eq!(Faults::default().strike(Moment::Read, &digest), None);
        let faults = Faults::seeded(0)
            .with(Trouble::Corrupt, 1000, 1)
            .with(Trouble::Truncate, 1000, 1)
            .dying_after_requests(1);
        assert_eq!(faults.strike(Moment::Read, &digest), Some(Trouble::Corrupt));
        assert_eq!(faults.strike(Moment::Read, &digest), Some(Trouble::Truncate));
        assert_eq!(faults.strike(Moment::Read, &digest), None);
        assert!(!faults.dies_of_request() && faults.dies_of_request());
        assert!(!faults.dies_of_bytes(u64::MAX / 2));
    }
}
