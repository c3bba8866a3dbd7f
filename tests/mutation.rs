//! Sample files, damaged at random, are still read: no panic, no failure to run, and the same answer twice.

use crate::support::{Project, files_below, repository, secateur};
use proptest::prelude::*;
use secateur::cli::Exit;
use std::fs;

/// What people and merges leave in files, and what parsers dislike.
const SNIPPETS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\"\"\"",
    "#",
    "\\",
    "\n",
    "\t",
    "\r\n",
    "\0",
    "\u{feff}",
    ",",
    "=",
    "==",
    "*",
    "**",
    "+",
    "-",
    ":",
    ";",
    "if ",
    "else:",
    "def f():",
    "lambda: ",
    "load(",
    "select({",
    "glob([\"**\"])",
    "name = ",
    "deps = ",
    "None",
    "1 / 0",
    "[0][1]",
    "fail()",
    "\"a\" * 9",
    "for x in y:",
    "import ",
    "from . import ",
    "from ..... import *",
    "$(config a.b)",
    "<file:BUCK>",
    "<<<<<<< HEAD\n",
    "@",
    "//",
    "...",
    "é",
    "\u{10ffff}",
    "%s",
    "{}",
    "0x",
    "1e999",
    "'''",
];

/// A line of a `.buckconfig`: anything, or something like one.
const CONFIG_LINE: &str = r"\PC{0,12}|\[\PC{0,6}\]|\PC{0,6}=\PC{0,6}|\[cells\]|a = \.|b = a|\[project\]|ignore = \PC{0,8}|x = \$\(config a\.\PC\)";

/// One change of one file.
#[derive(Clone, Debug)]
struct Edit {
    file: prop::sample::Index,
    at: prop::sample::Index,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Insert(&'static str),
    Byte(u8),
    Delete(usize),
    Repeat(usize),
    Truncate,
}

fn edit() -> impl Strategy<Value = Edit> {
    let change = prop_oneof![
        4 => prop::sample::select(SNIPPETS).prop_map(Change::Insert),
        2 => any::<u8>().prop_map(Change::Byte),
        2 => (1..40_usize).prop_map(Change::Delete),
        2 => (1..200_usize).prop_map(Change::Repeat),
        1 => Just(Change::Truncate),
    ];
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), change)
        .prop_map(|(file, at, change)| Edit { file, at, change })
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>) {
    let at = edit.at.index(bytes.len() + 1);
    let end = |length: usize| (at + length).min(bytes.len());
    match edit.change {
        Change::Insert(text) => drop(bytes.splice(at..at, text.bytes())),
        Change::Byte(byte) => drop(bytes.splice(at..end(1), [byte])),
        Change::Delete(length) => drop(bytes.drain(at..end(length))),
        Change::Repeat(length) => {
            let again = bytes[at..end(length)].to_vec();
            bytes.splice(at..at, again);
        }
        Change::Truncate => bytes.truncate(at),
    }
}

/// The files of a sample, by their paths in it.
fn sample(name: &str) -> Vec<(String, Vec<u8>)> {
    let dir = format!("sample-repos/{name}");
    let files = files_below(&dir).into_iter();
    let read = |file: String| {
        let bytes = fs::read(repository().join(&file)).unwrap();
        (file[dir.len() + 1..].to_owned(), bytes)
    };
    files.filter(|file| !file.ends_with("secateur.toml")).map(read).collect()
}

fn check(name: &str, edits: &[Edit]) {
    let mut files = sample(name);
    for edit in edits {
        let at = edit.file.index(files.len());
        apply(edit, &mut files[at].1);
    }
    let project = Project::new("");
    for (path, bytes) in &files {
        project.add(path, "");
        fs::write(project.path(path), bytes).unwrap();
    }
    project.add("secateur.toml", "[limits]\nticks = 100_000\nheap-mib = 32\n");
    let one = secateur(&project.path(""), "-j 1 lint --format json");
    assert_ne!(one.exit, Exit::Failed, "{}", one.err);
    assert_eq!(one.err, "");
    assert_eq!(one, secateur(&project.path(""), "-j 2 lint --format json"));
}

/// A few cases, unless `PROPTEST_CASES` asks for more.
fn few(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn damaged_samples_are_read(edits in prop::collection::vec(edit(), 1..60)) {
        check("ml-monorepo", &edits);
    }

    #[test]
    fn damaged_exports_are_read(edits in prop::collection::vec(edit(), 1..60)) {
        check("fbcode-export", &edits);
    }
}

proptest! {
    #![proptest_config(few(48))]

    #[test]
    fn any_text_is_a_configuration(lines in prop::collection::vec(CONFIG_LINE, 0..40)) {
        let project = Project::new("//- a/BUCK\npython_library(name = \"a\")\n");
        project.add(".buckconfig", &lines.join("\n"));
        let outcome = project.secateur("lint");
        prop_assert_ne!(outcome.exit, Exit::Failed, "{}", outcome.err);
    }

    #[test]
    fn any_text_is_a_build_file(parts in prop::collection::vec(prop_oneof![
        prop::sample::select(SNIPPETS).prop_map(str::to_owned),
        "\\PC{0,8}",
        Just("python_library(name = \"a\", srcs = [\"a.py\"])\n".to_owned()),
    ], 0..40)) {
        let project = Project::new("");
        project.add("a/BUCK", &parts.concat());
        project.add("a/a.py", &parts.concat());
        project.add("a/PACKAGE", &parts.concat());
        project.add("secateur.toml", "[limits]\nticks = 100_000\nheap-mib = 32\n");
        let outcome = project.secateur("lint");
        prop_assert_ne!(outcome.exit, Exit::Failed, "{}", outcome.err);
    }
}
