//! How long work reports where it is, without knowing who watches. Pure trait; touches nothing.

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
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _stage: &'static str, _total: Option<usize>) {}
    fn step(&self) {}
}
