//! Progress on the terminal: the stage and how far it is, on one line of stderr that goes away. Writes to stderr.

use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A line that lives as long as the work.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Progress for Bar {
    fn start(&self, stage: &'static str, total: Option<usize>) {
        let template = match total {
            Some(_) => "{spinner} {msg} {human_pos}/{human_len}",
            None => "{spinner} {msg} {human_pos}",
        };
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        self.0.set_style(style.tick_chars(r"-\|/ "));
        self.0.set_position(0);
        match total {
            Some(total) => self.0.set_length(total as u64),
            None => self.0.unset_length(),
        }
        self.0.set_message(stage);
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
