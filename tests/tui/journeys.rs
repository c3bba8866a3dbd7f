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

/// A sample, a filter that leaves findings to accept, and how many rows below the first the first of them is.
type Sample = (&'static str, &'static str, usize);

const SAMPLES: [Sample; 2] = [
    ("ml-monorepo", "check:unused-dep is:safe", 1),
    ("fbcode-export", "is:proven conf:certain", 0),
];

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

/// Shows what passes a filter, with the first finding at hand, so many rows below the first.
fn filter(terminal: &mut Terminal, text: &str, below: usize) {
    terminal.press("/");
    terminal.wait("show only");
    terminal.press(&format!("{text}\r"));
    terminal.wait(&format!("filter: {text}"));
    terminal.press("\u{1b}[H");
    terminal.press(&"j".repeat(below));
}

/// A session on a copy of a sample that shows what passes its filter.
fn filtered((name, text, below): Sample) -> (Copy, Terminal) {
    let copy = Copy::of(name);
    let mut terminal = settled(&copy);
    filter(&mut terminal, text, below);
    (copy, terminal)
}

/// The same with the first finding accepted, and before it is written.
fn previewed(sample: Sample) -> (Copy, Terminal) {
    let (copy, mut terminal) = filtered(sample);
    terminal.press(" ");
    terminal.wait("1 accepted");
    terminal.press("p");
    terminal.wait("1 finding settled");
    (copy, terminal)
}

fn quit(mut terminal: Terminal) {
    terminal.press("q");
    assert!(terminal.end().success());
    terminal.wait_until_restored();
}

fn triage(sample: Sample) -> String {
    let (copy, mut terminal) = filtered(sample);
    terminal.press("   ");
    terminal.wait("3 accepted");
    terminal.press("r");
    terminal.wait("why is it right");
    terminal.press("loaded by the plugin host\r");
    terminal.wait("3 accepted  · 1 kept");
    terminal.press("p");
    terminal.wait("4 findings settled");
    assert_eq!(copy.changes(), "", "nothing is written before it is said");
    terminal.press("\r");
    terminal.wait("written: ");
    let changes = copy.changes();
    terminal.wait(DONE);
    terminal.press("U");
    terminal.wait("before");
    assert_eq!(copy.changes(), "", "taken back");
    terminal.press("q");
    terminal.wait("filter: ");
    quit(terminal);
    changes
}

#[test]
fn decisions_are_previewed_written_and_taken_back_in_ml_monorepo() {
    insta::assert_snapshot!(triage(SAMPLES[0]));
}

#[test]
fn decisions_are_previewed_written_and_taken_back_in_fbcode_export() {
    insta::assert_snapshot!(triage(SAMPLES[1]));
}

#[test]
fn a_batch_is_not_taken_back_over_what_somebody_wrote_since() {
    for sample in SAMPLES {
        let (copy, mut terminal) = previewed(sample);
        terminal.press("\r");
        terminal.wait("written: ");
        let file = line_with(&terminal, "written: ").replace("written: ", "");
        terminal.wait(DONE);
        let path = copy.path().join(&file);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("# somebody was here\n");
        fs::write(&path, &text).unwrap();
        terminal.press("U");
        terminal.wait(&format!("refused: {file}"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "untouched");
        terminal.press("q");
        quit(terminal);
    }
}

#[test]
fn patches_are_written_instead() {
    let (copy, mut terminal) = previewed(SAMPLES[0]);
    terminal.press("e");
    terminal.wait("directory for patches");
    terminal.press("\r");
    terminal.wait("1 patch in ");
    assert_eq!(copy.changes(), "", "the files are as they were");
    let names: Vec<_> = fs::read_dir(copy.path().join("patches")).unwrap().collect();
    let patch = names.into_iter().map(|entry| entry.unwrap().path());
    let patch = patch.filter(|path| path.extension().is_some_and(|it| it == "patch"));
    let patches: Vec<String> = patch.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(patches.len(), 1);
    assert!(patches[0].contains("\n-            \"//eta/models:linear\",\n"), "{}", patches[0]);
    terminal.press("q");
    quit(terminal);
}

#[test]
fn a_command_that_fails_after_writing_is_told_and_the_batch_can_go() {
    let (copy, mut terminal) = previewed(SAMPLES[0]);
    terminal.press("v");
    terminal.wait("command to run");
    terminal.press("grep -c eta/models:linear eta/training/BUCK; echo it is $((40 + 2)); exit 3\r");
    terminal.wait("Afterwards runs: grep");
    terminal.press("\r");
    terminal.wait("it is 42");
    terminal.wait("exit status: 3; `U` takes back");
    terminal.wait(DONE);
    terminal.press("U");
    terminal.wait("before");
    assert_eq!(copy.changes(), "", "taken back");
    terminal.press("q");
    quit(terminal);
}

#[test]
fn keys_are_those_of_the_settings() {
    let copy = Copy::of("ml-monorepo");
    let settings = copy.path().join("secateur.toml");
    let mut text = fs::read_to_string(&settings).unwrap_or_default();
    text.push_str("\n[tui.keys]\naccept = [\"ctrl-y\"]\nquit = [\"X\"]\n");
    fs::write(&settings, text).unwrap();
    let mut terminal = settled(&copy);
    terminal.wait("ctrl-y accept");
    filter(&mut terminal, "check:unused-dep is:safe", 1);
    terminal.press(" ");
    terminal.press("\u{19}");
    terminal.wait("1 accepted");
    terminal.press("q");
    terminal.press("u");
    terminal.wait("0 accepted");
    terminal.press("X");
    assert!(terminal.end().success());
}

#[test]
fn the_mouse_chooses_and_scrolls() {
    let (_copy, mut terminal) = filtered(("ml-monorepo", "check:unused-dep is:safe", 0));
    terminal.click(":optim unused-dep");
    terminal.wait("nothing in `root//eta/training:optim` uses");
    terminal.click("2 Diff");
    terminal.wait("@@ -");
    terminal.click("4 Source");
    terminal.wait("eta/training/BUCK:13");
    let first = line_with(&terminal, "      1 ");
    terminal.mouse(65, "python_library");
    terminal.wait_until("lines below", |screen| !screen.contents().contains(&first));
    quit(terminal);
}

/// The line of the screen that has a text, without what is around it.
fn line_with(terminal: &Terminal, text: &str) -> String {
    let screen = terminal.text();
    screen.lines().find(|line| line.contains(text)).unwrap().trim().to_owned()
}

#[test]
fn decisions_are_there_again_after_the_end_and_after_a_kill() {
    for sample in SAMPLES {
        let (copy, mut terminal) = filtered(sample);
        terminal.press("  ");
        terminal.wait("2 accepted");
        quit(terminal);
        let mut terminal = settled(&copy);
        terminal.wait("2 accepted");
        let (_, text, below) = sample;
        filter(&mut terminal, &format!("{text} is:open"), below);
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
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written() {
    for sample in SAMPLES {
        let (copy, mut terminal) = previewed(sample);
        let file = terminal
            .text()
            .lines()
            .find(|line| ["/BUCK", "/TARGETS"].iter().any(|end| line.trim_end().ends_with(end)))
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
        assert_ne!(written, text);
        terminal.press("q");
        quit(terminal);
    }
}

#[test]
fn the_size_may_change_while_it_reads() {
    for (name, ..) in SAMPLES {
        let copy = Copy::of(name);
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
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_as_it_was() {
    let copy = Copy::of("ml-monorepo");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut terminal = Terminal::tui(copy.path());
        terminal.wait("secateur");
        terminal.signal(signal);
        assert_eq!(terminal.end().exit_code(), 130);
        terminal.wait_until_restored();
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
    terminal.wait_until_restored();
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
