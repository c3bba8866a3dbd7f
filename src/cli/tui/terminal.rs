//! The terminal: taken, drawn on, and given back whatever happens. Writes to stdout.

use crate::error::{Error, Result};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use std::io::{self, BufWriter, Stdout, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours; a panic gives it back before it says anything.
static IS_OURS: AtomicBool = AtomicBool::new(false);

/// The screen while it is ours.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn open() -> Result<Self> {
        let said = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            said(info);
        }));
        let backend = CrosstermBackend::new(BufWriter::new(io::stdout()));
        take().map_err(failed)?;
        let terminal = Terminal::new(backend).map_err(failed)?;
        Ok(Self { terminal })
    }

    pub(super) fn size(&self) -> Result<(u16, u16)> {
        let size = self.terminal.size().map_err(failed)?;
        Ok((size.width, size.height))
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> Result<()> {
        let drawn = self.terminal.draw(|frame| draw(frame.area(), frame.buffer_mut()));
        drawn.map(drop).map_err(failed)
    }

    /// Gives the terminal to somebody else for a while.
    #[expect(clippy::unused_self, reason = "only who has the screen can leave it")]
    pub(super) fn leave(&mut self) {
        give_back();
    }

    /// Takes it again, with nothing known of what is on it.
    pub(super) fn enter(&mut self) -> Result<()> {
        take().map_err(failed)?;
        // Clearing would ask the terminal where its cursor is, and wait for keys to say so.
        let size = self.terminal.size().map_err(failed)?;
        self.terminal.resize(size.into()).map_err(failed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    IS_OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, Hide)
}

/// Nobody is left to hear of a failure here.
fn give_back() {
    if IS_OURS.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        execute!(out, DisableMouseCapture, LeaveAlternateScreen, Show).ok();
        disable_raw_mode().ok();
        out.flush().ok();
    }
}

fn failed(error: io::Error) -> Error {
    Error::new("the terminal cannot be drawn on").cause(error)
}
