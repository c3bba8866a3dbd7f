//! A program run in a process group of its own, which ends in time or is stopped as a whole. Starts processes, and listens to
//! signals.

use crate::error::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a program that is told to end may take, in steps of this length.
const GRACE_STEPS: usize = 50;
const GRACE_STEP: Duration = Duration::from_millis(100);
/// A program that may take as long as it likes.
const FOREVER: Duration = Duration::from_secs(u64::MAX >> 32);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeded,
    Failed,
    TimedOut,
    /// The user stopped us, and we it.
    Interrupted,
}

enum Event {
    Signal,
    Ended(io::Result<ExitStatus>),
}

/// Runs programs one after the other. From its first use on, signals no longer end this process but the program it runs.
pub(super) struct Runner {
    events: Receiver<Event>,
    sender: Sender<Event>,
}

impl Runner {
    pub(super) fn new() -> Result<Self> {
        let (sender, events) = channel();
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
        let mut signals =
            signals.map_err(|error| Error::new("cannot listen to signals").cause(error))?;
        let to = sender.clone();
        thread::spawn(move || {
            let mut signals = signals.forever();
            while signals.next().is_some() && to.send(Event::Signal).is_ok() {}
        });
        Ok(Self { events, sender })
    }

    /// Runs a command by the shell in `dir`; what it says goes to `log`.
    #[expect(clippy::disallowed_methods, reason = "the user says what is run")]
    pub(super) fn run(
        &self,
        arguments: &[&str],
        dir: &Path,
        log: File,
        timeout: Option<Duration>,
    ) -> Result<Ending> {
        if self.events.try_recv().is_ok() {
            return Ok(Ending::Interrupted);
        }
        let failed = |error| Error::new("`sh` cannot be run").cause(error);
        let copy = log.try_clone().map_err(failed)?;
        let mut command = Command::new("sh");
        command.args(arguments).current_dir(dir).process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(copy);
        let mut child = command.spawn().map_err(failed)?;
        let group = group(&child);
        let sender = self.sender.clone();
        thread::spawn(move || sender.send(Event::Ended(child.wait())));
        let ending = match self.events.recv_timeout(timeout.unwrap_or(FOREVER)) {
            Ok(Event::Ended(status)) => {
                let status = status.map_err(failed)?;
                return Ok(if status.success() { Ending::Succeeded } else { Ending::Failed });
            }
            Ok(Event::Signal) | Err(RecvTimeoutError::Disconnected) => Ending::Interrupted,
            Err(RecvTimeoutError::Timeout) => Ending::TimedOut,
        };
        stop(group);
        while let Ok(Event::Signal) = self.events.recv() {}
        Ok(ending)
    }
}

/// Runs a program to its end: whether it succeeded, and what it wrote to stdout. The rest goes where ours goes. It is in
/// our own process group, so that whoever interrupts us interrupts it.
#[expect(clippy::disallowed_methods, reason = "the user says what is run")]
pub(super) fn output(
    program: &Path,
    arguments: &[OsString],
    dir: &Path,
) -> Result<(bool, Vec<u8>)> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output();
    let output = output.map_err(|error| {
        Error::new(format!("`{}` cannot be run", program.display())).cause(error)
    })?;
    Ok((output.status.success(), output.stdout))
}

fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Asks a group of processes to end, and after a while ends it.
fn stop(group: Option<Pid>) {
    let Some(group) = group else { return };
    // A group that is gone is what we want.
    kill_process_group(group, Signal::TERM).ok();
    for _ in 0..GRACE_STEPS {
        if test_kill_process_group(group).is_err() {
            return;
        }
        thread::sleep(GRACE_STEP);
    }
    kill_process_group(group, Signal::KILL).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn run(script: &str, timeout: Option<Duration>) -> (Ending, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        #[expect(clippy::disallowed_methods, reason = "tests make files")]
        let log = File::create(&path).unwrap();
        let ending = Runner::new().unwrap().run(&["-c", script], dir.path(), log, timeout).unwrap();
        #[expect(clippy::disallowed_methods, reason = "tests read files")]
        (ending, fs::read_to_string(path).unwrap())
    }

    #[test]
    fn both_streams_go_to_the_log() {
        assert_eq!(run("echo a; echo b >&2", None), (Ending::Succeeded, "a\nb\n".to_owned()));
        assert_eq!(run("exit 3", None).0, Ending::Failed);
    }

    #[test]
    fn a_group_ends_as_a_whole_when_its_time_is_over() {
        // The one in the background would hold the pipe that `cat` reads, were it left alone.
        let script = "(sleep 60; echo late) & sleep 60";
        let (ending, log) = run(script, Some(Duration::from_millis(200)));
        assert_eq!((ending, log.as_str()), (Ending::TimedOut, ""));
    }

    #[test]
    fn a_signal_interrupts() {
        let runner = Runner::new().unwrap();
        runner.sender.send(Event::Signal).unwrap();
        let file = tempfile::tempfile().unwrap();
        let ending = runner.run(&["-c", "sleep 60"], Path::new("/"), file, None).unwrap();
        assert_eq!(ending, Ending::Interrupted);
    }
}
