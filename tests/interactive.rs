//! Fixes asked about one by one: answers through a pipe, and what they make of the files.

use crate::apply::snapshot;
use crate::support::Project;
use crate::verify::{program, text};
use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

/// Two programs of two owners with three spare dependencies.
const SPARE: &str = r#"
//- one/BUCK
oncall("one")
python_binary(name = "app", main_module = "one.main", deps = [":lib"])
python_library(
    name = "lib",
    srcs = ["main.py"],
    deps = [
        ":a",
        ":b",
    ],
)
python_library(name = "a", srcs = ["a.py"])
python_library(name = "b", srcs = ["b.py"])
//- one/main.py
//- one/a.py
A = 1
//- one/b.py
B = 1
//- two/BUCK
oncall("two")
python_binary(name = "app", main_module = "two.main", deps = [":lib"])
python_library(
    name = "lib",
    srcs = ["main.py"],
    deps = [
        ":c",
    ],
)
python_library(name = "c", srcs = ["c.py"])
//- two/main.py
//- two/c.py
C = 1
"#;

fn answer(project: &Project, more: &[&str], editor: &str, answers: &str) -> Output {
    let args = [&["codemod", "--interactive"], more].concat();
    let mut command = program(&project.path(""), &args);
    command.stdin(Stdio::piped()).env_remove("VISUAL").env("EDITOR", editor);
    let mut child = command.spawn().unwrap();
    // A program that asks no more may have closed its end.
    child.stdin.take().unwrap().write_all(answers.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

/// The spare dependencies that are left.
fn left(project: &Project) -> String {
    let texts =
        ["one/BUCK", "two/BUCK"].map(|path| fs::read_to_string(project.path(path)).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    let deps = lines.filter(|line| line.starts_with("        \":"));
    deps.map(|line| line.trim_matches([' ', '"', ':', ','])).collect()
}

/// Runs on a new project, and compares what is left and how the run ended.
fn check(answers: &str, expected: &str) -> String {
    let project = Project::new(SPARE);
    let output = answer(&project, &[], "false", answers);
    let said = text(&output.stdout).to_owned();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{said}");
    assert_eq!(left(&project), expected, "{answers:?}: {said}");
    said
}

#[test]
fn answers_decide() {
    check("y\ny\ny\n", "");
    check("n\nn\nn\n", "abc");
    check("y\nn\ny\n", "b");
    check("n\na\n", "a");
    check("y\nq\n", "bc");
    check("q\n", "abc");
    check("yes\nno\nquit\n", "bc");
    let said = check("y\nn\ny\n", "b");
    assert!(said.contains("accepted 2, rejected 1\n0001  Remove 1 unused dependency (one)\n0002  Remove 1 unused dependency (two)\n"), "{said}");
}

#[test]
fn a_fix_is_shown_with_its_evidence_and_its_diff() {
    let said = check("q\n", "abc");
    let prompt = "(1/2) apply? [y,n,a,q,e,?] ";
    let expected = [
        "batch 1 of 2: Remove 2 unused dependencies (one)\n",
        "nothing in `root//one:lib` uses `root//one:a`",
        "provides `one.a`",
        "--- a/one/BUCK\n+++ b/one/BUCK\n",
        "\n-        \":a\",\n",
        prompt,
        "accepted 0, rejected 0\n",
    ];
    let mut rest = said.as_str();
    for part in expected {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not in {said}"));
        rest = &rest[at + part.len()..];
    }
    assert!(!said.contains("batch 2 of 2") && !said.contains("\n-        \":b\",\n"), "{said}");
}

#[test]
fn whoever_needs_help_is_asked_again() {
    let said = check("?\nwhat\n\ny\nq\n", "bc");
    assert_eq!(said.matches("a - make this fix and all the rest\n").count(), 3, "{said}");
    assert_eq!(said.matches("(1/2) apply?").count(), 4, "{said}");
}

#[test]
fn the_end_of_the_answers_is_a_q() {
    let said = check("y\n", "bc");
    assert!(said.contains("\nno more answers: taken as q\naccepted 1, rejected 0\n"), "{said}");
    let said = check("", "abc");
    assert!(said.contains("taken as q"), "{said}");
}

#[test]
fn the_editor_opens_at_the_line_and_what_it_changes_is_planned_anew() {
    let project = Project::new(SPARE);
    // `:b` is kept by hand; the first fix was accepted before.
    project.add(
        "edit.sh",
        "echo \"$@\" > edited\nsed -i 's/\":b\",$/\":b\",  # secateur: keep[unused-dep] later/' \"$3\"\n",
    );
    let output = answer(&project, &[], "sh edit.sh --flag", "y\ne\nn\n");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(project.path("edited")).unwrap(), "--flag +8 ./one/BUCK\n");
    let found = fs::read_to_string(project.path("one/BUCK")).unwrap();
    assert!(!found.contains("\":a\"") && found.contains("\":b\",  # secateur: keep"), "{found}");
    assert!(said.contains("batch 1 of 1: Remove 1 unused dependency (two)"), "{said}");
    assert_eq!(said.matches("apply?").count(), 3, "{said}");
    // A program that is not there is told, and asks again.
    let project = Project::new(SPARE);
    let output = answer(&project, &[], "no-such-editor", "e\ny\n");
    let said = text(&output.stdout);
    assert!(said.contains("`no-such-editor` failed: exit status: 127"), "{said}");
    assert_eq!(left(&project), "bc");
}

#[test]
fn what_one_round_makes_unused_is_asked_about_in_the_next() {
    let project = Project::new(SPARE);
    let more = ["two/...", "--fix", "all", "--check", "unused-dep,dead-target"];
    let output = answer(&project, &more, "false", "y\nn\n");
    let said = text(&output.stdout);
    assert!(said.contains("warning[dead-target]: "), "{said}");
    assert!(said.ends_with("`secateur undo` takes back the last batch\n"), "{said}");
    let found = || fs::read_to_string(project.path("two/BUCK")).unwrap();
    assert!(!found().contains("\":c\"") && found().contains("name = \"c\""), "{said}");
    project.secateur("undo");
    let output = answer(&project, &more, "false", "a\n");
    assert!(!found().contains("name = \"c\""), "{}", text(&output.stdout));
}

/// `x`, which is dead, imports `y`, which is dead as well.
#[test]
fn what_a_fix_needs_is_accepted_or_rejected_with_it() {
    let files = "//- a/BUCK\npython_binary(name = \"app\", main_module = \"a.main\", deps = [\":lib\"])\n\
         python_library(name = \"lib\", srcs = [\"main.py\", \"x.py\", \"y.py\", \"w.py\"])\n\
         //- a/main.py\n//- a/x.py\n//- a/y.py\nfrom a import x\n//- a/w.py\nW = 1\n";
    // In the order of their paths: w, x, y; x needs y.
    for (answers, expected) in [
        ("n\ny\n", [true, false, false]),
        ("n\nn\ny\n", [true, true, false]),
        ("a\n", [false, false, false]),
    ] {
        let project = Project::new(files);
        let output = answer(&project, &["--fix", "all"], "false", answers);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let is_there = |file: &str| project.path(file).exists();
        assert_eq!(["a/w.py", "a/x.py", "a/y.py"].map(is_there), expected, "{answers:?}: {said}");
    }
}

#[test]
fn accepted_fixes_may_become_patches_alone() {
    let project = Project::new(SPARE);
    let old = snapshot(&project.path(""));
    let output = answer(&project, &["--out", ".secateur/patches"], "false", "n\ny\nn\n");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(snapshot(&project.path("")), old);
    let patches: Vec<_> = fs::read_dir(project.path(".secateur/patches")).unwrap().collect();
    assert_eq!(patches.len(), 1);
    let patch = fs::read_to_string(patches[0].as_ref().unwrap().path()).unwrap();
    assert!(patch.contains("-        \":b\",") && !patch.contains("-        \":a\","), "{patch}");
}
