//! Waiting for the disk in turns: whoever asks while others wait is served together with all who ask meanwhile. Touches nothing
//! itself.

use rustix::io::Errno;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs of something slow that serves everybody who asked before it began. Writing a file system to the disk is such a thing.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    begun: u64,
    ended: u64,
    /// The last turn that failed, and how.
    failed: Option<(u64, Errno)>,
}

impl Turns {
    /// Returns when a turn that began after this call has ended: one of another caller, or its own.
    ///
    /// # Errors
    /// That of the turn, for all whom it served, or that of a later one.
    pub(super) fn next(&self, run: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let mut state = self.state();
        let mine = state.begun + 1;
        while state.ended < mine && state.begun > state.ended {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ended < mine {
            state.begun += 1;
            drop(state);
            let result = run();
            state = self.state();
            state.ended = state.begun;
            state.failed = result.err().map(|error| (state.begun, error)).or(state.failed);
            self.ended.notify_all();
        }
        match state.failed {
            Some((turn, error)) if turn >= mine => Err(error),
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn all_who_ask_during_a_turn_share_the_next_one() {
        let (turns, runs, inside) = (Turns::default(), AtomicUsize::new(0), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let run = || {
                    inside.wait();
                    inside.wait();
                    runs.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                };
                turns.next(run).unwrap();
            });
            // The first turn has begun: whoever asks now may have written after it looked.
            inside.wait();
            let others: Vec<_> = (0..8)
                .map(|_| {
                    let (turns, runs) = (&turns, &runs);
                    let run = || {
                        thread::sleep(Duration::from_millis(20));
                        runs.fetch_add(1, Ordering::SeqCst);
                        Err(Errno::NOSPC)
                    };
                    scope.spawn(move || turns.next(run))
                })
                .collect();
            thread::sleep(Duration::from_millis(50));
            inside.wait();
            for other in others {
                assert_eq!(other.join().unwrap(), Err(Errno::NOSPC));
            }
        });
        // One or, if some of them were late, a few more; not one for each.
        assert!((2..9).contains(&runs.load(Ordering::SeqCst)), "{runs:?}");
        assert_eq!(turns.next(|| Ok(())), Ok(()));
    }
}
