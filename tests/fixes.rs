//! Small repositories and what `lint --fix` makes of them: one file of text each in `tests/fixes`.
//!
//! `//- PATH` begins a file; `//- after PATH` what it has to hold afterwards, `//- gone PATH` says that it is deleted. All
//! other files stay as they are. `# fix: all` in the first lines asks for unsafe fixes too.

use secateur::checks::Selection;
use secateur::edits::{Cascade, Wanted, cascade};
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
    fixture.before.entry(".buckconfig".to_owned()).or_default();
    fixture
}

fn fix(root: &Path, wanted: Wanted) -> Cascade {
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    let workspace = Workspace::open(root, &environment, &Overrides::default()).unwrap();
    cascade(&workspace, &Selection::default(), wanted, &Silent).unwrap()
}

fn run(path: &Path) -> String {
    let fixture = parse(&format!("\n{}", fs::read_to_string(path).unwrap()));
    let root = tempfile::tempdir().unwrap();
    for (file, text) in &fixture.before {
        let file = root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let done = fix(root.path(), fixture.wanted);
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

#[test]
fn every_fix_gives_its_files() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixes");
    let only = std::env::var("FIX").ok();
    let mut files: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut failures = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if only.as_ref().is_none_or(|only| name.starts_with(only)) {
            let difference = run(&path);
            if !difference.is_empty() {
                writeln!(failures, "\n{name}\n{difference}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
