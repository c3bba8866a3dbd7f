//! Keys, mouse and size of the terminal, read on a thread of its own that can be paused for an editor.

use super::Incoming;
use ratatui::crossterm::event;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a pause may take to begin.
const PATIENCE: Duration = Duration::from_millis(40);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Somebody wants a pause.
    Asked,
    Paused,
}

/// The thread that reads keys.
pub(super) struct Keys {
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Keys {
    pub(super) fn listen(sender: Sender<Incoming>) -> Self {
        let state = Arc::new((Mutex::new(State::Reading), Condvar::new()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            while wait(&shared) {
                match event::poll(PATIENCE) {
                    Ok(false) => {}
                    Ok(true) => {
                        let Ok(event) = event::read() else { return };
                        if sender.send(Incoming::Terminal(event)).is_err() {
                            return;
                        }
                    }
                    Err(_) => return,
                }
            }
        });
        Self { state }
    }

    /// Stops reading, or goes on. Returns once nothing is read any more.
    pub(super) fn pause(&self, pause: bool) {
        let (state, changed) = &*self.state;
        let mut now = state.lock().unwrap_or_else(PoisonError::into_inner);
        *now = if pause { State::Asked } else { State::Reading };
        changed.notify_all();
        while *now == State::Asked {
            let waited = changed.wait_timeout(now, 10 * PATIENCE);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            now = guard;
            if timeout.timed_out() {
                return;
            }
        }
    }
}

/// Waits while a pause lasts.
fn wait(shared: &(Mutex<State>, Condvar)) -> bool {
    let (state, changed) = shared;
    let mut now = state.lock().unwrap_or_else(PoisonError::into_inner);
    while *now != State::Reading {
        *now = State::Paused;
        changed.notify_all();
        now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
    }
    true
}
