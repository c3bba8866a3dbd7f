//! Progress on the terminal: the stage and how far it is, on one line of stderr that goes away. Writes to stderr.

use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A line that lives as long as the work.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos}/{human_len}") {
            bar.set_style(style.tick_chars(r"-\|/ "));
        }
        Self(bar)
    }
}

impl Progress for Bar {
    /// Stages may overlap, so that steps are counted over all of them and the name is that of the latest.
    fn start(&self, stage: &'static str, total: Option<usize>) {
        self.0.inc_length(total.map_or(0, |total| total as u64));
        self.0.set_message(stage);
        self.0.enable_steady_tick(Duration::from_millis(100));
    }

    fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
