//! A terminal with the program in it: what is typed goes in, what is shown is read off a screen. Waits for what is to be seen,
//! never for time.

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Terminal {
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    keys: Box<dyn Write + Send>,
    pty: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Runs `secateur tui` in a project.
    pub fn tui(dir: &Path) -> Self {
        Self::run(dir, env!("CARGO_BIN_EXE_secateur"), &["tui"])
    }

    pub fn run(dir: &Path, program: &str, args: &[&str]) -> Self {
        let size = size(120, 40);
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(dir);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        // A home is no project.
        command.env("HOME", "/nonexistent");
        command.env("XDG_CACHE_HOME", crate::support::cache_home());
        command.env("PS1", "ready> ");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen =
            Arc::new((Mutex::new(vt100::Parser::new(cells(40), cells(120), 0)), Condvar::new()));
        let shared = Arc::clone(&screen);
        let mut output = pair.master.try_clone_reader().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal whose programs are gone ends with an error.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shared.0.lock().unwrap().process(&bytes[..count]);
                shared.1.notify_all();
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { screen, keys, pty: pair.master, child }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.screen.0.lock().unwrap().screen().contents()
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Clicks on the beginning of a text.
    pub fn click(&mut self, text: &str) {
        self.mouse(0, text);
    }

    /// Presses a button of the mouse on the beginning of a text, as terminals tell it (SGR): 0 is the left one, 65 the wheel.
    pub fn mouse(&mut self, button: u8, text: &str) {
        self.wait(text);
        let screen = self.text();
        let found = screen.lines().enumerate().find_map(|(row, line)| {
            let column = line[..line.find(text)?].chars().count();
            Some((row + 1, column + 1))
        });
        let (row, column) = found.unwrap();
        self.press(&format!("\u{1b}[<{button};{column};{row}M"));
        // A wheel is not released.
        if button < 64 {
            self.press(&format!("\u{1b}[<{button};{column};{row}m"));
        }
    }

    /// Waits until a text is on the screen.
    pub fn wait(&self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    pub fn wait_until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let begin = Instant::now();
        let mut parser = self.screen.0.lock().unwrap();
        while !is_so(parser.screen()) {
            let shown = parser.screen().contents();
            assert!(begin.elapsed() < PATIENCE, "waited for {what}; there is\n{shown}");
            parser = self.screen.1.wait_timeout(parser, Duration::from_millis(100)).unwrap().0;
        }
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        self.screen.0.lock().unwrap().screen_mut().set_size(cells(lines), cells(columns));
        self.pty.resize(size(columns, lines)).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the end of the program.
    pub fn end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end; there is\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the terminal is as it was before: its own screen, a cursor, no mouse. What a program wrote last is read after
    /// its end.
    pub fn wait_until_restored(&self) {
        self.wait_until("the terminal as it was", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(columns: u16, lines: u16) -> PtySize {
    PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 }
}
