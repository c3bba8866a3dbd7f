//! How long work reports where it is, without knowing who watches. Touches nothing.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Receives progress. Called from many threads.
pub trait Progress: Sync {
    /// A stage begins; `total` is the number of steps if it is known.
    fn start(&self, stage: &'static str, total: Option<usize>);
    /// One step of the current stage is done.
    fn step(&self);
    /// Whether nobody waits for the result any more: what is left may be skipped.
    fn is_cancelled(&self) -> bool {
        false
    }
    /// Fails once nobody waits for the result any more.
    fn go_on(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new("the analysis was stopped")) } else { Ok(()) }
    }
}

/// Work that somebody watches, and that may turn out to be for nobody.
pub struct Stoppable<'p> {
    watcher: &'p dyn Progress,
    is_stopped: AtomicBool,
}

impl<'p> Stoppable<'p> {
    /// Work that goes on so far.
    pub fn new(watcher: &'p dyn Progress) -> Self {
        Self { watcher, is_stopped: AtomicBool::new(false) }
    }

    /// Nobody waits for the result any more.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

impl Progress for Stoppable<'_> {
    fn start(&self, stage: &'static str, total: Option<usize>) {
        self.watcher.start(stage, total);
    }

    fn step(&self) {
        self.watcher.step();
    }

    fn is_cancelled(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed) || self.watcher.is_cancelled()
    }
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _stage: &'static str, _total: Option<usize>) {}
    fn step(&self) {}
}
