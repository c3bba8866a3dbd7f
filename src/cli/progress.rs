//! Progress on the terminal: the stage and how far it is, on one line of stderr that goes away. Writes to stderr.

use crate::codemod::News;
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

/// A line that shows how many batches are done, and how many builds are left.
#[derive(Clone)]
pub(super) struct BuildBar(ProgressBar);

impl BuildBar {
    /// A bar of so many batches, some of which are done; one that shows nothing unless it `is_shown`.
    pub(super) fn new(is_shown: bool, batches: usize, done: usize) -> Self {
        let bar = if is_shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
        bar.set_length((batches + done) as u64);
        bar.set_position(done as u64);
        let template = "{spinner} batches [{bar:20}] {pos}/{len}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.tick_chars(r"-\|/ ").progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Shows what is happening.
    pub(super) fn show(&self, news: &News<'_>) {
        match news {
            News::Planning => self.0.set_message("planning"),
            News::TestingTree => self.0.set_message("building the tree without fixes"),
            News::Testing { subject, fixes, builds_left } => {
                let others = self.0.length().unwrap_or(0).saturating_sub(self.0.position() + 1);
                let left = *builds_left as u64 + others;
                // What a terminal would act upon has no place in a line of text.
                let subject = subject.replace(char::is_control, " ");
                self.0.set_message(format!("at most {left} builds left: {fixes} fixes, {subject}"));
            }
            News::Done(_) => {
                self.0.inc(1);
                // What one batch makes unused may come in one more than was planned.
                let position = self.0.position();
                self.0.update(|state| state.set_len(state.len().unwrap_or(0).max(position)));
            }
            News::Changed => self.0.set_position(0),
        }
    }

    /// Writes somewhere else meanwhile.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
