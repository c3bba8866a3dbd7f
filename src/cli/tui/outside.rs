//! What the screen asks for, carried out: files read, decisions kept, commands run; the rest goes to the worker.

use super::super::args::Tui;
use super::super::context::Context;
use super::super::interactive::editor_at;
use super::worker::{Request, Worker};
use super::{DECISIONS, Incoming, watch};
use crate::edits::Records;
use crate::error::Result;
use crate::source::ProjectPath;
use crate::tui::{Decision, Effect, Message};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;

/// Longer files are not shown.
const MAX_BYTES: u64 = 4 << 20;

/// Everything outside of the screen.
pub(super) struct Outside {
    root: PathBuf,
    records: Records,
    editor: OsString,
    worker: Worker,
    sender: Sender<Incoming>,
}

impl Outside {
    pub(super) fn new(
        args: &Tui,
        context: &Context<'_>,
        root: PathBuf,
        records: Records,
        sender: Sender<Incoming>,
    ) -> Result<Self> {
        let worker = Worker::new(args.patterns.clone(), context, sender.clone())?;
        Ok(Self { root, records, editor: context.editor().to_owned(), worker, sender })
    }

    /// Begins to analyse and to watch.
    pub(super) fn begin(&mut self) {
        self.worker.ask(Request::Analyse);
        watch::watch(self.root.clone(), self.sender.clone());
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Quit | Effect::Edit(..) => {}
            Effect::Analyse => self.worker.ask(Request::Analyse),
            Effect::Cancel => self.worker.cancel(),
            Effect::Prefer(prints) => self.worker.ask(Request::Prefer(prints)),
            Effect::Read(path) => {
                let text = read(&self.root, &path);
                self.say(Message::Text(path, text));
            }
            Effect::Save(entries) => {
                if let Err(error) = self.save(&entries) {
                    self.say(Message::Notice(format!("decisions are not kept: {error}")));
                }
            }
            Effect::Combine { accepted, kept, .. } => {
                self.worker.ask(Request::Combine { accepted, kept });
            }
            Effect::Apply(preview) => self.worker.ask(Request::Apply(preview)),
            Effect::TakeBack(batch) => self.worker.ask(Request::TakeBack(batch)),
            Effect::Export { directory, accepted } => {
                let directory = self.root.join(directory);
                self.worker.ask(Request::Export { directory, accepted });
            }
            Effect::Verify(command) => verify(&self.root, &command, &self.sender),
        }
    }

    /// Opens the editor and waits.
    pub(super) fn edit(&self, path: &str, line: u32) -> std::result::Result<(), String> {
        let name = self.editor.to_string_lossy();
        let status = editor_at(&self.editor, path, line).current_dir(&self.root).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{name}` failed: {status}")),
            Err(error) => Err(format!("`{name}` cannot be run: {error}; set $EDITOR")),
        }
    }

    fn say(&self, message: Message) {
        self.sender.send(Incoming::Message(message)).ok();
    }

    fn save(&self, entries: &BTreeMap<String, Decision>) -> Result<()> {
        let text = serde_json::to_vec_pretty(entries).unwrap_or_default();
        self.records.write(DECISIONS, &text)
    }
}

#[expect(clippy::disallowed_methods, reason = "what the screen shows is read for it")]
fn read(root: &Path, path: &ProjectPath) -> Option<Arc<str>> {
    let path = root.join(path.as_str());
    let size = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
    if size > MAX_BYTES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into())
}

/// Runs a command by the shell, and says what it says.
#[expect(clippy::disallowed_methods, reason = "the user says what is run")]
fn verify(root: &Path, command: &str, sender: &Sender<Incoming>) {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec 2>&1\n{command}")).current_dir(root);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let sender = sender.clone();
    thread::spawn(move || {
        let say = |message: Message| sender.send(Incoming::Message(message)).ok();
        let result = shell.spawn().map_err(|error| error.to_string()).and_then(|mut child| {
            let lines = child.stdout.take().map(BufReader::new).into_iter();
            for line in lines.flat_map(|reader| reader.split(b'\n').map_while(std::io::Result::ok))
            {
                say(Message::Output(String::from_utf8_lossy(&line).into_owned()));
            }
            match child.wait() {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(format!("the command failed: {status}")),
                Err(error) => Err(error.to_string()),
            }
        });
        say(Message::Verified(result));
    });
}
