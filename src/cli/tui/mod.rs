//! `secateur tui`: the terminal, threads and files around the pure screen of `crate::tui`.
//!
//! One thread draws and updates. Others read keys, tick, watch files, and analyse; all of them send to one channel.

mod keys;
mod outside;
mod terminal;
mod watch;
mod worker;

use super::args::Tui;
use super::context::Context;
use super::exit::Exit;
use super::surroundings::Color;
use crate::edits::Records;
use crate::error::{Error, Result};
use crate::tui::{Colors, Decision, Decisions, Keymap, Look, Message, Model, draw, input, update};
use keys::Keys;
use outside::Outside;
use ratatui::crossterm::event::{Event, KeyCode, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use terminal::Screen;

/// Where decisions are kept, below `.secateur`.
const DECISIONS: &str = "decisions.json";
/// How often what moves by itself moves.
const TICK: Duration = Duration::from_millis(120);

/// What reaches the thread that draws.
enum Incoming {
    /// The terminal says something.
    Terminal(Event),
    /// Something else happened.
    Message(Message),
    /// The process is to end, or to stop for a while.
    Signal(i32),
}

pub(super) fn run(args: &Tui, context: &mut Context<'_>) -> Result<Exit> {
    if !context.is_interactive() {
        let error = Error::new("the terminal UI needs a terminal");
        return Err(
            error.hint("`secateur lint` says the same in lines, and `codemod` makes the fixes")
        );
    }
    let root = context.project_root()?;
    let records = Records::open(&root)?;
    let workspace = context.open()?;
    let keymap = Keymap::with(&workspace.settings.tui.keys)
        .map_err(|problem| Error::new(format!("`tui.keys`: {problem}")))?;
    drop(workspace);
    let decisions = read_decisions(&records)?;
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let model = Model::new(name.unwrap_or_default(), context.today(), keymap, decisions);
    let (sender, incoming) = channel();
    let screen = Screen::open()?;
    let outside = Outside::new(args, context, root, records, sender.clone())?;
    let keys = Keys::listen(sender.clone());
    listen(&sender)?;
    let look = look(context);
    Session { model, look, screen, outside, keys }.run(&incoming)
}

fn look(context: &Context<'_>) -> Look {
    let colors = match (context.terminal_color(), context.has_true_color()) {
        (Color::Never, _) => Colors::None,
        (_, true) => Colors::True,
        (_, false) => Colors::Sixteen,
    };
    Look { colors, ascii: context.is_ascii() }
}

fn read_decisions(records: &Records) -> Result<Decisions> {
    let Some(bytes) = records.read(DECISIONS)? else { return Ok(Decisions::default()) };
    let entries: std::result::Result<BTreeMap<String, Decision>, _> =
        serde_json::from_slice(&bytes);
    let entries = entries.map_err(|error| {
        let text = format!("the decisions of the last session cannot be read: {error}");
        Error::new(text).at(format!(".secateur/{DECISIONS}")).hint("mend the file, or delete it")
    })?;
    Ok(Decisions::new(entries))
}

/// Listens to signals and lets time pass.
fn listen(sender: &Sender<Incoming>) -> Result<()> {
    let signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP]);
    let mut signals =
        signals.map_err(|error| Error::new("cannot listen to signals").cause(error))?;
    let to = sender.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if to.send(Incoming::Signal(signal)).is_err() {
                return;
            }
        }
    });
    let to = sender.clone();
    thread::spawn(move || {
        while to.send(Incoming::Message(Message::Tick)).is_ok() {
            thread::sleep(TICK);
        }
    });
    Ok(())
}

/// A screen in use.
struct Session {
    model: Model,
    look: Look,
    screen: Screen,
    outside: Outside,
    keys: Keys,
}

/// What comes after a message.
enum Next {
    Go,
    End(Exit),
}

impl Session {
    fn run(mut self, incoming: &Receiver<Incoming>) -> Result<Exit> {
        let (columns, lines) = self.screen.size()?;
        update(&mut self.model, Message::Resize(columns, lines));
        self.draw()?;
        self.outside.begin();
        while let Ok(first) = incoming.recv() {
            // Whatever has come in meanwhile is drawn at once.
            let mut is_idle = true;
            for one in std::iter::once(first).chain(incoming.try_iter()) {
                let is_tick = matches!(one, Incoming::Message(Message::Tick));
                is_idle &= is_tick && !self.model.stage.is_busy();
                if let Next::End(exit) = self.take(one)? {
                    return Ok(exit);
                }
            }
            if !is_idle {
                self.draw()?;
            }
        }
        Ok(Exit::Clean)
    }

    fn take(&mut self, incoming: Incoming) -> Result<Next> {
        let message = match incoming {
            Incoming::Message(message) => message,
            Incoming::Signal(SIGTSTP) => return self.suspend(),
            Incoming::Signal(_) => return Ok(Next::End(Exit::Interrupted)),
            Incoming::Terminal(event) => {
                if is_suspend(&event) {
                    return self.suspend();
                }
                let Some(message) = input::message_of(&self.model, &event) else {
                    return Ok(Next::Go);
                };
                message
            }
        };
        for effect in update(&mut self.model, message) {
            match effect {
                crate::tui::Effect::Quit => return Ok(Next::End(Exit::Clean)),
                crate::tui::Effect::Edit(path, line) => self.edit(path.as_str(), line)?,
                effect => self.outside.carry_out(effect),
            }
        }
        Ok(Next::Go)
    }

    fn draw(&mut self) -> Result<()> {
        let (model, look) = (&self.model, self.look);
        self.screen.draw(|area, buffer| draw(model, look, area, buffer))
    }

    /// Gives the terminal back until the shell wakes us.
    fn suspend(&mut self) -> Result<Next> {
        self.keys.pause(true);
        self.screen.leave();
        let stopped = signal_hook::low_level::emulate_default_handler(SIGTSTP);
        self.screen.enter()?;
        self.keys.pause(false);
        stopped.map_err(|error| Error::new("cannot stop").cause(error))?;
        let (columns, lines) = self.screen.size()?;
        update(&mut self.model, Message::Resize(columns, lines));
        Ok(Next::Go)
    }

    fn edit(&mut self, path: &str, line: u32) -> Result<()> {
        self.keys.pause(true);
        self.screen.leave();
        let ended = self.outside.edit(path, line);
        self.screen.enter()?;
        self.keys.pause(false);
        let message = match ended {
            Ok(()) => Message::Reanalyse,
            Err(reason) => Message::Notice(reason),
        };
        for effect in update(&mut self.model, message) {
            self.outside.carry_out(effect);
        }
        Ok(())
    }
}

fn is_suspend(event: &Event) -> bool {
    matches!(event, Event::Key(key) if key.code == KeyCode::Char('z')
        && key.modifiers.contains(KeyModifiers::CONTROL))
}
