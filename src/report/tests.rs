//! Tests of the renderers on findings made by hand.

use super::*;
use crate::finding::{
    CheckId, Confidence, Coverage, Evidence, Finding, FixSet, Region, Safety, Severity,
};
use crate::label::Label;
use crate::source::{Problem, ProblemKind, Span};

pub(super) const BUILD_FILE: &str =
    "python_library(\n    name = \"app\",\n    deps = [\n\t\"//é:old\",\n    ],\n)\n";

fn source(path: &ProjectPath) -> Option<String> {
    (path.as_str() == "app/BUCK").then(|| BUILD_FILE.to_owned())
}

fn evidence(number: u32) -> Vec<Evidence> {
    let line =
        |line| Evidence { path: "app/main.py".into(), line, text: format!("import m{line}") };
    (1..=number).map(line).collect()
}

pub(super) fn unused() -> Finding {
    let start = BUILD_FILE.find("\"//é").unwrap() as u32;
    Finding {
        check: CheckId::UnusedDep,
        severity: Severity::Warning,
        confidence: Confidence::Certain,
        target: Label::parse_full("root//app:app"),
        dep: Label::parse_full("root//é:old"),
        module: None,
        region: Region {
            path: ProjectPath::new("app/BUCK"),
            line: 4,
            column: 2,
            end_line: 4,
            end_column: 11,
            span: Span::new(start, start + 10),
        },
        message: "nothing in `app` uses `//é:old`".into(),
        evidence: evidence(2),
        hint: Some("remove it".into()),
        fix: Some(FixSet::new(Safety::Safe, [])),
    }
}

fn dead() -> Finding {
    Finding {
        check: CheckId::DeadTarget,
        severity: Severity::Error,
        confidence: Confidence::Likely,
        dep: None,
        region: Region::line(ProjectPath::new("app/BUCK"), 1),
        message: "nothing alive depends on `app`".into(),
        evidence: evidence(10),
        hint: None,
        fix: None,
        ..unused()
    }
}

fn unowned() -> Finding {
    Finding {
        check: CheckId::UnownedSource,
        severity: Severity::Note,
        target: None,
        module: None,
        region: Region::line(ProjectPath::new("app/lost\u{1b}[31m.py"), 1),
        message: "no target owns this file".into(),
        evidence: vec![],
        ..dead()
    }
}

pub(super) fn report() -> Report {
    let problem = |line, kind, message: &str| Problem {
        path: ProjectPath::new("lib/BUCK"),
        line,
        kind,
        message: message.into(),
    };
    Report {
        findings: vec![unowned(), dead(), unused()],
        coverage: Coverage {
            packages: 378,
            packages_failed: 2,
            python_files: 3826,
            python_files_failed: 1,
            targets: 1_002_463,
            unknown_rules: 12,
        },
        suppressed: 3,
        problems: vec![
            problem(0, ProblemKind::Unreadable, "permission denied"),
            problem(7, ProblemKind::Load, "no file `x.bzl`"),
        ],
        ..Report::default()
    }
}

pub(super) fn rendered(format: Format, report: &Report, look: Look) -> String {
    let mut out = Vec::new();
    render(format, report, look, &source, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text() {
    insta::assert_snapshot!(rendered(Format::Text, &report(), Look::default()), @r#"
    root//app

    error[dead-target]: nothing alive depends on `app`
     --> app/BUCK:1
      |
    1 | python_library(
      |
      = target: root//app:app (likely)
      = note: app/main.py:1  import m1
              app/main.py:2  import m2
              app/main.py:3  import m3
              app/main.py:4  import m4
              app/main.py:5  import m5
              app/main.py:6  import m6
              app/main.py:7  import m7
              app/main.py:8  import m8
              … and 2 more

    warning[unused-dep]: nothing in `app` uses `//é:old`
     --> app/BUCK:4:2
      |
    4 |     "//é:old",
      |     ^^^^^^^^^
      |
      = target: root//app:app (certain)
      = note: app/main.py:1  import m1
              app/main.py:2  import m2
      = help: remove it

    outside of targets

    note[unowned-source]: no target owns this file
    --> app/lost␛[31m.py:1:1
     = confidence: likely

    dead-target     1
    unowned-source  1
    unused-dep      1

    3 findings: 1 error, 1 warning, 1 note; 3 suppressed; 1 safe fix computed
    read 378 build files, 3 826 Python files, 1 002 463 targets (12 of unknown kinds); 2 build files and 1 Python file could not be read whole
    2 problems: 1 unreadable, 1 load; run with -v to list them
    "#);
}

#[test]
fn verbose_text_lists_the_problems() {
    let look = Look { verbosity: Verbosity::Verbose, ..Look::default() };
    let report = Report { findings: vec![], ..report() };
    insta::assert_snapshot!(rendered(Format::Text, &report, look), @r#"
    no findings; 3 suppressed
    read 378 build files, 3 826 Python files, 1 002 463 targets (12 of unknown kinds); 2 build files and 1 Python file could not be read whole
    2 problems:
      unreadable (1)
        lib/BUCK  permission denied
      load (1)
        lib/BUCK:7  no file `x.bzl`
    "#);
}

#[test]
fn quiet_text_is_findings_only() {
    let look = Look { verbosity: Verbosity::Quiet, ..Look::default() };
    let report = Report { findings: vec![], ..report() };
    assert_eq!(rendered(Format::Text, &report, look), "");
}

#[test]
fn a_clean_and_complete_run_is_two_lines() {
    let coverage = Coverage { packages: 1, python_files: 1, targets: 1, ..Coverage::default() };
    let report = Report { coverage, ..Report::default() };
    let expected = "no findings\nread 1 build file, 1 Python file, 1 target\n";
    assert_eq!(rendered(Format::Text, &report, Look::default()), expected);
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    let plain = rendered(Format::Text, &report(), Look::default());
    let styled = rendered(Format::Text, &report(), Look { color: true, ..Look::default() });
    assert!(styled.contains("\u{1b}[") && !plain.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&styled).to_string(), plain);
}

#[test]
fn a_region_of_many_lines_is_underlined_to_the_end_of_the_first() {
    let mut finding = unused();
    finding.region.end_line = 5;
    finding.region.end_column = 3;
    let report = Report { findings: vec![finding], ..Report::default() };
    let text = rendered(Format::Text, &report, Look::default());
    assert!(text.contains("    \"//é:old\",\n"), "{text}");
    assert!(text.contains("    ^^^^^^^^^^\n"), "{text}");
}

#[test]
fn places_outside_of_the_text_do_no_harm() {
    for (line, column, end_column) in [(99, 1, 5), (0, 1, 5), (4, 90, 95), (4, 9, 2), (6, 0, 0)] {
        let mut finding = unused();
        finding.region = Region { line, column, end_line: line, end_column, ..finding.region };
        let report = Report { findings: vec![finding], ..Report::default() };
        let text = rendered(Format::Text, &report, Look::default());
        assert!(text.contains("--> app/BUCK"), "{text}");
    }
}

#[test]
fn concise() {
    insta::assert_snapshot!(rendered(Format::Concise, &report(), Look::default()), @r#"
    app/lost␛[31m.py:1:1: note[unowned-source] no target owns this file
    app/BUCK:1:1: error[dead-target] nothing alive depends on `app`
    app/BUCK:4:2: warning[unused-dep] nothing in `app` uses `//é:old`
    "#);
}

#[test]
fn json() {
    let report = Report { findings: vec![unused()], ..report() };
    insta::assert_snapshot!(rendered(Format::Json, &report, Look::default()), @r#"{"schema_version":1,"tool":{"name":"secateur","version":"0.1.0"},"coverage":{"packages":378,"packages_failed":2,"python_files":3826,"python_files_failed":1,"targets":1002463,"unknown_rules":12},"findings":[{"fingerprint":"9a0745a362508789","check":"unused-dep","severity":"warning","confidence":"certain","target":"root//app:app","dep":"root//é:old","module":null,"path":"app/BUCK","line":4,"column":2,"end_line":4,"end_column":11,"message":"nothing in `app` uses `//é:old`","owner":null,"evidence":[{"path":"app/main.py","line":1,"text":"import m1"},{"path":"app/main.py","line":2,"text":"import m2"}],"fix":null}],"summary":{"unused-dep":1}}"#);
}

#[test]
fn dot_draws_edges_between_nodes_only() {
    let objects = [
        serde_json::json!({"module": "a\"", "imports": [
            {"module": "b", "path": "b.py", "kind": "type-only"},
            {"module": "os", "path": null, "kind": "runtime"}]}),
        serde_json::json!({"module": "b", "imports": [{"module": "a\"", "kind": "runtime"}]}),
    ];
    let mut out = Vec::new();
    dot(&objects, Edges::MODULES, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    digraph {
      rankdir = LR;
      node [shape = box];
      "a\"";
      "b";
      "a\"" -> "b" [label = "type-only"];
      "b" -> "a\"";
    }
    "#);
}

#[test]
fn numbers_are_grouped_by_three() {
    let numbers = [0, 12, 999, 1000, 3826, 1_234_567].map(grouped);
    assert_eq!(numbers, ["0", "12", "999", "1 000", "3 826", "1 234 567"]);
}
