//! Bad input of every kind: a clear problem with its place, the good files beside it still analysed, and no panic.

use crate::support::{Outcome, Project};
use secateur::cli::Exit;
use serde_json::Value;
use std::fs;

/// A healthy package with one finding, which every run must still report.
const GOOD: &str = r#"
//- good/BUCK
python_binary(name = "app", main_module = "good.main", deps = [":main"])
python_library(name = "main", srcs = ["main.py"], deps = [":spare"])
python_library(name = "spare", srcs = ["spare.py"])
python_binary(name = "spare_bin", main_module = "good.spare", deps = [":spare"])
//- good/main.py
print("main")
//- good/spare.py
NAME = "spare"
"#;

struct Run {
    json: Value,
    text: Outcome,
}

/// Lints the project twice, as JSON and as text with all problems, and checks what holds whatever the input.
#[track_caller]
fn lint(project: &Project) -> Run {
    let json = project.secateur("lint --format json");
    let json: Value = serde_json::from_str(&json.out).unwrap_or_else(|_| panic!("{json:?}"));
    let findings = json["findings"].as_array().unwrap();
    let spare =
        findings.iter().any(|f| f["check"] == "unused-dep" && f["dep"] == "root//good:spare");
    assert!(spare, "the good package was lost: {json:#}");
    let text = project.secateur("-v lint");
    assert_eq!(text.exit, Exit::Findings);
    Run { json, text }
}

impl Run {
    /// Some line of the report says this.
    #[track_caller]
    fn says(&self, what: &str) -> &Self {
        let all = format!("{}{}", self.text.out, self.text.err);
        assert!(all.contains(what), "nothing says `{what}`:\n{all}");
        self
    }

    #[track_caller]
    fn counts(&self, key: &str, failed: u64) -> &Self {
        assert_eq!(self.json["coverage"][key], failed, "{:#}", self.json["coverage"]);
        self
    }
}

fn with(path: &str, contents: impl AsRef<[u8]>) -> Project {
    let project = Project::new(GOOD);
    project.add(path, "");
    fs::write(project.path(path), contents).unwrap();
    project
}

/// A build file of one library whose `main.py` is given.
fn python(contents: impl AsRef<[u8]>) -> Project {
    let project = with("bad/main.py", contents);
    project.add("bad/BUCK", "python_binary(name = \"bad\", main = \"main.py\")\n");
    project
}

#[test]
fn a_directory_without_buckconfig_cannot_be_linted() {
    let project = Project::new(GOOD);
    fs::remove_file(project.path(".buckconfig")).unwrap();
    let run = project.secateur("lint");
    assert_eq!(run.exit, Exit::Failed);
    assert!(run.err.contains(".buckconfig") && run.err.contains("hint:"), "{}", run.err);
}

#[test]
fn a_syntax_error_in_a_build_file_costs_its_statement() {
    let text =
        "python_library(name = \"a\")\npython_library(name = ,)\npython_library(name = \"c\")\n";
    let run = lint(&with("bad/BUCK", text));
    run.says("bad/BUCK:2").counts("packages_failed", 1).counts("targets", 6);
}

#[test]
fn bytes_that_are_no_text_are_problems_of_their_file() {
    lint(&with("bad/BUCK", b"python_library(name = \"a\xff\")\n"))
        .says("bad/BUCK")
        .counts("packages_failed", 1);
    lint(&with("bad/BUCK", b"python_library(name = \"a\")\n\0\n"))
        .says("bad/BUCK")
        .counts("packages_failed", 1);
    lint(&python(b"import os\nx = 1\0\n")).says("bad/main.py").counts("python_files_failed", 1);
    lint(&python(b"x = '\xff'\n")).says("bad/main.py").counts("python_files_failed", 1);
}

#[test]
fn byte_order_marks_tabs_and_crlf_are_read() {
    let python_text = b"\xef\xbb\xbfif True:\r\n\timport os\r\n";
    lint(&python(python_text)).counts("python_files_failed", 0);
    let crlf = "python_library(\r\n    name = \"a\",\r\n    deps = [\r\n        \"//good:spare\",\r\n    ],\r\n)\r\n";
    lint(&with("bad/BUCK", crlf)).counts("packages_failed", 0).counts("targets", 5);
    lint(&with("bad/BUCK", "\tx = 1\npython_library(name = \"a\")\n")).says("bad/BUCK");
}

#[test]
fn python_with_a_syntax_error_is_counted() {
    lint(&python("import os\nprint 'hello'\nimport sys\n"))
        .says("bad/main.py:2")
        .counts("python_files_failed", 1);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_around_are_no_trouble() {
    use std::os::unix::fs::symlink;
    let project = Project::new(GOOD);
    symlink("..", project.path("good/around")).unwrap();
    symlink("nowhere.py", project.path("good/dangling.py")).unwrap();
    symlink("self", project.path("good/self")).unwrap();
    lint(&project).counts("packages", 1);
}

#[test]
fn a_directory_in_place_of_a_file_is_said() {
    let project = Project::new(GOOD);
    fs::create_dir_all(project.path("bad/BUCK")).unwrap();
    lint(&project).says("bad/BUCK");
    let project = python("");
    fs::remove_file(project.path("bad/main.py")).unwrap();
    fs::create_dir(project.path("bad/main.py")).unwrap();
    lint(&project);
    let project = Project::new(GOOD);
    fs::create_dir(project.path("secateur.toml")).unwrap();
    assert_eq!(project.secateur("lint").exit, Exit::Failed);
}

#[test]
fn loads_in_a_circle_are_said_and_stopped() {
    let project = Project::new(GOOD);
    project.add("bad/a.bzl", "load(\":b.bzl\", \"b\")\na = 1\n");
    project.add("bad/b.bzl", "load(\":a.bzl\", \"a\")\nb = 1\n");
    project.add("bad/BUCK", "load(\":a.bzl\", \"a\")\npython_library(name = \"x\", srcs = [])\n");
    lint(&project).says("bad/a.bzl").says("loads itself").counts("targets", 5);
}

#[test]
fn code_that_never_ends_is_stopped() {
    let bzl = "def deep(n):\n    return deep(n + 1)\n\ndef long():\n    for i in range(1000000):\n        for j in range(1000000):\n            pass\n";
    for call in ["deep(0)", "long()"] {
        let project = Project::new(GOOD);
        project.add("secateur.toml", "[limits]\nticks = 200000\n");
        project.add("bad/f.bzl", bzl);
        let name = call.split('(').next().unwrap();
        let build_file = format!(
            "load(\":f.bzl\", \"{name}\")\npython_library(name = \"x\")\n{call}\npython_library(name = \"y\")\n"
        );
        project.add("bad/BUCK", &build_file);
        lint(&project).says("bad/BUCK:3").counts("packages_failed", 1).counts("targets", 6);
    }
}

#[test]
fn values_that_grow_without_end_are_stopped() {
    let doubling = "x = [0]\n".to_owned() + &"x = x + x\n".repeat(45);
    let project = with("bad/BUCK", doubling + "python_library(name = \"y\")\n");
    project.add("secateur.toml", "[limits]\nheap-mib = 64\n");
    lint(&project).says("bad/BUCK").counts("packages_failed", 1);
}

#[test]
fn nesting_that_no_parser_survives_is_refused() {
    let deep = format!("x = {}{}\n", "(".repeat(10_000), ")".repeat(10_000));
    lint(&with("bad/BUCK", &deep)).says("bad/BUCK").counts("packages_failed", 1);
    lint(&python(format!("import os\n{deep}")))
        .says("bad/main.py")
        .counts("python_files_failed", 1);
    let chain = format!("x = {}1\n", "1 + ".repeat(10_000));
    lint(&with("bad/BUCK", &chain)).says("bad/BUCK");
}

#[test]
fn a_python_file_of_fifty_megabytes_is_read_by_lines() {
    let mut text = "x = 1  # padding padding padding\n".repeat(50 << 15);
    text.push_str("import good.spare\n");
    assert!(text.len() > 50_000_000);
    lint(&python(text)).says("bad/main.py").says("8 MiB").counts("python_files_failed", 1);
}

#[test]
fn where_nothing_stands_and_something_was_not_read_the_run_is_incomplete() {
    let project = Project::new("//- bad/BUCK\nx = = 1\n");
    assert_eq!(project.secateur("lint").exit, Exit::Incomplete);
    assert_eq!(project.secateur("lint --allow-incomplete").exit, Exit::Clean);
}
