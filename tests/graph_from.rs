//! `--graph-from` and `doctor`: what a real Buck2 printed about `tests/buck2/repo`, and what is made up to differ.

use crate::support::{Outcome, Project, repository, secateur, secateur_in};
use secateur::cli::{Exit, Surroundings};
use secateur::workspace::Environment;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const RECORDINGS: [&str; 4] =
    ["targets.json", "targets.jsonl", "targets-streaming.json", "targets-streaming.jsonl"];

fn recorded(name: &str) -> PathBuf {
    repository().join("tests/buck2").join(name)
}

fn in_repo(args: &str) -> Outcome {
    secateur(&recorded("repo"), args)
}

fn with_graph(args: &str, file: &Path) -> Outcome {
    in_repo(&format!("{args} --graph-from {}", file.display()))
}

fn jsonl(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn as_lines(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What change detectors ask Buck2 for: no attributes but `labels` and `tests`, and files with what they load in between.
fn as_change_detectors_have_it() -> String {
    let mut lines = vec![
        json!({"buck.package": "root//app", "buck.file": "root//app/BUCK", "buck.imports": []}),
    ];
    for mut target in jsonl(&fs::read_to_string(recorded("targets.jsonl")).unwrap()) {
        let object = target.as_object_mut().unwrap();
        object.retain(|key, _| key.starts_with("buck.") || key == "name");
        object.insert("buck.target_hash".to_owned(), json!("43ce1a7a56f10225"));
        object.insert("labels".to_owned(), json!(["ci:linux"]));
        lines.push(target);
    }
    lines.push(json!({"buck.file": "root//lib/num/defs.bzl", "buck.imports": []}));
    as_lines(&lines)
}

#[test]
fn a_recording_gives_the_findings_of_our_own_evaluation() {
    let own = in_repo("lint");
    assert!(own.out.contains("4 findings: 4 warnings; 3 safe fixes computed"), "{}", own.out);
    let project = Project::new("");
    project.add("btd.jsonl", &as_change_detectors_have_it());
    let files = RECORDINGS.map(recorded).into_iter();
    for file in files.chain([recorded("cquery.json"), project.path("btd.jsonl")]) {
        let cost = "cost --commits 0 --format json";
        let edges = |outcome: Outcome| {
            let report: Value = serde_json::from_str(&outcome.out).unwrap();
            let rows = report["edges"].as_array().unwrap().clone();
            rows.iter().map(|row| format!("{} {}", row["from"], row["to"])).collect::<BTreeSet<_>>()
        };
        assert_eq!(edges(with_graph(cost, &file)), edges(in_repo(cost)));
        for args in ["lint", "lint --format json --edits all", "lint --diff"] {
            assert_eq!(with_graph(args, &file), in_repo(args), "{args} {}", file.display());
        }
    }
}

/// The graph that we print, in the words of Buck2.
fn in_words_of_buck2(graph: &str) -> String {
    let line = |target: Value| {
        let text = |key: &str| target[key].as_str().unwrap().to_owned();
        let (label, build_file) = (text("label"), text("build_file"));
        let (package, name) = label.split_once(':').unwrap();
        let dir = build_file.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
        let slash = if package.ends_with("//") { "" } else { "/" };
        let input = |path: &String| format!("{package}{slash}{}", path.strip_prefix(&dir).unwrap());
        let deps = target["deps"].as_array().unwrap().iter().map(|dep| &dep["label"]);
        json!({
            "name": name,
            "buck.package": package,
            "buck.type": format!("prelude//rules.bzl:{}", text("kind").trim_start_matches('?')),
            "buck.deps": deps.collect::<Vec<_>>(),
            "buck.inputs": texts(&target["srcs"]).iter().map(input).collect::<Vec<_>>(),
        })
    };
    as_lines(&jsonl(graph).into_iter().map(line).collect::<Vec<_>>())
}

#[test]
fn our_own_graph_changes_nothing() {
    let project = Project::new("");
    for sample in ["ml-monorepo", "fbcode-export"] {
        let dir = repository().join("sample-repos").join(sample);
        let lint = "lint --format json --min-confidence likely";
        let own = secateur(&dir, lint);
        project.add("graph.jsonl", &in_words_of_buck2(&secateur(&dir, "graph").out));
        let file = project.path("graph.jsonl");
        let graph = secateur(&dir, &format!("{lint} --graph-from {}", file.display()));
        let [own, graph] = [own, graph].map(|outcome| {
            let report: Value = serde_json::from_str(&outcome.out).unwrap();
            report["findings"].clone()
        });
        assert!(own.as_array().unwrap().len() > 5 && own == graph, "{sample}: {own} {graph}");
    }
}

#[test]
fn the_graph_of_targets_is_that_of_buck2() {
    let printed = jsonl(&fs::read_to_string(recorded("targets.jsonl")).unwrap());
    let is_tool =
        |label: &String| label.starts_with("prelude//") || label.starts_with("toolchains//");
    for (graph, is_told) in
        [(None, false), (Some("targets.jsonl"), true), (Some("targets.json"), true)]
    {
        let outcome = match graph {
            None => in_repo("graph"),
            Some(file) => with_graph("graph", &recorded(file)),
        };
        let mut ours = jsonl(&outcome.out);
        ours.retain(|target| target["label"].as_str().unwrap().starts_with("root//"));
        assert_eq!(ours.len(), printed.len());
        for (ours, theirs) in ours.iter().zip(&printed) {
            let [package, name, rule] =
                ["buck.package", "name", "buck.type"].map(|key| theirs[key].as_str().unwrap());
            assert_eq!(ours["label"], format!("{package}:{name}"));
            assert_eq!(rule, format!("prelude//rules.bzl:{}", ours["kind"].as_str().unwrap()));
            let mut deps = texts(&theirs["buck.deps"]);
            // Without Buck2, nobody knows what rules have by themselves.
            deps.retain(|label| is_told || !is_tool(label));
            let our_deps = ours["deps"].as_array().unwrap().iter();
            let our_deps: BTreeSet<String> =
                our_deps.map(|dep| dep["label"].as_str().unwrap().to_owned()).collect();
            assert_eq!(our_deps, deps, "{name}");
            let inputs = texts(&theirs["buck.inputs"]);
            let sources = texts(&ours["srcs"]).iter().map(|path| format!("root//{path}")).collect();
            assert_eq!(inputs, sources, "{name}");
        }
        let num = ours.iter().find(|target| target["label"] == "root//lib/num:num").unwrap();
        let branch = json!({"label": "root//lib/text:unused", "attr": "deps"});
        assert!(num["deps"].as_array().unwrap().contains(&branch), "a branch of a select is lost");
    }
}

#[test]
fn doctor_finds_no_difference_in_a_recording() {
    for file in RECORDINGS.map(recorded) {
        let outcome = with_graph("doctor", &file);
        assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""));
        let end = "\nno differences; 54 more dependencies are the rules' own; 1 package not in Buck2's graph, `toolchains//` the first\n";
        assert!(outcome.out.ends_with(end), "{}", outcome.out);
        assert!(outcome.out.contains("9 targets in "), "{}", outcome.out);
    }
    let outcome = with_graph("doctor", &recorded("cquery.json"));
    assert!(outcome.out.contains("\nno differences; "), "{}", outcome.out);
}

/// `//a:lib` is made by a macro that is not there; `//a:app` has a dependency too many.
const MACROS: &str = r#"
//- a/BUCK
load("//gone:defs.bzl", "my_library")
my_library(name = "lib", srcs = ["lib.py"], deps = ["//b:one", "//b:two"])
python_binary(name = "app", main_module = "a.lib", deps = [":lib", "//b:two"])
python_library(name = "ghost", srcs = ["ghost.py"])
//- a/lib.py
import b.one
//- a/ghost.py
X = 1
//- a/extra.py
import b.two
//- b/BUCK
python_library(name = "one", srcs = ["one.py"], visibility = ["PUBLIC"])
python_library(name = "two", srcs = ["two.py"], visibility = ["PUBLIC"])
//- b/one.py
X = 1
//- b/two.py
X = 1
"#;

fn target(label: &str, rule: &str, deps: &[&str], attrs: Value) -> Value {
    let (package, name) = label.split_once(':').unwrap();
    let mut object = json!({
        "buck.type": format!("prelude//rules.bzl:{rule}"),
        "buck.deps": deps,
        "buck.package": package,
        "name": name,
        "visibility": ["PUBLIC"],
    });
    let attrs = attrs.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(attrs);
    object
}

fn library(label: &str, source: &str, deps: &[&str]) -> Value {
    target(label, "python_library", deps, json!({"srcs": [source], "deps": deps}))
}

/// What Buck2 would say: the macro drops `//b:two` and makes a second target, and `ghost` is not there.
fn truth() -> Vec<Value> {
    let tools = ["root//a:lib", "root//b:two", "toolchains//:python"];
    let attrs = json!({"main_module": "a.lib", "deps": ["root//a:lib", "root//b:two"]});
    vec![
        target("root//a:app", "python_binary", &tools, attrs),
        library("root//a:lib", "root//a/lib.py", &["root//b:one"]),
        library("root//a:lib-extra", "root//a/extra.py", &["root//b:two"]),
        library("root//b:one", "root//b/one.py", &[]),
        library("root//b:two", "root//b/two.py", &[]),
    ]
}

fn write(project: &Project, lines: &[Value]) {
    project.add("graph.jsonl", &as_lines(lines));
}

#[test]
fn buck2_decides_and_literals_stay_where_both_agree() {
    let project = Project::new(MACROS);
    write(&project, &truth());
    let graph = jsonl(&project.secateur("graph --graph-from graph.jsonl").out);
    let labels: Vec<&str> = graph.iter().map(|it| it["label"].as_str().unwrap()).collect();
    let expected =
        ["root//a:app", "root//a:lib", "root//a:lib-extra", "root//b:one", "root//b:two"];
    assert_eq!(labels, expected);
    assert_eq!(graph[1]["kind"], "python_library");
    assert_eq!(graph[1]["deps"], json!([{"label": "root//b:one", "attr": "deps"}]));
    assert_eq!(graph[2]["modules"], json!([{"module": "a.extra", "path": "a/extra.py"}]));
    // What the macro drops is not reported, what the binary has too much is, and can be fixed.
    let report = project.secateur("lint --format json --check unused-dep --graph-from graph.jsonl");
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!([&finding["target"], &finding["dep"]], ["root//a:app", "root//b:two"]);
    assert_eq!((&finding["path"], &finding["line"]), (&json!("a/BUCK"), &json!(3)));
    assert_eq!(finding["confidence"], "certain");
    assert_eq!(report["coverage"]["unknown_rules"], 0);
    let fixed = project.secateur("lint --check unused-dep --fix --graph-from graph.jsonl");
    // Afterwards nothing is found, though the graph is that of the files as they were.
    assert!(fixed.out.contains("no findings"), "{}{}", fixed.out, fixed.err);
    let text = fs::read_to_string(project.path("a/BUCK")).unwrap();
    assert!(
        text.contains("deps = [\":lib\"])") && text.contains("\"//b:one\", \"//b:two\""),
        "{text}"
    );
}

#[test]
fn a_literal_that_may_feed_more_than_was_found_is_no_safe_fix() {
    let of_lib = |project: &Project| {
        let args = "lint --format json --edits all --check unused-dep --graph-from graph.jsonl";
        let report: Value = serde_json::from_str(&project.secateur(args).out).unwrap();
        let mut findings = report["findings"].as_array().unwrap().clone();
        findings.retain(|finding| finding["target"] == "root//a:lib");
        assert_eq!(findings.len(), 1, "{report}");
        (findings[0]["confidence"].clone(), findings[0]["fix"]["safety"].clone())
    };
    let unsure = (json!("likely"), json!("unsafe"));
    // The macro hands the literal to a second target, which needs it.
    let project = Project::new(MACROS);
    let mut lines = truth();
    lines[1] = library("root//a:lib", "root//a/lib.py", &["root//b:one", "root//b:two"]);
    write(&project, &lines);
    assert_eq!(of_lib(&project), unsure);
    // So may a variable be used where nobody has looked.
    let build_file = |deps: &str| {
        format!(
            "DEPS = [\"//b:two\"]\npython_library(name = \"lib\", srcs = [\"lib.py\"], deps = [\"//b:one\"] + {deps})\n\
             python_binary(name = \"app\", main_module = \"a.lib\", deps = [\":lib\", \"//b:two\"])\n"
        )
    };
    project.add("a/BUCK", &build_file("DEPS"));
    assert_eq!(of_lib(&project), unsure);
    project.add("a/BUCK", &build_file("[\"//b:two\"]"));
    assert_eq!(of_lib(&project), (json!("certain"), json!("safe")));
}

#[test]
fn what_only_buck2_has_is_fixed_by_hand() {
    let project = Project::new(MACROS);
    let mut lines = truth();
    lines[3] = library("root//b:one", "root//b/one.py", &["root//b:two"]);
    write(&project, &lines);
    let report = project
        .secateur("lint --format json --edits all --check unused-dep --graph-from graph.jsonl");
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let added = findings.iter().find(|finding| finding["target"] == "root//b:one").unwrap();
    assert_eq!(
        (&added["path"], &added["line"], &added["fix"]),
        (&json!("b/BUCK"), &json!(1), &Value::Null)
    );
    // A target without a place in the files cannot be deleted by us.
    lines.push(library("root//b:two-more", "root//b/two.py", &[]));
    write(&project, &lines);
    let before = fs::read_to_string(project.path("b/BUCK")).unwrap();
    project.secateur("lint --fix=all --graph-from graph.jsonl");
    let after = fs::read_to_string(project.path("b/BUCK")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn doctor_explains_each_difference() {
    let project = Project::new(MACROS);
    write(&project, &truth());
    let outcome = project.secateur("doctor --graph-from graph.jsonl");
    assert_eq!(outcome.exit, Exit::Findings, "{}", outcome.err);
    let cause = "`my_library` is not known here: a/BUCK:1: cannot load `//gone:defs.bzl`";
    for expected in [
        "\nroot//a:ghost\n  Buck2 has no such target\n".to_owned(),
        format!("\nroot//a:lib\n  `python_library` for Buck2, `?my_library` here\n    {cause}"),
        format!("\n  Buck2 has no `root//b:two` in `deps`\n    {cause}"),
        "\nroot//a:lib-extra\n  only Buck2 has this target\n    a macro that is not known may make it: a/BUCK:1: cannot load"
            .to_owned(),
        "differences; 1 more dependencies are the rules' own\n".to_owned(),
    ] {
        assert!(outcome.out.contains(&expected), "no {expected:?} in {}", outcome.out);
    }
    let outcome = project.secateur("doctor --format json --graph-from graph.jsonl");
    let json: Value = serde_json::from_str(&outcome.out).unwrap();
    let schema = fs::read_to_string(repository().join("docs/schema/doctor.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&json), "{:?}", validator.iter_errors(&json).next());
    let difference = json!({
        "target": "root//a:lib", "what": "dep", "only": "secateur", "attr": "deps", "value": "root//b:two",
    });
    let found = json["buck2"]["differences"].as_array().unwrap().iter().any(|found| {
        difference.as_object().unwrap().iter().all(|(key, value)| found[key] == *value)
    });
    assert!(found, "{json}");
}

#[test]
fn a_package_that_buck2_cannot_evaluate_is_counted() {
    let project = Project::new(MACROS);
    let mut lines = truth();
    lines.retain(|line| line["buck.package"] == "root//a");
    lines.push(
        json!({"buck.package": "root//b", "buck.error": "\nevaluation of b failed\nat line 3"}),
    );
    write(&project, &lines);
    let outcome = project.secateur("lint -v --fail-on never --graph-from graph.jsonl");
    assert_eq!(outcome.exit, Exit::Incomplete, "{}{}", outcome.out, outcome.err);
    assert!(
        outcome.out.contains("Buck2 cannot evaluate it: evaluation of b failed"),
        "{}",
        outcome.out
    );
    let outcome = project.secateur("doctor --graph-from graph.jsonl");
    assert!(
        outcome.out.contains("cannot evaluate root//b: evaluation of b failed"),
        "{}",
        outcome.out
    );
}

#[test]
fn doctor_looks_at_the_set_up_alone_where_there_is_no_buck2() {
    let outcome = in_repo("doctor");
    assert_eq!(outcome.exit, Exit::Clean);
    assert!(
        outcome.out.contains("prelude (bundled with Buck2), root, toolchains"),
        "{}",
        outcome.out
    );
    assert!(
        outcome.out.ends_with("`buck2 targets //... --json-lines` printed\n"),
        "{}",
        outcome.out
    );
    let project = Project::new("//- BUCK\npython_library(name = 1 + \"\")\n");
    let outcome = project.secateur("doctor");
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(outcome.out.contains("part of 1 build file could not be read"), "{}", outcome.out);
}

/// A program `buck2` that says what a script says.
fn with_buck2(project: &Project, script: &str, args: &str) -> Outcome {
    project.add("bin/buck2", &format!("#!/bin/sh\n{script}\n"));
    let program = project.path("bin/buck2");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let environment = Environment { current_dir: recorded("repo"), ..Environment::default() };
    let path = Some(project.path("bin").into_os_string());
    secateur_in(&Surroundings { environment, path, ..Surroundings::default() }, args)
}

#[test]
fn buck2_itself_is_asked() {
    let project = Project::new("");
    let says = format!(
        "echo \"$PWD $*\" > {}; cat {}",
        project.path("asked").display(),
        recorded("targets.jsonl").display()
    );
    let outcome = with_buck2(&project, &says, "lint -c a.b=c --graph-from buck2");
    assert_eq!(outcome.out, in_repo("lint").out);
    let asked = fs::read_to_string(project.path("asked")).unwrap();
    let expected = "repo targets //... --json-lines --streaming --keep-going -c a.b=c\n";
    assert!(asked.ends_with(expected), "{asked}");
    let outcome = with_buck2(&project, &says, "doctor");
    assert!(outcome.out.contains("9 targets in buck2\n\nno differences"), "{}", outcome.out);
    // An error of a package makes Buck2 fail, and is an entry of its own.
    let says =
        format!("{says}; echo '{{\"buck.package\":\"root//x\",\"buck.error\":\"no\"}}'; exit 3");
    let outcome = with_buck2(&project, &says, "doctor");
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(outcome.out.contains("cannot evaluate root//x: no\n"), "{}", outcome.out);
}

#[test]
fn without_an_answer_there_is_no_verdict() {
    let project = Project::new("");
    let cut = format!("head -c 3000 {}", recorded("targets.jsonl").display());
    for (script, expected) in [
        ("exit 1", "`buck2 targets //...` failed"),
        ("echo '[]'", "there are no targets in it"),
        (&*cut, "it ends in the middle of a value"),
        (&*format!("cat {}; exit 3", recorded("targets.jsonl").display()), "failed"),
    ] {
        let outcome = with_buck2(&project, script, "lint --graph-from buck2");
        assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Failed, ""), "{script}");
        assert!(outcome.err.contains(expected), "{script}: {}", outcome.err);
    }
    let outcome = in_repo("doctor --graph-from buck2");
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(outcome.err.contains("there is no `buck2` on PATH"), "{}", outcome.err);
}

#[test]
fn odd_graphs_are_no_reason_to_stop() {
    let project = Project::new(MACROS);
    let odd = |attrs: Value| target("root//a:lib", "python_library", &["root//b:one"], attrs);
    for line in [
        odd(json!({"deps": "root//b:one", "srcs": null})),
        odd(json!({"deps": {"root//b:one": [1, [2, {"x": [null]}]]}, "srcs": 7})),
        odd(
            json!({"srcs": {"../../../x.py": "root//a/lib.py"}, "base_module": "....", "deps": true}),
        ),
        odd(
            json!({"deps": [{"__type": "selector", "entries": {"DEFAULT": {"__type": "concat", "items": []}}}]}),
        ),
        target("root//nowhere/at/all:x", "python_library", &["nocell//x:y[out]"], json!({})),
        target("root//../..:x", "python_library", &[], json!({"srcs": ["root//../../etc/passwd"]})),
        target("nocell//a:x", "my_rule", &[], json!({"deps": ["root//a:lib"]})),
        target(
            "root//:top",
            "my_rule",
            &["root//a:lib"],
            json!({"what": ["root//a:lib"], "files": ["root//a"]}),
        ),
        target("root//a:lib", "my_rule", &["root//b:one"], json!({"deps": ["root//b:one"]})),
        target("root//a:made", "genrule", &[], json!({"cmd": "$(location", "out": "x"})),
        json!({"root//a:lib (cfg#1) (cfg#2)": {"buck.deps": ["root//b:one (cfg#1)"], "srcs": ["root//a/lib.py"]}}),
    ] {
        write(&project, std::slice::from_ref(&line));
        for args in ["lint", "graph", "doctor", "cost --commits 0", "why a.lib"] {
            let outcome = project.secateur(&format!("{args} --graph-from graph.jsonl"));
            let is_answered = outcome.exit != Exit::Failed || args == "why a.lib";
            assert!(is_answered, "{args}: {line}: {}", outcome.err);
        }
    }
}
