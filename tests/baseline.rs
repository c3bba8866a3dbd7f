//! `secateur baseline` and `lint --baseline`.

use crate::support::{Outcome, Project, secateur, secateur_in};
use secateur::cli::{Exit, Surroundings};
use secateur::workspace::Environment;
use serde_json::Value;
use std::fs;

/// A library with two dependencies too many.
const SPARE: &str = r#"
//- app/BUCK
python_binary(
    name = "app",
    main_module = "app.main",
    deps = [":lib"],
)

python_library(
    name = "lib",
    srcs = ["main.py"],
    deps = [
        "//a:a",
        "//b:b",
    ],
)
//- app/main.py
print()
//- a/BUCK
python_library(name = "a", srcs = ["a.py"], visibility = ["PUBLIC"])
python_test(name = "test", srcs = ["test_a.py"], deps = [":a"])
//- a/a.py
A = 1
//- a/test_a.py
import a.a
//- b/BUCK
python_library(name = "b", srcs = ["b.py"], visibility = ["PUBLIC"])
python_test(name = "test", srcs = ["test_b.py"], deps = [":b"])
//- b/b.py
B = 1
//- b/test_b.py
import b.b
"#;
const LINT: &str = "lint --baseline secateur-baseline.json";

fn edit(project: &Project, path: &str, old: &str, new: &str) {
    let text = fs::read_to_string(project.path(path)).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(project.path(path), text.replace(old, new)).unwrap();
}

fn with_baseline() -> Project {
    let project = Project::new(SPARE);
    let outcome = project.secateur("baseline");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""));
    let expected = "wrote 2 findings to secateur-baseline.json: 2 new, 0 kept, 0 gone\n";
    assert_eq!(outcome.out, expected);
    project
}

#[test]
fn what_is_in_the_baseline_is_known_wherever_it_moves() {
    let project = with_baseline();
    let all = "no findings\nbaseline: 2 findings known and left out\n";
    let Outcome { exit, out, .. } = project.secateur(LINT);
    assert_eq!(exit, Exit::Clean);
    assert!(out.starts_with(all), "{out}");
    edit(&project, "app/BUCK", "python_binary(", "# one\n# more\n\npython_binary(");
    edit(
        &project,
        "app/BUCK",
        "        \"//a:a\",\n        \"//b:b\",",
        "  \"//b:b\",  \"//a:a\",",
    );
    let Outcome { exit, out, .. } = project.secateur(LINT);
    assert_eq!(exit, Exit::Clean);
    assert!(out.starts_with(all), "{out}");
    assert_eq!(project.secateur("lint").exit, Exit::Findings);
}

#[test]
fn new_findings_are_reported_and_old_ones_counted_when_gone() {
    let project = with_baseline();
    edit(&project, "app/BUCK", "        \"//a:a\",\n", "");
    edit(&project, "b/BUCK", "[\"b.py\"]", "[\"b.py\", \"lost.py\"]");
    let Outcome { exit, out, .. } = project.secateur(LINT);
    assert_eq!(exit, Exit::Findings);
    assert!(out.contains("[missing-source]") && !out.contains("[unused-dep]"), "{out}");
    assert!(out.contains("\nbaseline: 1 finding known and left out, 1 gone\n"), "{out}");
    let json = project.secateur(&format!("{LINT} --format json")).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["baseline"]["known"], 1);
    assert_eq!(json["baseline"]["gone"][0]["dep"], "root//a:a");
    for asked in ["//b/...", "--check missing-source"] {
        let out = project.secateur(&format!("{LINT} {asked}")).out;
        assert!(!out.contains(" gone"), "what was not asked for is not gone: {out}");
    }
    let out = project.secateur("baseline").out;
    assert!(
        out.ends_with("2 findings to secateur-baseline.json: 1 new, 1 kept, 1 gone\n"),
        "{out}"
    );
}

#[test]
fn expired_entries_silence_nothing_and_survive_a_rewrite() {
    let project = with_baseline();
    let note =
        "\"reason\": \"soon\",\n      \"author\": \"me\",\n      \"expires\": \"2026-03-31\"";
    let text = fs::read_to_string(project.path("secateur-baseline.json")).unwrap();
    let at = text.find("\n    }").unwrap();
    let text = format!("{},\n      {note}{}", &text[..at], &text[at..]);
    project.add("secateur-baseline.json", &text);
    let environment = Environment { current_dir: project.path(""), ..Environment::default() };
    let surroundings = Surroundings { environment, ..Surroundings::default() };
    for (today, exit) in [("2026-03-31", Exit::Clean), ("2026-04-01", Exit::Findings)] {
        let surroundings = Surroundings { today: today.parse().unwrap(), ..surroundings.clone() };
        let outcome = secateur_in(&surroundings, LINT);
        assert_eq!(outcome.exit, exit, "{}", outcome.out);
        assert_eq!(outcome.out.contains(" left out, 1 expired\n"), exit == Exit::Findings);
        let outcome = secateur_in(&surroundings, "baseline");
        assert_eq!(outcome.out.contains("; 1 has expired"), exit == Exit::Findings);
        assert_eq!(fs::read_to_string(project.path("secateur-baseline.json")).unwrap(), text);
    }
}

#[test]
fn files_that_are_missing_or_malformed_are_errors_and_stay_as_they_are() {
    let project = Project::new(SPARE);
    let Outcome { exit, err, .. } = project.secateur("lint --baseline no.json");
    assert_eq!(exit, Exit::Failed);
    assert!(err.starts_with("error: no baseline no.json\nhint: "), "{err}");
    project.add("app/bad.json", "{\n<<<<<<<");
    for args in ["lint --baseline bad.json", "baseline --output bad.json"] {
        let Outcome { exit, err, .. } = secateur(&project.path("app"), args);
        assert_eq!(exit, Exit::Failed);
        assert!(
            err.starts_with("error: bad.json:2:1: not a baseline: ") && err.contains("\nhint: "),
            "{err}"
        );
    }
    assert_eq!(fs::read_to_string(project.path("app/bad.json")).unwrap(), "{\n<<<<<<<");
    assert_eq!(project.secateur("baseline --output no/dir/x").exit, Exit::Failed);
}
