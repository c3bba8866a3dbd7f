//! One piece of work with a server: attempts that are repeated, several at once, and what it all amounts to.

use super::failure::{Answer, Failure, Outcome};
use super::line::{Line, Service};
use crate::progress::Progress;
use std::future::Future;
use std::ops::Add;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tonic::Response;

/// Requests in flight at once. With [`super::plan::BATCH`] it bounds the memory.
pub(super) const IN_FLIGHT: usize = 8;

/// The longest wait between two attempts, unless the server asks for more.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// How often a wait looks whether anybody still waits for its result.
const GLANCE: Duration = Duration::from_millis(50);

/// What went over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Contents, directories and chunks that the server was asked about.
    pub queried: u64,
    /// Contents and directories that travelled, be it in chunks.
    pub blobs: u64,
    /// Their bytes; of those in chunks, the bytes of the chunks that travelled.
    pub bytes: u64,
    /// Bytes of the messages that carried them, compressed as they were; attempts that failed count.
    pub wire_bytes: u64,
    /// Attempts that were made again.
    pub retried: u64,
    /// Calls.
    pub requests: u64,
}

impl Add for Transfer {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            queried: self.queried + more.queried,
            blobs: self.blobs + more.blobs,
            bytes: self.bytes + more.bytes,
            wire_bytes: self.wire_bytes + more.wire_bytes,
            retried: self.retried + more.retried,
            requests: self.requests + more.requests,
        }
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) queried: AtomicU64,
    pub(super) blobs: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) wire_bytes: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) requests: AtomicU64,
}

/// Adds to a counter.
pub(super) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// A piece of work.
pub(super) struct Work<'a> {
    pub(super) line: &'a Line,
    pub(super) progress: &'a dyn Progress,
    pub(super) counters: Counters,
    /// Something failed for good: what else is under way need not end.
    is_lost: AtomicBool,
}

impl<'a> Work<'a> {
    pub(super) fn new(line: &'a Line, progress: &'a dyn Progress) -> Self {
        Self { line, progress, counters: Counters::default(), is_lost: AtomicBool::new(false) }
    }

    /// What it all amounts to so far.
    pub(super) fn transfer(&self) -> Transfer {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        Transfer {
            queried: read(&counters.queried),
            blobs: read(&counters.blobs),
            bytes: read(&counters.bytes),
            wire_bytes: read(&counters.wire_bytes),
            retried: read(&counters.retried),
            requests: read(&counters.requests),
        }
    }

    /// A content has travelled.
    pub(super) fn moved(&self, size: u64) {
        self.moved_chunk(size);
        self.arrived();
    }

    /// A chunk of a content has travelled.
    pub(super) fn moved_chunk(&self, size: u64) {
        count(&self.counters.bytes, size);
    }

    /// A content is there of which all chunks are.
    pub(super) fn arrived(&self) {
        count(&self.counters.blobs, 1);
        self.progress.step();
    }

    fn is_over(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed) || self.progress.is_cancelled()
    }

    /// Does it for each item, several at once; the first failure ends it.
    pub(super) fn each<T: Sync>(
        &self,
        items: &[T],
        act: impl Fn(&T) -> Outcome<()> + Sync,
    ) -> Outcome<()> {
        let next = AtomicUsize::new(0);
        let first = Mutex::new(None);
        let run = || {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                let done = if self.is_over() { Err(Failure::Stopped) } else { act(item) };
                let Err(failure) = done else { continue };
                // The failure stands before the others stop because of it.
                first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                self.is_lost.store(true, Ordering::Relaxed);
                return;
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..items.len().min(IN_FLIGHT) {
                scope.spawn(run);
            }
            run();
        });
        // The next piece of the same work begins anew.
        self.is_lost.store(false, Ordering::Relaxed);
        first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// As [`Work::each`]; gives what is made of the items, in their order.
    pub(super) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        make: impl Fn(&T) -> Outcome<R> + Sync,
    ) -> Outcome<Vec<R>> {
        let made = Mutex::new(Vec::with_capacity(items.len()));
        let numbered: Vec<(usize, &T)> = items.iter().enumerate().collect();
        self.each(&numbered, |(number, item)| {
            let it = make(item)?;
            made.lock().unwrap_or_else(PoisonError::into_inner).push((*number, it));
            Ok(())
        })?;
        let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        made.sort_unstable_by_key(|(number, _)| *number);
        Ok(made.into_iter().map(|(_, it)| it).collect())
    }

    /// One call without a stream, again and again while that may help.
    pub(super) fn call<T, F>(&self, call: impl Fn(Service) -> F) -> Outcome<T>
    where
        F: Future<Output = Answer<Response<T>>>,
    {
        self.persist(|_| {
            count(&self.counters.requests, 1);
            self.line.ask(&call)
        })
    }

    /// Again and again while that may help.
    pub(super) fn persist<T>(
        &self,
        mut attempt: impl FnMut(&mut Attempts<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut attempts = Attempts { work: self, failures: 0, renewals: 0, end: None };
        loop {
            if self.is_over() {
                return Err(Failure::Stopped);
            }
            match attempt(&mut attempts) {
                Ok(value) => return Ok(value),
                Err(failure) => attempts.bear(failure)?,
            }
        }
    }
}

/// How often something was tried, and how long that may go on.
pub(super) struct Attempts<'a> {
    work: &'a Work<'a>,
    /// Without progress between them.
    failures: u32,
    /// Attempts with new credentials.
    renewals: u32,
    /// Ends when patience does; begins with the first failure.
    end: Option<JoinHandle<()>>,
}

impl Attempts<'_> {
    /// The attempt got further than those before.
    pub(super) fn progressed(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next attempt, or gives the failure back.
    fn bear(&mut self, failure: Failure) -> Outcome<()> {
        let patience = &self.work.line.patience;
        self.failures += 1;
        let asked = failure.asked_delay();
        let is_over = self.end.as_ref().is_some_and(JoinHandle::is_finished);
        self.renewals += u32::from(matches!(failure, Failure::Expired(_)));
        let is_too_long = asked.is_some_and(|delay| delay > patience.total);
        let is_enough = self.failures >= patience.attempts || self.renewals > 1;
        if !failure.may_pass() || is_enough || is_over || is_too_long {
            return Err(failure);
        }
        if self.end.is_none() {
            self.end = Some(self.work.line.timer(patience.total)?);
        }
        count(&self.work.counters.retried, 1);
        self.sleep(pause(patience.pause, self.failures).max(asked.unwrap_or_default()))
    }

    fn sleep(&self, time: Duration) -> Outcome<()> {
        let mut left = time;
        while !left.is_zero() {
            if self.work.is_over() {
                return Err(Failure::Stopped);
            }
            let nap = left.min(GLANCE);
            std::thread::sleep(nap);
            left -= nap;
        }
        Ok(())
    }
}

impl Drop for Attempts<'_> {
    fn drop(&mut self) {
        if let Some(end) = &self.end {
            end.abort();
        }
    }
}

/// How long to wait after so many failures: twice as long each time, and at random down to half of that, so that clients
/// that failed together do not come back together.
fn pause(first: Duration, failures: u32) -> Duration {
    let longest = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(MAX_PAUSE);
    let mut random = [0; 2];
    // Without chance, all wait the same.
    let _ = getrandom::fill(&mut random);
    longest / 2 + (longest / 2).mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::remote::options::{Patience, RemoteOptions};
    use crate::progress::Silent;
    use tonic::Status;

    fn line(attempts: u32) -> Line {
        let mut options = RemoteOptions::new("grpc://127.0.0.1:1");
        let pause = Duration::from_millis(1);
        options.patience = Patience { attempts, pause, ..Patience::default() };
        Line::new(&options).unwrap()
    }

    #[test]
    fn attempts_are_counted_from_the_last_progress() {
        let line = line(3);
        let work = Work::new(&line, &Silent);
        let mut calls = 0;
        let failed: Result<(), _> = work.persist(|attempts| {
            calls += 1;
            if calls == 2 {
                attempts.progressed();
            }
            Err(Status::unavailable("x").into())
        });
        assert!(failed.is_err());
        assert_eq!((calls, work.transfer().retried), (4, 3));
    }

    #[test]
    fn pauses_grow_and_end() {
        let first = Duration::from_millis(100);
        for (failures, most) in [(1, 100), (2, 200), (4, 800), (40, 10_000)] {
            let pause = pause(first, failures);
            let most = Duration::from_millis(most);
            assert!(pause >= most / 2 && pause <= most, "{failures}: {pause:?}");
        }
    }

    #[test]
    fn the_first_failure_ends_all() {
        let line = line(1);
        let work = Work::new(&line, &Silent);
        let items: Vec<usize> = (0..1000).collect();
        let done = AtomicUsize::new(0);
        let result = work.each(&items, |item| match item {
            3 => Err(Failure::Garbled("three".into())),
            _ => {
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        });
        assert!(matches!(result, Err(Failure::Garbled(_))));
        assert!(done.into_inner() < 1000);
        assert!(work.each(&items, |_| Ok(())).is_ok());
    }
}
