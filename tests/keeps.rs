//! Comments that leave findings as they are: in every situation, for every finding, and the texts of some.

use crate::situations::{fixtures, unpack};
use crate::support::Project;
use secateur::checks::{self, Selection};
use secateur::cli::Exit;
use secateur::edits::{Contents, Prover};
use secateur::finding::{CheckId, Finding, Report};
use secateur::graph;
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

fn open(root: &Path) -> Workspace {
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    Workspace::open(root, &environment, &Overrides::default()).unwrap()
}

/// Analyses a workspace, and gives what is found to a function that may keep some of it.
fn analyse<T>(workspace: &Workspace, with: impl FnOnce(&Report, &Prover<'_>) -> T) -> T {
    let cells = graph::configurations(workspace).unwrap();
    let (evaluators, graph) = graph::build_and_keep(workspace, &cells, &Silent).unwrap();
    let report = checks::run(workspace, &graph, &Selection::default(), &Silent);
    with(&report, &Prover::new(workspace, &graph, &evaluators))
}

fn after(workspace: &Workspace, contents: &Contents) -> Report {
    analyse(&workspace.with_contents(contents), |report, _| report.clone())
}

/// What stays the same when lines move, and how often it is found.
fn counts<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(format!("{} {}", finding.identity(), finding.message)).or_default() += 1;
    }
    counts
}

/// The text without the comments that have come.
fn without_keeps(text: &str, reason: &str) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let ours = line.find("# secateur: keep[").filter(|_| line.contains(reason));
        match ours {
            None => kept.push_str(line),
            Some(at) if line[..at].trim_matches([' ', '\t', '\u{feff}']).is_empty() => {}
            Some(_) => {
                let end = line.find(reason).unwrap() + reason.len();
                let at = line.rfind("# secateur: keep[").unwrap();
                kept.push_str(line[..at].strip_suffix("  ").unwrap());
                kept.push_str(&line[end..]);
            }
        }
    }
    kept
}

/// Whether what was there is there, but for white space and commas where a list was broken into lines.
fn is_same_text(old: &str, new: &str) -> bool {
    let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == ',', "");
    old == new || bare(old) == bare(new)
}

const REASON: &str = "because of reasons";

/// Keeps one finding of many, and says what is wrong with what comes of it.
fn keep(workspace: &Workspace, before: &Report, at: usize, contents: &Contents) -> Option<String> {
    let kept = &before.findings[at];
    let after = after(workspace, contents);
    let is_one = |other: &&Finding| other.check == kept.check && other.region == kept.region;
    let found = counts(&after.findings);
    let rest = before.findings.iter().enumerate();
    let rest = counts(rest.filter(|(other, f)| *other != at && !is_one(f)).map(|(_, f)| f));
    let all = counts(before.findings.iter().filter(|f| !is_one(f)).chain(
        before.findings.iter().enumerate().filter(|(o, f)| *o != at && is_one(f)).map(|(_, f)| f),
    ));
    let lost = rest.iter().any(|(key, count)| found.get(key).is_none_or(|there| there < count));
    let new = found.iter().any(|(key, count)| all.get(key).is_none_or(|there| there < count));
    if lost || new || after.problems.len() != before.problems.len() {
        return Some(format!("{:?}\nbecame\n{:?}", before.findings, after.findings));
    }
    for (path, text) in contents {
        let old = String::from_utf8(workspace.files.read(path).unwrap()).unwrap();
        let new = String::from_utf8(text.clone().unwrap()).unwrap();
        if !is_same_text(&old, &without_keeps(&new, REASON)) {
            return Some(format!("{old}\nbecame\n{new}"));
        }
    }
    None
}

#[test]
fn every_finding_of_every_situation_can_be_kept() {
    let mut checks: BTreeSet<CheckId> = BTreeSet::new();
    let mut failures = String::new();
    for path in fixtures() {
        let (root, _) = unpack(&path);
        let workspace = open(root.path());
        let (report, keeps) = analyse(&workspace, |report, prover| {
            let keeps: Vec<_> = (0..report.findings.len())
                .map(|at| {
                    let change = prover.keeps(&report.findings, &[(at, REASON)]).remove(0)?;
                    prover.propose([&change])
                })
                .collect();
            (report.clone(), keeps)
        });
        for (at, contents) in keeps.iter().enumerate() {
            let finding = &report.findings[at];
            let problem = match contents {
                Ok(contents) => keep(&workspace, &report, at, contents),
                Err(reason) => Some(reason.clone()),
            };
            match problem {
                None => _ = checks.insert(finding.check),
                Some(problem) => {
                    let name = path.file_name().unwrap().display();
                    let check = finding.check.as_str();
                    writeln!(failures, "{name}: {check} {}: {problem}", finding.message).unwrap();
                }
            }
        }
    }
    let missing: Vec<&CheckId> = CheckId::ALL.iter().filter(|id| !checks.contains(id)).collect();
    assert!(failures.is_empty() && missing.is_empty(), "{failures}\nnever kept: {missing:?}");
}

/// A library that uses nothing of what it depends on, and a program that keeps all alive.
fn library(deps: &str, main: &str) -> String {
    let mut text = format!(
        "//- app/BUCK\npython_binary(name = \"app\", main_module = \"app.main\", deps = [\":main\"])\n\
         python_library(\n    name = \"main\",\n    srcs = [\"main.py\"],\n{deps})\n"
    );
    for name in ["a", "b", "c"] {
        writeln!(text, "python_library(name = \"{name}\", srcs = [\"{name}.py\"])").unwrap();
        writeln!(
            text,
            "python_binary(name = \"{name}_bin\", main_module = \"app.{name}\", deps = [\":{name}\"])"
        )
        .unwrap();
    }
    write!(text, "//- app/main.py\n{main}").unwrap();
    for name in ["a", "b", "c"] {
        writeln!(text, "//- app/{name}.py\nNAME = 1").unwrap();
    }
    text
}

/// What becomes of a file when the findings of a check about these dependencies are kept; else why it does not.
fn kept(project: &Project, file: &str, check: CheckId, deps: &[&str]) -> Result<String, String> {
    let workspace = open(&project.path(""));
    let contents = analyse(&workspace, |report, prover| {
        let is_meant = |finding: &Finding| {
            let dep = finding.dep.as_ref().map_or("", |dep| &*dep.name);
            finding.check == check && deps.contains(&dep)
        };
        let all = report.findings.iter().enumerate();
        let meant: Vec<(usize, &str)> =
            all.filter(|(_, f)| is_meant(f)).map(|(at, _)| (at, "why")).collect();
        assert_eq!(meant.len(), deps.len(), "{:?}", report.findings);
        let keeps: Result<Vec<_>, _> = prover.keeps(&report.findings, &meant).into_iter().collect();
        prover.propose(&keeps?)
    })?;
    let path = secateur::source::ProjectPath::new(file);
    Ok(String::from_utf8(contents[&path].clone().unwrap()).unwrap())
}

fn unused(deps: &str, which: &[&str]) -> Result<String, String> {
    let project = Project::new(&library(deps, "print(1)\n"));
    let text = kept(&project, "app/BUCK", CheckId::UnusedDep, which)?;
    let begin = text.find("\"main.py\"],").unwrap() + "\"main.py\"],".len();
    let rest = text[begin..].trim_start_matches(['\r', '\n']);
    Ok(rest[..=rest.find("\n)").unwrap()].to_owned())
}

const WHY: &str = "# secateur: keep[unused-dep] why";

#[test]
fn the_comment_stands_where_it_speaks_of_the_dependency_alone() {
    let cases: &[(&str, &[&str], String)] = &[
        ("    deps = [\":a\"],\n", &["a"], format!("    deps = [\":a\"],  {WHY}\n")),
        (
            "    deps = [\n        \":a\",\n        \":b\",\n    ],\n",
            &["b"],
            format!("    deps = [\n        \":a\",\n        \":b\",  {WHY}\n    ],\n"),
        ),
        (
            "    deps = [\":a\", \":b\"],\n",
            &["b"],
            format!("    deps = [\n        \":a\",\n        \":b\",  {WHY}\n    ],\n"),
        ),
        (
            "    deps = [\":a\", \":b\", \":c\"],\n",
            &["a", "c"],
            format!(
                "    deps = [\n        \":a\",  {WHY}\n        \":b\",\n        \":c\",  {WHY}\n    ],\n"
            ),
        ),
        (
            "    deps = [\n        \":a\", \":b\",\n        \":c\"\n    ],\n",
            &["b"],
            format!(
                "    deps = [\n        \":a\",\n        \":b\",  {WHY}\n        \":c\"\n    ],\n"
            ),
        ),
        (
            "    deps = [\":a\"] + [\":b\"],\n",
            &["b"],
            format!("    deps = [\":a\"] + [\n        \":b\",  {WHY}\n    ],\n"),
        ),
        (
            "    deps = [\n        \":a\",  # for the host\n    ],\n",
            &["a"],
            format!("    deps = [\n        {WHY}\n        \":a\",  # for the host\n    ],\n"),
        ),
        (
            "    deps = [\n        # secateur: keep[broken-label] old\n        \":a\",\n    ],\n",
            &["a"],
            format!(
                "    deps = [\n        # secateur: keep[broken-label] old\n        \":a\",  {WHY}\n    ],\n"
            ),
        ),
        (
            "    deps = [\r\n        \":a\",  # x\r\n    ],\r\n",
            &["a"],
            format!("    deps = [\r\n        {WHY}\r\n        \":a\",  # x\r\n    ],\r\n"),
        ),
    ];
    for (deps, which, expected) in cases {
        assert_eq!(unused(deps, which).as_ref(), Ok(expected), "{deps}");
    }
}

#[test]
fn a_comment_in_a_source_speaks_of_one_import() {
    let source =
        "#!/usr/bin/env python3\nimport app.a  # noqa: F401\nimport app.b\nimport app.a, app.c\n";
    let project = Project::new(&library("    deps = [\":all\"],\n", source).replace(
        "python_library(name = \"a\"",
        "python_library(name = \"all\", srcs = [\"all.py\"], deps = [\":a\", \":b\", \":c\"])\npython_library(name = \"a\"",
    ));
    project.add("app/all.py", "import app.a, app.b, app.c\n");
    let keep = |deps: &[&str]| kept(&project, "app/main.py", CheckId::TransitiveDep, deps);
    let why = "# secateur: keep[transitive-dep] why";
    let beside = |line: &str| source.replace(line, &format!("{line}  {why}"));
    assert_eq!(keep(&["a"]).unwrap(), beside("# noqa: F401"));
    assert_eq!(keep(&["b"]).unwrap(), beside("import app.b"));
    let both = keep(&["a", "b"]).unwrap();
    assert_eq!(both.matches(why).count(), 2, "{both}");
    project.add("app/main.py", "import app.a, app.c\n");
    assert!(keep(&["a"]).unwrap_err().contains("would silence another `transitive-dep`"));
    assert_eq!(keep(&["a", "c"]).unwrap(), format!("import app.a, app.c  {why}\n"));
    project.add("app/main.py", "import \\\n    app.a\n");
    assert!(
        keep(&["a"]).unwrap().starts_with(&format!("{why}\nimport"))
            || keep(&["a"]).unwrap().ends_with(&format!("{why}\n"))
    );
}

fn fingerprint(project: &Project, check: &str) -> String {
    let json: serde_json::Value =
        serde_json::from_str(&project.secateur("lint --format json").out).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == check).unwrap();
    finding["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn the_command_writes_what_undo_takes_back() {
    let project = Project::new(&library("    deps = [\":a\"],\n", "print(1)\n"));
    let old = crate::apply::snapshot(&project.path(""));
    let which = fingerprint(&project, "unused-dep");
    let diff = project.secateur(&format!("keep {which} --reason @manual --diff"));
    assert!(
        diff.out.contains("+    deps = [\":a\"],  # secateur: keep[unused-dep] manual"),
        "{diff:?}"
    );
    assert_eq!(crate::apply::snapshot(&project.path("")), old);
    let done = project.secateur(&format!("keep {} --reason why", &which[..8]));
    assert_eq!(done.out, "wrote to 1 file; `secateur undo 0001` takes it back\n", "{done:?}");
    assert!(!project.secateur("lint").out.contains("unused-dep"));
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
    assert_eq!(crate::apply::snapshot(&project.path("")), old);
    let unknown = project.secateur("keep zz --reason why");
    assert_eq!(unknown.exit, Exit::Failed);
    assert!(unknown.err.contains("no finding has the fingerprint `zz`"), "{unknown:?}");
}
