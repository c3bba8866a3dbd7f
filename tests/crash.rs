//! A process that is killed while it writes: every file is old or new, and the batch can be taken back or finished.
//! `KILLS=200 cargo test crash -- --nocapture` kills as often as it says, and shows where it hit.

use crate::apply::{change, snapshot};
use crate::support::Project;
use secateur::cli::Exit;
use secateur::edits::{self, BatchInfo, BatchState, FileChange};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 500;
const READY: &str = "ready to be killed";

type Snapshot = BTreeMap<String, (u32, Vec<u8>)>;

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to a bit more than `longest`, so that some batches end before they are killed.
    fn duration(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(f64::from((self.next() % 1100) as u32) / 1000.0)
    }
}

fn changes() -> Vec<FileChange> {
    let path = |number| format!("package{}/file {number}.py", number % 40);
    let change = |number: usize| {
        let after = (!number.is_multiple_of(10)).then(|| format!("new {number}\n"));
        change(&path(number), &format!("old {number}\r\n"), after.as_deref())
    };
    (0..FILES).map(change).collect()
}

fn info() -> BatchInfo {
    BatchInfo { title: "crash".to_owned(), remove_empty_dirs: true }
}

/// Runs in a process of its own, which is killed.
#[test]
fn child_that_is_killed() {
    let Some(root) = std::env::var_os("SECATEUR_TEST_CRASH") else { return };
    let root = Path::new(&root);
    let is_undo = std::env::var_os("SECATEUR_TEST_UNDO").is_some();
    let changes = changes();
    println!("\n{READY}");
    if is_undo {
        edits::undo(root, None).unwrap();
    } else {
        edits::apply(root, &changes, &info()).unwrap();
    }
}

/// Starts the child, and returns when it begins to write.
fn start(root: &Path, is_undo: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child_that_is_killed", "--nocapture", "--test-threads=1"]);
    command.env("SECATEUR_TEST_CRASH", root).stdout(Stdio::piped()).stderr(Stdio::null());
    if is_undo {
        command.env("SECATEUR_TEST_UNDO", "1");
    }
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != READY {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the child ended early");
    }
    // A child that nobody listens to would fail.
    child.stdout = Some(out.into_inner());
    child
}

/// Starts the child and kills it after `wait`.
fn kill(root: &Path, is_undo: bool, wait: Duration) {
    let mut child = start(root, is_undo);
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// How long the child takes when it is left alone.
fn measure(root: &Path, is_undo: bool) -> Duration {
    let mut child = start(root, is_undo);
    let begin = Instant::now();
    assert!(child.wait().unwrap().success());
    begin.elapsed()
}

fn is_temporary(path: &str) -> bool {
    path.rsplit('/').next().unwrap().starts_with(".secateur-")
}

/// Every file is old or new as a whole; nothing else is there but what recovery removes.
fn check_halves(found: &Snapshot, old: &Snapshot, new: &Snapshot) {
    for (path, file) in found.iter().filter(|(path, _)| !is_temporary(path)) {
        let known = old.get(path) == Some(file) || new.get(path) == Some(file);
        assert!(known, "{path} is neither old nor new");
    }
    for path in new.keys() {
        assert!(found.contains_key(path), "{path} is lost");
    }
}

/// What a kill interrupted.
fn hit(state: Option<BatchState>, found: &Snapshot, old: &Snapshot) -> &'static str {
    let is_old = || old.iter().all(|(path, file)| found.get(path) == Some(file));
    match state {
        None | Some(BatchState::Undone) => "before the journal",
        Some(BatchState::Applied) => "after the end",
        _ if is_old() => "before the first file",
        _ => "among the files",
    }
}

fn state(root: &Path) -> Option<BatchState> {
    edits::batches(root).unwrap().last().map(|batch| batch.state)
}

fn run(project: &Project, command: &str) {
    let outcome = project.secateur(command);
    assert_eq!(outcome.exit, Exit::Clean, "{}", outcome.err);
}

#[test]
fn a_killed_process_leaves_each_file_old_or_new() {
    let kills = std::env::var("KILLS").map_or(6, |kills| kills.parse().unwrap());
    let mut random = Random(0x5eca_7e02);
    let project = Project::new("");
    let root = &project.path("");
    for FileChange { path, before, .. } in changes() {
        project.add(path.as_str(), std::str::from_utf8(&before).unwrap());
    }
    let old = snapshot(root);
    let apply_time = measure(root, false);
    let new = snapshot(root);
    let undo_time = measure(root, true);
    assert_eq!(snapshot(root), old);
    fs::remove_dir_all(project.path(".secateur")).unwrap();
    let mut hits = BTreeMap::<&str, usize>::new();
    let is_between = |hits: &BTreeMap<&str, usize>| {
        hits.keys().any(|hit| hit.ends_with("file") || hit.ends_with("files"))
    };
    // Until one hits between the files, whatever else the machine is doing.
    let mut rounds = 0;
    while rounds < kills || !is_between(&hits) {
        rounds += 1;
        assert!(rounds < 100 * kills, "{hits:?}");
        kill(root, false, random.duration(apply_time));
        let found = snapshot(root);
        check_halves(&found, &old, &new);
        *hits.entry(hit(state(root), &found, &old)).or_default() += 1;
        if state(root) == Some(BatchState::Applying) && random.next().is_multiple_of(2) {
            run(&project, "undo --finish");
            assert_eq!(snapshot(root), new);
        }
        let is_undone = || state(root).is_none_or(|state| state == BatchState::Undone);
        if !is_undone() && random.next().is_multiple_of(3) {
            kill(root, true, random.duration(undo_time));
            check_halves(&snapshot(root), &old, &new);
            *hits.entry("in undo").or_default() += 1;
        }
        if !is_undone() {
            run(&project, "undo");
        }
        assert_eq!(snapshot(root), old);
        // Each round begins as the one that was measured.
        if project.path(".secateur").exists() {
            fs::remove_dir_all(project.path(".secateur")).unwrap();
        }
    }
    println!("apply {apply_time:?}, undo {undo_time:?}, {rounds} kills: {hits:?}");
}
