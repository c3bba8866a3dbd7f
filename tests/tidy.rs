//! The rules of the house that no compiler knows: who may use whom, how long files are, what has no place in them.

use crate::support::{files_below, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Who may use whom. Data flows from top to bottom.
const ALLOWED: &[(&str, &[&str])] = &[
    ("label", &[]),
    ("digest", &[]),
    ("source", &[]),
    ("error", &[]),
    ("progress", &["error"]),
    ("depth", &[]),
    ("suggestion", &[]),
    // A fix names the literal that goes by its `buck::LiteralId`; nothing else of `buck` is needed there.
    ("finding", &["buck", "error", "label", "source", "suggestion"]),
    ("cache", &["digest"]),
    ("workspace", &["cache", "digest", "error", "label", "source", "suggestion"]),
    ("buck", &["depth", "digest", "error", "label", "progress", "source", "workspace"]),
    ("python", &["depth", "source"]),
    (
        "graph",
        &[
            "buck",
            "digest",
            "error",
            "finding",
            "label",
            "progress",
            "python",
            "source",
            "workspace",
        ],
    ),
    ("checks", &["buck", "finding", "graph", "label", "progress", "python", "source", "workspace"]),
    ("cost", &["buck", "finding", "graph", "label", "source", "workspace"]),
    // SARIF carries what `explain` says of a check.
    ("report", &["checks", "cost", "edits", "finding", "graph", "label", "source", "workspace"]),
    (
        "since",
        &[
            "buck",
            "checks",
            "digest",
            "error",
            "finding",
            "graph",
            "label",
            "progress",
            "python",
            "source",
            "workspace",
        ],
    ),
    (
        "edits",
        &[
            "buck",
            "checks",
            "error",
            "finding",
            "graph",
            "label",
            "progress",
            // A comment in a source is read back.
            "python",
            "source",
            "workspace",
        ],
    ),
    (
        "codemod",
        &[
            "buck",
            "checks",
            "cost",
            "edits",
            "error",
            "finding",
            "graph",
            "label",
            "progress",
            "source",
            "suggestion",
            "workspace",
        ],
    ),
    ("cas", &["error", "progress"]),
    // Names of distributions are compared as `python` normalizes them.
    ("bundle", &["buck", "cas", "error", "graph", "label", "python", "workspace"]),
    ("tui", &["buck", "edits", "finding", "graph", "label", "source"]),
    (
        "cli",
        &[
            "buck",
            "bundle",
            "cache",
            "cas",
            "checks",
            "codemod",
            "cost",
            "digest",
            "edits",
            "error",
            "finding",
            "graph",
            "label",
            "progress",
            "report",
            "since",
            "source",
            "tui",
            "workspace",
        ],
    ),
    ("main", &["cli"]),
];

/// What only some files may contain, and why.
const CONFINED: &[(&str, &[&str], &str)] = &[
    ("println!", &[], "results and messages go to writers"),
    ("eprintln!", &[], "results and messages go to writers"),
    (
        "std::env",
        &["src/cli/surroundings.rs", "src/main.rs"],
        "the environment is read in one place",
    ),
    (
        "std::fs",
        &[
            "src/bundle/",
            "src/cache/disk.rs",
            "src/cas/",
            "src/cli/",
            "src/edits/disk.rs",
            "src/workspace/files.rs",
            "src/workspace/stat.rs",
        ],
        "the disk is read through `Files`, and written where it can be undone",
    ),
    ("SystemTime", &[], "results don't depend on the clock"),
    ("Timestamp::now", &["src/cli/surroundings.rs"], "results don't depend on the clock"),
    ("Instant", &[], "results don't depend on the clock"),
    ("petgraph", &["src/graph/"], "ids outside of `graph` are newtypes"),
    ("todo!", &[], "what is not done is not there"),
    ("unimplemented!", &[], "what is not done is not there"),
    (".unwrap()", &[], "bad input is a value"),
    (".expect(\"", &[], "bad input is a value"),
];

const MAX_LINES: usize = 500;

/// Rust files of the repository with their text.
fn sources(dirs: &[&str]) -> BTreeMap<String, String> {
    let files = dirs.iter().flat_map(|dir| files_below(dir));
    let files = files.filter(|file| file.ends_with(".rs"));
    files.map(|file| (file.clone(), fs::read_to_string(repository().join(file)).unwrap())).collect()
}

/// The code of a file: no comments, no tests.
fn code(file: &str, text: &str) -> String {
    let name = file.rsplit('/').next().unwrap();
    let is_test = name.ends_with("tests.rs") || name == "testing.rs" || file.contains("/tests/");
    let text = if is_test { "" } else { text.split("#[cfg(test)]").next().unwrap() };
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap().to_owned() + "\n").collect()
}

/// The modules of the crate that a text names.
fn used(code: &str, root: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices(&format!("{root}::")) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + root.len() + 2..];
        match rest.strip_prefix('{') {
            None => used.extend(first_name(rest)),
            Some(list) => used.extend(top_level_items(list).into_iter().filter_map(first_name)),
        }
    }
    used
}

fn first_name(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let name = &path[..end];
    name.starts_with(|c: char| c.is_ascii_lowercase()).then(|| name.to_owned())
}

/// The items of `use crate::{…}`, from behind the first brace.
fn top_level_items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(list[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let mut bad = Vec::new();
    for (file, text) in sources(&["src"]) {
        let module = file.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        let row = ALLOWED.iter().find(|(name, _)| *name == module);
        let Some((_, allowed)) = row else {
            bad.push(format!("{file}: `{module}` is not in the table"));
            continue;
        };
        let root = if module == "main" { "secateur" } else { "crate" };
        for other in used(&code(&file, &text), root) {
            if other != module && !allowed.contains(&other.as_str()) {
                bad.push(format!("{file} uses `{other}`"));
            }
        }
    }
    assert_eq!(bad, [""; 0]);
}

#[test]
fn the_table_has_no_edge_that_nobody_needs() {
    let mut needed: BTreeSet<(String, String)> = BTreeSet::new();
    for (file, text) in sources(&["src"]) {
        let module = file.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        let root = if module == "main" { "secateur" } else { "crate" };
        needed.extend(used(&code(&file, &text), root).into_iter().map(|to| (module.clone(), to)));
    }
    let edges = ALLOWED.iter().flat_map(|(from, to)| to.iter().map(|to| (*from, *to)));
    let idle: Vec<_> =
        edges.filter(|(a, b)| !needed.contains(&(a.to_string(), b.to_string()))).collect();
    assert_eq!(idle, []);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut bad = Vec::new();
    for (file, text) in sources(&["src", "tests"]) {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            bad.push(format!("{file} has {lines} lines"));
        }
        if !text.starts_with("//! ") {
            bad.push(format!("{file} does not begin with `//!`"));
        }
        for (number, line) in text.lines().enumerate() {
            if line.trim_end() != line {
                bad.push(format!("{file}:{} ends in white space", number + 1));
            }
        }
    }
    assert_eq!(bad, [""; 0]);
}

#[test]
fn what_is_confined_stays_where_it_is() {
    let mut bad = Vec::new();
    for (file, text) in sources(&["src"]) {
        let code = code(&file, &text);
        for (word, places, why) in CONFINED {
            let allowed = places.iter().any(|place| file.starts_with(place));
            if code.contains(word) && !allowed {
                bad.push(format!("{file} contains `{word}`: {why}"));
            }
        }
    }
    assert_eq!(bad, [""; 0]);
}

#[test]
fn no_test_is_switched_off() {
    let ignored = concat!("#[", "ignore");
    for (file, text) in sources(&["src", "tests"]) {
        assert!(!text.contains(ignored), "{file} switches a test off");
    }
}

#[test]
fn paths_are_found_in_every_form_of_use() {
    let code = "use crate::{a::{b, c}, d};\nuse crate::e::F;\nlet x = crate::g::h(crate::Top);\nmycrate::z();";
    let expected = ["a", "d", "e", "g"].map(str::to_owned);
    assert_eq!(used(code, "crate"), BTreeSet::from(expected));
}
