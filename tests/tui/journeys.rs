//! Whole sessions in a terminal, on copies of the sample repositories, that end with the files as they are meant to be.

use super::terminal::Terminal;
use crate::support::{files_below, repository};
use rustix::process::Signal;
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// How the header says that nothing is left to do.
const DONE: &str = "up to date";

struct Copy {
    dir: TempDir,
    of: String,
}

impl Copy {
    fn of(name: &str) -> Self {
        let of = format!("sample-repos/{name}");
        let dir = tempfile::tempdir().unwrap();
        for file in files_below(&of) {
            let to = dir.path().join(file.strip_prefix(&format!("{of}/")).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(repository().join(&file), to).unwrap();
        }
        Self { dir, of }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The lines that went and came, by file.
    fn changes(&self) -> String {
        let mut text = String::new();
        for file in files_below(&self.of) {
            let name = file.strip_prefix(&format!("{}/", self.of)).unwrap();
            let before = fs::read(repository().join(&file)).unwrap();
            let Ok(after) = fs::read(self.path().join(name)) else {
                writeln!(text, "{name} is gone").unwrap();
                continue;
            };
            let [before, after] = [&before, &after].map(|bytes| String::from_utf8_lossy(bytes));
            for line in TextDiff::from_lines(&*before, &*after).iter_all_changes() {
                match line.tag() {
                    ChangeTag::Equal => {}
                    tag => write!(text, "{name}: {tag}{line}").unwrap(),
                }
            }
        }
        text
    }
}

fn settled(copy: &Copy) -> Terminal {
    let terminal = Terminal::tui(copy.path());
    terminal.wait(DONE);
    terminal
}

/// Shows what passes a filter, with the first finding at hand.
fn filter(terminal: &mut Terminal, text: &str) {
    terminal.press("/");
    terminal.wait("show only");
    terminal.press(&format!("{text}\r"));
    terminal.wait(&format!("filter: {text}"));
    // Past the package and the target.
    terminal.press("\u{1b}[Hjj");
}

fn quit(mut terminal: Terminal) {
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(terminal.is_restored(), "{}", terminal.text());
}

fn triage(name: &str, filtered: &str) -> (Copy, String) {
    let copy = Copy::of(name);
    let mut terminal = settled(&copy);
    filter(&mut terminal, filtered);
    terminal.press("   ");
    terminal.wait("3 accepted");
    terminal.press("r");
    terminal.wait("why is it right");
    terminal.press("loaded by the plugin host\r");
    terminal.wait("1 kept");
    terminal.press("p");
    terminal.wait("findings settled");
    assert_eq!(copy.changes(), "", "nothing is written before it is said");
    terminal.press("\r");
    terminal.wait("written: ");
    let changes = copy.changes();
    terminal.wait(DONE);
    terminal.press("U");
    terminal.wait("as they were before");
    assert_eq!(copy.changes(), "", "taken back");
    terminal.press("q");
    terminal.wait("filter: ");
    quit(terminal);
    (copy, changes)
}

#[test]
fn decisions_are_previewed_written_and_taken_back_in_ml_monorepo() {
    let (_, changes) = triage("ml-monorepo", "check:unused-dep is:safe");
    insta::assert_snapshot!(changes);
}

#[test]
fn decisions_are_previewed_written_and_taken_back_in_fbcode_export() {
    let (_, changes) = triage("fbcode-export", "is:safe");
    insta::assert_snapshot!(changes);
}

#[test]
fn decisions_are_there_again_after_the_end_and_after_a_kill() {
    let copy = Copy::of("ml-monorepo");
    let mut terminal = settled(&copy);
    filter(&mut terminal, "is:safe");
    terminal.press("  ");
    terminal.wait("2 accepted");
    quit(terminal);
    let mut terminal = settled(&copy);
    terminal.wait("2 accepted");
    filter(&mut terminal, "is:safe is:open");
    terminal.press(" ");
    terminal.wait("3 accepted");
    terminal.press("u");
    terminal.wait("2 accepted");
    terminal.press("\u{12}");
    terminal.wait("3 accepted");
    terminal.signal(Signal::KILL);
    terminal.end();
    let terminal = settled(&copy);
    terminal.wait("3 accepted");
    quit(terminal);
    assert_eq!(copy.changes(), "");
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written() {
    let copy = Copy::of("ml-monorepo");
    let mut terminal = settled(&copy);
    filter(&mut terminal, "check:unused-dep is:safe");
    terminal.press(" ");
    terminal.wait("1 accepted");
    terminal.press("p");
    terminal.wait("1 finding settled");
    let file = terminal
        .text()
        .lines()
        .find(|line| line.trim_end().ends_with("/BUCK"))
        .unwrap()
        .trim()
        .to_owned();
    let path = copy.path().join(&file);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("# somebody was here\n");
    fs::write(&path, &text).unwrap();
    terminal.press("\r");
    terminal.wait(&format!("refused: {file}"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "untouched");
    // Once it is read again, the same can be written.
    terminal.wait(DONE);
    terminal.press("q");
    terminal.wait("1 accepted");
    terminal.press("p");
    terminal.wait("1 finding settled");
    terminal.press("\r");
    terminal.wait("written: ");
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.ends_with("# somebody was here\n"));
    assert_eq!(written.lines().count() + 1, text.lines().count());
    terminal.press("q");
    quit(terminal);
}

#[test]
fn the_size_may_change_while_it_reads() {
    let copy = Copy::of("ml-monorepo");
    let terminal = Terminal::tui(copy.path());
    terminal.wait("secateur");
    for (columns, lines) in [(80, 24), (30, 8), (200, 60), (81, 25)] {
        terminal.resize(columns, lines);
    }
    terminal.wait(DONE);
    terminal.wait_until("the footer on the last line", |screen| {
        screen.rows(0, 81).nth(24).is_some_and(|line| line.contains("help"))
    });
    terminal.resize(39, 9);
    terminal.wait("Make it larger");
    terminal.resize(120, 40);
    terminal.wait(DONE);
    quit(terminal);
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_as_it_was() {
    let copy = Copy::of("ml-monorepo");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut terminal = Terminal::tui(copy.path());
        terminal.wait("secateur");
        terminal.signal(signal);
        assert_eq!(terminal.end().exit_code(), 130);
        terminal.wait_until("the terminal as it was", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        });
        assert!(terminal.is_restored());
    }
}

#[test]
fn it_stops_for_the_shell_and_comes_back() {
    let copy = Copy::of("ml-monorepo");
    let mut terminal = Terminal::run(copy.path(), "/bin/sh", &["-i"]);
    terminal.wait("ready> ");
    terminal.press(&format!("{} tui\n", env!("CARGO_BIN_EXE_secateur")));
    terminal.wait(DONE);
    terminal.press("\u{1a}");
    terminal.wait_until("the shell", |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("ready>")
    });
    assert!(terminal.is_restored());
    terminal.press("echo alive$((1 + 1))\n");
    terminal.wait("alive2");
    terminal.press("fg\n");
    terminal.wait(DONE);
    terminal.press("q");
    terminal.wait_until("the shell", |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("ready>")
    });
    terminal.press("exit\n");
    terminal.end();
}
