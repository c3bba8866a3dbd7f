//! Each file in `tests/situations/` is a small repository with the findings of a whole run over it.

use secateur::checks::{self, Selection};
use secateur::finding::{Finding, Report};
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A fixture: its files, and the findings expected.
struct Situation {
    files: BTreeMap<String, Vec<u8>>,
    expected: BTreeSet<String>,
}

fn parse(text: &str) -> Situation {
    let mut files = BTreeMap::new();
    let mut expected = BTreeSet::new();
    for section in text.split("\n//- ").skip(1) {
        let (header, body) = section.split_once('\n').unwrap_or((section, ""));
        let body = if body.is_empty() {
            String::new()
        } else {
            format!("{}\n", body.trim_end_matches('\n'))
        };
        match header.trim() {
            "expected" => {
                expected =
                    body.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
            }
            header => {
                let (path, bytes) = match header.strip_suffix(" hex") {
                    Some(path) => (path, unhex(&body)),
                    None => (header, body.into_bytes()),
                };
                files.insert(path.to_owned(), bytes);
            }
        }
    }
    if !files.contains_key("MODULE.bazel") {
        files.entry(".buckconfig".to_owned()).or_default();
    }
    Situation { files, expected }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Runs every check over the repository at `root`.
pub fn lint(root: &Path) -> Report {
    let environment =
        Environment { home: None, current_dir: root.to_owned(), system_config_dir: None };
    let workspace = Workspace::open(root, &environment, &Overrides::default()).unwrap();
    let graph = secateur::graph::build(&workspace, &Silent).unwrap();
    checks::run(&workspace, &graph, &Selection::default(), &Silent)
}

/// A finding in the form of the fixtures.
pub fn show(finding: &Finding) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {} {} {}:{}",
        finding.check.as_str(),
        finding.confidence.as_str(),
        or_dash(finding.target.as_ref().map(ToString::to_string)),
        or_dash(finding.dep.as_ref().map(ToString::to_string)),
        or_dash(finding.module.clone()),
        finding.region.path,
        finding.region.line,
    )
}

/// The lines that only one side has, or nothing.
pub fn difference(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> String {
    let missing = expected.difference(found).map(|line| format!("  not found: {line}\n"));
    let extra = found.difference(expected).map(|line| format!("  not expected: {line}\n"));
    missing.chain(extra).collect()
}

/// The fixtures, sorted.
pub fn fixtures() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/situations");
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let is_fixture = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "txt");
    let mut files: Vec<PathBuf> = files.filter(is_fixture).collect();
    files.sort();
    files
}

/// Makes the repository of a fixture; gives it with the findings expected.
pub fn unpack(path: &Path) -> (TempDir, BTreeSet<String>) {
    let situation = parse(&format!("\n{}", std::fs::read_to_string(path).unwrap()));
    let root = tempfile::tempdir().unwrap();
    for (file, bytes) in &situation.files {
        let file = root.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    (root, situation.expected)
}

fn run(path: &Path) -> String {
    let (root, expected) = unpack(path);
    let found = lint(root.path()).findings.iter().map(show).collect();
    difference(&expected, &found)
}

#[test]
fn every_situation_gives_its_findings() {
    let only = std::env::var("SITUATION").ok();
    let mut failures = String::new();
    for path in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if only.as_ref().is_none_or(|only| name.starts_with(only)) {
            let difference = run(&path);
            if !difference.is_empty() {
                failures.extend([name, "\n", &difference]);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
