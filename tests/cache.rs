//! What is kept between runs changes no byte of any result: not when it is there, not when it is damaged, not when files change.

use crate::culprits::copy;
use crate::since::git as git_in;
use crate::support::{Outcome, Project, now, repository, secateur_in};
use proptest::prelude::*;
use secateur::cache::Cache;
use secateur::cli::Surroundings;
use secateur::graph;
use secateur::progress::Progress;
use secateur::source::ProjectPath;
use secateur::workspace::{Content, Environment, Files, Overrides, Workspace};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const COMMANDS: [&str; 6] = [
    "lint --format json",
    "lint",
    "graph --of targets",
    "graph --of modules",
    "cost --commits 0",
    "doctor",
];

/// A project, and a directory for what is kept of it.
struct Kept {
    project: Project,
    home: TempDir,
    /// Pretends that so much time went by since the files were written.
    later: Duration,
}

impl Kept {
    fn of_sample(name: &str) -> Self {
        let project = Project::new("");
        copy(&repository().join("sample-repos").join(name), &project.path(""));
        Self { project, home: tempfile::tempdir().unwrap(), later: Duration::from_mins(1) }
    }

    fn run(&self, args: &str) -> Outcome {
        let environment =
            Environment { current_dir: self.project.path(""), ..Environment::default() };
        let (cache_dir, started) = (Some(self.home.path().to_owned()), now() + self.later);
        let given = Surroundings { environment, cache_dir, started, ..Surroundings::default() };
        secateur_in(&given, args)
    }

    fn cold(&self, args: &str) -> Outcome {
        self.run(&format!("--no-cache {args}"))
    }

    fn packs(&self) -> Vec<PathBuf> {
        let below = |dir: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(dir).into_iter().flatten();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let roots = below(&self.home.path().join("secateur"));
        let mut packs: Vec<PathBuf> = roots.iter().flat_map(|root| below(root)).collect();
        packs.sort();
        packs
    }
}

fn with_samples(test: impl Fn(Kept)) {
    ["ml-monorepo", "fbcode-export"].into_iter().for_each(|name| test(Kept::of_sample(name)));
}

#[test]
fn results_are_the_same_with_what_was_kept_and_without() {
    with_samples(|kept| {
        let cold: Vec<Outcome> = COMMANDS.iter().map(|command| kept.cold(command)).collect();
        assert_eq!(kept.packs().len(), 0, "--no-cache writes nothing");
        for _ in 0..2 {
            for (command, cold) in COMMANDS.iter().zip(&cold) {
                assert_eq!(kept.run(command), *cold, "{command}");
            }
        }
        let packs = kept.packs();
        assert!(!packs.is_empty());
        COMMANDS.iter().for_each(|command| drop(kept.run(command)));
        assert_eq!(kept.packs(), packs, "nothing new, nothing written");
    });
}

#[test]
fn what_was_damaged_is_not_there() {
    with_samples(|kept| {
        let cold = kept.cold("lint --format json");
        kept.run("lint");
        let whole: Vec<(PathBuf, Vec<u8>)> =
            kept.packs().into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        let (path, bytes) = &whole[0];
        let flipped = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x40;
            bytes
        };
        let ends = [0, 1, 20, 64, bytes.len() / 2, bytes.len() - 1];
        let cut = ends.iter().map(|end| bytes[..*end].to_vec());
        let step = (bytes.len() / 60).max(1);
        let damaged = cut.chain((0..bytes.len()).step_by(step).map(flipped));
        let foreign = [vec![0xff; bytes.len()], [bytes.as_slice(), b"more"].concat()];
        for bytes in damaged.chain(foreign) {
            kept.packs().iter().for_each(|pack| fs::remove_file(pack).unwrap());
            fs::write(path, bytes).unwrap();
            assert_eq!(kept.run("lint --format json"), cold);
        }
    });
}

#[test]
fn where_nothing_can_be_kept_everything_works_and_says_so_once() {
    let kept = Kept::of_sample("ml-monorepo");
    let cold = kept.cold("lint");
    fs::write(kept.home.path().join("secateur"), "in the way").unwrap();
    assert_eq!(kept.run("lint"), cold);
    let said = kept.run("lint -v").err;
    assert_eq!(said.matches("nothing is kept for later runs: ").count(), 1, "{said}");
    assert_eq!(kept.cold("lint -v").err, "");
    let kept = Kept::of_sample("ml-monorepo");
    kept.run("lint --config project.cache=false");
    assert_eq!(kept.packs().len(), 0);
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let kept = Kept::of_sample("ml-monorepo");
    let cold = kept.cold("lint --format json");
    for round in 0..4 {
        std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..4).map(|_| scope.spawn(|| kept.run("lint --format json"))).collect();
            runs.into_iter().for_each(|run| assert_eq!(run.join().unwrap(), cold));
        });
        kept.project.add("new.py", &"\n".repeat(round));
        assert_eq!(kept.run("graph --of modules"), kept.cold("graph --of modules"));
        fs::remove_file(kept.project.path("new.py")).unwrap();
    }
}

#[test]
fn a_file_that_was_written_just_now_is_looked_at_again() {
    let mut kept = Kept::of_sample("ml-monorepo");
    kept.later = Duration::ZERO;
    for name in ["os", "re", "io", "os", "re"] {
        kept.project.add("app/x.py", &format!("import {name}\n"));
        assert_eq!(kept.run("graph --of modules"), kept.cold("graph --of modules"), "{name}");
    }
}

/// Notes which files are read, and how many packages are evaluated.
struct Noted {
    files: Arc<dyn Files>,
    read: Mutex<BTreeSet<String>>,
    evaluated: Mutex<usize>,
}

impl Files for Noted {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        self.read.lock().unwrap().insert(path.to_string());
        self.files.read(path)
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        let content = self.files.content(path)?;
        if content.bytes.is_some() {
            self.read.lock().unwrap().insert(path.to_string());
        }
        Ok(content)
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        self.files.exists(path)
    }
}

impl Progress for Noted {
    fn start(&self, stage: &'static str, total: Option<usize>) {
        if stage == "evaluate" {
            *self.evaluated.lock().unwrap() += total.unwrap();
        }
    }

    fn step(&self) {}
}

/// Builds the graph; gives the files that were read, and how many packages were evaluated.
fn work(kept: &Kept) -> (Vec<String>, usize) {
    let environment = Environment { current_dir: kept.project.path(""), ..Environment::default() };
    let mut workspace =
        Workspace::open(Path::new(""), &environment, &Overrides::default()).unwrap();
    let cache = Arc::new(Cache::open(kept.home.path(), now() + kept.later));
    workspace.use_cache(&cache);
    let files = Arc::clone(&workspace.files);
    let noted = Arc::new(Noted { files, read: Mutex::default(), evaluated: Mutex::default() });
    workspace.files = Arc::<Noted>::clone(&noted);
    graph::build(&workspace, &*noted).unwrap();
    cache.save().unwrap();
    let read = noted.read.lock().unwrap().iter().cloned().collect();
    (read, *noted.evaluated.lock().unwrap())
}

#[test]
fn only_what_changed_is_read_and_evaluated() {
    let kept = Kept::of_sample("ml-monorepo");
    let (read, packages) = work(&kept);
    assert!(read.len() > 50 && packages > 10, "{} {packages}", read.len());
    // What is not wholly understood is read for its text, and wheels for the names in them.
    let (always, none) = work(&kept);
    let is_other = |path: &&String| !path.ends_with(".whl");
    assert!(always.iter().filter(is_other).count() <= 2 && none == 0, "{always:?} {none}");
    let changed = |path: &str, text: &str| {
        let file = kept.project.path(path);
        let old = fs::read_to_string(&file).unwrap();
        fs::write(&file, old + text).unwrap();
        let (mut read, evaluated) = work(&kept);
        read.retain(|path| !always.contains(path));
        (read, evaluated)
    };
    let python = "eta/serving/server.py";
    assert_eq!(changed(python, "import json\n"), (vec![python.to_owned()], 0));
    let build = "eta/serving/BUCK";
    assert_eq!(changed(build, "# more\n"), (vec![build.to_owned()], 1));
    let loaded = files(&kept.project.path(""), ".bzl").remove(0);
    let loaded = loaded.strip_prefix(kept.project.path("")).unwrap().to_str().unwrap().to_owned();
    let (read, evaluated) = changed(&loaded, "# more\n");
    assert_eq!(read, [loaded]);
    assert!((1..packages).contains(&evaluated), "{evaluated} of {packages}");
    kept.project.add("eta/serving/new.py", "");
    let (mut read, evaluated) = work(&kept);
    read.retain(|path| !always.contains(path));
    assert_eq!((read, evaluated), (vec!["eta/serving/new.py".to_owned()], 1));
}

/// Many packs become one, and what nobody asks for goes.
#[test]
fn what_is_kept_does_not_grow_without_end() {
    let kept = Kept::of_sample("ml-monorepo");
    let size = |kept: &Kept| -> u64 {
        kept.packs().iter().map(|pack| fs::metadata(pack).unwrap().len()).sum()
    };
    kept.run("graph");
    let first = size(&kept);
    let mut most = 0;
    for round in 0..60 {
        let values: Vec<String> =
            (0..200).map(|number| format!("import m{round}_{number}\n")).collect();
        kept.project.add("app/many.py", &values.concat());
        kept.run("graph");
        most = most.max(kept.packs().len());
    }
    let one = fs::metadata(kept.project.path("app/many.py")).unwrap().len();
    assert!(most <= 8, "{most} packs");
    assert!(size(&kept) < 2 * first + 60 * one * 6, "{first} bytes became {}", size(&kept));
}

#[test]
#[cfg(unix)]
fn git_looks_at_every_file_once_for_each_commit() {
    use std::os::unix::fs::PermissionsExt;
    let kept = Kept::of_sample("ml-monorepo");
    let (dir, bin) = (kept.project.path(""), tempfile::tempdir().unwrap());
    commit(&dir);
    let (git, log) = (bin.path().join("git"), bin.path().join("log"));
    let path = std::env::var("PATH").unwrap();
    let script =
        format!("#!/bin/sh\necho \"$@\" >> {}\nPATH='{path}' exec git \"$@\"\n", log.display());
    fs::write(&git, script).unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |args: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
        command.env("PATH", format!("{}:{path}", bin.path().display()));
        command.env("XDG_CACHE_HOME", kept.home.path()).current_dir(&dir);
        command.args(args.split_whitespace()).output().unwrap().stdout
    };
    // Whether git was asked what is different.
    let is_asked = || {
        fs::write(&log, "").unwrap();
        let found = run("lint --since HEAD");
        let asked = fs::read_to_string(&log).unwrap();
        assert_eq!(found, run("--no-cache lint --since HEAD"));
        asked.lines().any(|line| line.contains(" diff "))
    };
    run("lint");
    let add = |path: &str, line: &str| {
        let text = fs::read_to_string(dir.join(path)).unwrap_or_default();
        fs::write(dir.join(path), text + line).unwrap();
    };
    add("eta/models/mlp.py", "import eta.models.nowhere\n");
    assert!(is_asked(), "nobody has compared with this commit so far");
    add("eta/models/linear.py", "import eta.models.nowhere\n");
    assert!(!is_asked());
    add("eta/models/more.py", "import eta.models.nowhere\n");
    assert!(is_asked(), "a file came");
    add("eta/models/more.py", "import eta.models.elsewhere\n");
    assert!(!is_asked());
    git_in(&dir, &["add", "--all"]);
    assert!(!is_asked());
    // Git says of a file that it need not be there.
    git_in(&dir, &["reset", "--quiet"]);
    fs::write(dir.join(".git/info/exclude"), "more.py\n").unwrap();
    assert!(is_asked(), "it ignores what it did not ignore before");
    assert!(!is_asked());
    fs::write(dir.join(".git/info/exclude"), "").unwrap();
    git_in(&dir, &["add", "--all"]);
    git_in(&dir, &["commit", "--quiet", "--message=x"]);
    add("eta/models/linear.py", "import eta.models.elsewhere\n");
    assert!(is_asked(), "this is another commit");
    add("eta/models/mlp.py", "import eta.models.elsewhere\n");
    assert!(!is_asked());
}

/// One change of the files of a sample.
#[derive(Clone, Debug)]
enum Step {
    /// Adds a line to the file with this number among those of its kind.
    Add(&'static str, usize, &'static str),
    /// A file comes, beside the one with this number.
    Create(usize, &'static str, &'static str),
    /// The file with this number goes.
    Delete(usize),
    /// Two files change places.
    Swap(usize, usize),
    /// Git is told something about the files that are there.
    Git(&'static [&'static str]),
}

const GIT: &[&[&str]] = &[&["add", "--all"], &["reset", "--quiet"]];

fn step() -> impl Strategy<Value = Step> {
    let number = 0..10_000_usize;
    let line = |ending: &'static str, lines: &'static [&'static str]| {
        (0..10_000_usize, prop::sample::select(lines))
            .prop_map(move |(number, line)| Step::Add(ending, number, line))
    };
    let created = prop::sample::select(
        &[
            ("zz_new.py", "import json\n"),
            ("zz_more.py", "from . import zz_new\n"),
            ("BUCK", "python_library(name = \"zz\", srcs = glob([\"*.py\"]))\n"),
            ("TARGETS", "python_library(name = \"zz\", srcs = glob([\"**/*.py\"]))\n"),
            ("PACKAGE", "package(visibility = [\"PUBLIC\"])\n"),
            ("zz.bzl", "def f(**kwargs):\n    native.python_library(**kwargs)\n"),
            ("__init__.py", ""),
            (".gitignore", "zz_*\n"),
        ][..],
    );
    prop_oneof![
        4 => line(".py", &["import zz_new\n", "# nothing\n", "x = (\n", "import os.path\n"]),
        3 => line("BUCK", &[
            "# nothing\n",
            "python_library(name = \"zz1\", srcs = [\"zz_new.py\"])\n",
            "python_library(name = \"zz2\", srcs = glob([\"*.py\"]), deps = [\":zz1\"])\n",
            "load(\":zz.bzl\", \"f\")\nf(name = \"zz3\")\n",
            "fail(\"no\")\n",
        ]),
        1 => line(".bzl", &["# nothing\n", "load(\"//:nowhere.bzl\", \"x\")\n", "y = [1\n"]),
        2 => (number.clone(), created).prop_map(|(at, (name, text))| Step::Create(at, name, text)),
        1 => number.clone().prop_map(Step::Delete),
        1 => (number.clone(), number).prop_map(|(one, two)| Step::Swap(one, two)),
        2 => prop::sample::select(GIT).prop_map(Step::Git),
    ]
}

/// Makes a repository with one commit of a directory.
fn commit(dir: &Path) {
    git_in(dir, &["init", "--quiet"]);
    git_in(dir, &["add", "--all"]);
    git_in(dir, &["commit", "--quiet", "--message=x"]);
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn make(step: &Step, root: &Path) {
    let pick = |ending, number: usize| {
        let files = files(root, ending);
        let at = number.checked_rem(files.len())?;
        Some(files[at].clone())
    };
    match step {
        Step::Git(args) => git_in(root, args),
        Step::Add(ending, number, line) => {
            if let Some(file) = pick(ending, *number) {
                fs::write(&file, fs::read_to_string(&file).unwrap() + line).unwrap();
            }
        }
        Step::Create(number, name, text) => {
            if let Some(file) = pick("", *number) {
                fs::write(file.with_file_name(name), text).unwrap();
            }
        }
        Step::Delete(number) => {
            let file = pick("", *number).filter(|file| !file.ends_with(".buckconfig"));
            file.into_iter().for_each(|file| fs::remove_file(file).unwrap());
        }
        Step::Swap(one, two) => {
            if let (Some(one), Some(two)) = (pick(".py", *one), pick(".py", *two)) {
                let [first, second] = [&one, &two].map(|file| fs::read(file).unwrap());
                fs::write(one, second).unwrap();
                fs::write(two, first).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn random_changes_between_runs_give_what_a_cold_run_gives(
        steps in prop::collection::vec(step(), 1..10),
        sample in prop::sample::select(&["ml-monorepo", "fbcode-export"][..]),
    ) {
        let mut kept = Kept::of_sample(sample);
        commit(&kept.project.path(""));
        kept.run("lint");
        // What was copied is believed from now on, what is changed is not.
        kept.later = Duration::ZERO;
        for step in &steps {
            make(step, &kept.project.path(""));
            for command in ["lint --since HEAD", "lint", "graph --of targets"] {
                prop_assert_eq!(kept.run(command), kept.cold(command), "{} after {:?}", command, step);
            }
        }
    }
}
