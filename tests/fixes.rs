//! Small repositories and what `lint --fix` makes of them: one file of text each in `tests/fixes`.
//!
//! `//- PATH` begins a file; `//- after PATH` what it has to hold afterwards, `//- gone PATH` says that it is deleted. All
//! other files stay as they are. `# fix: all` in the first lines asks for unsafe fixes too. `table.txt` lists the situations by
//! number; what takes more than files is a test of its own.

use crate::support::{Project, repository};
use secateur::checks::Selection;
use secateur::cli::Exit;
use secateur::edits::{self, BatchInfo, Cascade, Wanted, cascade};
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

struct Fixture {
    wanted: Wanted,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, Option<String>>,
}

fn parse(text: &str) -> Fixture {
    let mut sections = text.split("\n//- ");
    let head = sections.next().unwrap();
    let wanted = if head.contains("# fix: all") { Wanted::All } else { Wanted::Safe };
    let mut fixture = Fixture { wanted, before: BTreeMap::new(), after: BTreeMap::new() };
    for section in sections {
        let (name, contents) = section.split_once('\n').unwrap_or((section, ""));
        let contents = if contents.is_empty() || contents.ends_with('\n') {
            contents.to_owned()
        } else {
            format!("{contents}\n")
        };
        // Carriage returns would not survive in this repository.
        let contents = contents.replace('\u{240d}', "\r");
        if let Some(path) = name.strip_prefix("after ") {
            fixture.after.insert(path.to_owned(), Some(contents));
        } else if let Some(path) = name.strip_prefix("gone ") {
            fixture.after.insert(path.to_owned(), None);
        } else {
            fixture.before.insert(name.to_owned(), contents);
        }
    }
    if !fixture.before.contains_key("MODULE.bazel") {
        fixture.before.entry(".buckconfig".to_owned()).or_default();
    }
    fixture
}

fn fix(root: &Path, wanted: Wanted) -> Cascade {
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    let workspace = Workspace::open(root, &environment, &Overrides::default()).unwrap();
    cascade(&workspace, &Selection::default(), wanted, &Silent).unwrap()
}

/// Makes the files of a fixture and fixes them.
fn unpack_and_fix(path: &Path) -> (Fixture, Cascade) {
    let fixture = parse(&format!("\n{}", fs::read_to_string(path).unwrap()));
    let root = tempfile::tempdir().unwrap();
    for (file, text) in &fixture.before {
        let file = root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let done = fix(root.path(), fixture.wanted);
    (fixture, done)
}

fn run(path: &Path) -> String {
    let (fixture, done) = unpack_and_fix(path);
    let made: BTreeMap<String, Option<String>> = done
        .changes
        .iter()
        .map(|change| {
            let after = change.after.clone().map(|bytes| String::from_utf8(bytes).unwrap());
            (change.path.to_string(), after)
        })
        .collect();
    let mut difference = String::new();
    let paths: std::collections::BTreeSet<_> = made.keys().chain(fixture.after.keys()).collect();
    for path in paths {
        let (expected, found) = (fixture.after.get(path), made.get(path));
        if expected != found {
            let show = |side: Option<&Option<String>>| match side {
                None => "unchanged\n".to_owned(),
                Some(None) => "gone\n".to_owned(),
                Some(Some(text)) => text.replace('\r', "\u{240d}"),
            };
            let (expected, found) = (show(expected), show(found));
            writeln!(difference, "--- {path}, expected\n{expected}--- found\n{found}").unwrap();
        }
    }
    if !difference.is_empty() {
        for (finding, reason) in &done.refused {
            writeln!(difference, "refused: {}: {reason}", finding.message).unwrap();
        }
    }
    difference
}

fn fixtures() -> Vec<PathBuf> {
    let dir = repository().join("tests/fixes");
    let mut files: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("table.txt"));
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn every_fix_gives_its_files() {
    let only = std::env::var("FIX").ok();
    let mut failures = String::new();
    for path in fixtures() {
        if only.as_ref().is_none_or(|only| name(&path).starts_with(only)) {
            let difference = run(&path);
            if !difference.is_empty() {
                writeln!(failures, "\n{}\n{difference}", name(&path)).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_table_names_every_fixture_and_tests_that_there_are() {
    let table = fs::read_to_string(repository().join("tests/fixes/table.txt")).unwrap();
    let mut listed = Vec::new();
    for row in table.lines() {
        let words: Vec<&str> = row.split(' ').collect();
        match words[..] {
            [_, fixture] => listed.push(fixture),
            [_, file, test] => {
                let text = fs::read_to_string(repository().join("tests").join(file)).unwrap();
                assert!(text.contains(&format!("#[test]\nfn {test}()")), "{row}");
            }
            _ => panic!("{row}"),
        }
    }
    assert_eq!(listed, fixtures().iter().map(|path| name(path)).collect::<Vec<_>>());
}

#[test]
fn fixes_are_the_same_at_any_number_of_threads() {
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(64 << 20);
        let fix = |path: &PathBuf| unpack_and_fix(path).1.changes;
        pool.build().unwrap().install(|| fixtures().iter().map(fix).collect::<Vec<_>>())
    };
    assert_eq!(all(1), all(4));
}

/// Two packages, each with a dependency that nothing uses.
const TWO: &str = r#"
//- one/BUCK
python_binary(name = "one", main = "one.py", deps = ["//spare:spare"])
//- one/one.py
A = 1
//- two/BUCK
python_binary(name = "two", main = "two.py", deps = ["//spare:spare"])
//- two/two.py
A = 1
//- spare/BUCK
python_library(name = "spare", srcs = ["spare.py"], visibility = ["PUBLIC"])
python_binary(name = "spare_bin", main_module = "spare.spare", deps = [":spare"])
//- spare/spare.py
A = 1
"#;

#[test]
fn a_file_that_changed_since_stays_and_so_do_all_others() {
    let project = Project::new(TWO);
    let done = fix(&project.path(""), Wanted::Safe);
    let paths: Vec<&str> = done.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["one/BUCK", "two/BUCK"]);
    let read = |path: &str| fs::read_to_string(project.path(path)).unwrap();
    let (one, two) = (read("one/BUCK"), format!("# mine\n{}", read("two/BUCK")));
    project.add("two/BUCK", &two);
    let info = BatchInfo { title: "fixes".to_owned(), remove_empty_dirs: false };
    let refused = edits::apply(&project.path(""), &done.changes, &info).unwrap_err().to_string();
    assert!(refused.contains("two/BUCK: has changed since"), "{refused}");
    assert_eq!((read("one/BUCK"), read("two/BUCK")), (one, two));
}

#[test]
fn what_was_not_read_is_not_fixed_and_the_run_says_so() {
    let project = Project::new(TWO);
    project.add("secateur.toml", "[limits]\nticks = 100000\n");
    // Nobody knows what the loop would have made: it may lean on what `lib` depends on.
    let two = r#"x = [":lib" for i in range(1000000) for j in range(1000000)]
python_library(name = "lib", srcs = ["two.py"], deps = ["//spare:spare"])
python_binary(name = "two", main_module = "two.two", deps = [":lib"])
"#;
    project.add("two/BUCK", two);
    let run = project.secateur("lint --fix --min-confidence certain");
    assert_eq!(run.exit, Exit::Incomplete, "{}{}", run.out, run.err);
    let read = |path: &str| fs::read_to_string(project.path(path)).unwrap();
    assert_eq!(read("one/BUCK"), "python_binary(name = \"one\", main = \"one.py\")\n");
    assert_eq!(read("two/BUCK"), two);
}
