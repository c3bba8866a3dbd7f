//! The script for buildozer: what it says, and what comes of it. `BUILDOZER` names the program; without it, the script is only
//! looked at.

use crate::journey::sample;
use crate::support::Project;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn script(project: &Project) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    project.secateur(&format!("codemod --buildozer {}", file.display()));
    fs::read_to_string(file).unwrap()
}

/// Every dependency: who, on whom, and the attribute. Besides, every target with its kind and sources.
fn graph(project: &Project) -> BTreeSet<[String; 3]> {
    let mut graph = BTreeSet::new();
    for line in project.secateur("graph --of targets --format jsonl").out.lines() {
        let target: serde_json::Value = serde_json::from_str(line).unwrap();
        let label = target["label"].as_str().unwrap();
        graph.insert([label.to_owned(), target["kind"].to_string(), target["srcs"].to_string()]);
        for dep in target["deps"].as_array().unwrap() {
            let text = |key: &str| dep[key].as_str().unwrap().to_owned();
            graph.insert([label.to_owned(), text("label"), text("attr")]);
        }
    }
    graph
}

#[test]
fn the_script_says_what_buildozer_can_do_and_what_it_cannot() {
    insta::assert_snapshot!(script(&sample()), @r"
    # At the project root: buildozer -shorten_labels=false -f FILE
    remove deps //eta/data:schema|add deps :schema|//eta/data:dataset
    remove deps :readers|//eta/data:sampling
    fix unusedLoads|//eta/models:__pkg__
    remove deps //third-party/pypi/acme-geo:acme-geo|//eta/models:mlp
    remove deps root//eta/models:linear|add deps :linear|//eta/models:zoo
    # //eta/serving:__pkg__: remove the comment in line 82: buildozer takes no comment out of several
    # //eta/serving:batcher: remove `platform//flags:flags` from `deps`: the literal stands in eta/serving/deps.bzl:6
    # //eta/serving:handlers: remove `platform//flags:flags` from `deps`: the literal stands in eta/serving/deps.bzl:6
    # //eta/training:callbacks: remove `root//eta/data:schema` from `deps`: a macro in eta/training/targets.bzl makes the target
    add deps :metrics|//eta/training:evaluate_lib
    remove deps //eta/models:linear|//eta/training:optim
    remove deps :metrics|//eta/training:trainer
    # eta/training/targets.bzl:__pkg__: remove the symbol loaded in line 3: the `load` stands in eta/training/targets.bzl
    ");
}

/// A label that stands twice, once as buildozer would take it for the other; one in a branch; and an unused symbol.
const SPELLINGS: &str = r#"
//- app/BUCK
load(":defs.bzl", "one", "two")
python_binary(name = "app", main = "app.py", deps = ["//app:x", ":x", ":spare"], labels = one)
python_binary(name = "other", main = "app.py", deps = ["//app:x"] + select({"DEFAULT": [":x"]}))
python_binary(name = "third", main = "third.py", deps = [":spare"])
python_library(name = "x", srcs = ["x.py"])
python_library(name = "spare", srcs = ["spare.py"])
python_binary(name = "spare_bin", main_module = "app.spare", deps = [":spare"])
//- app/defs.bzl
one = []
two = []
//- app/app.py
import app.x
//- app/third.py
A = 1
//- app/x.py
A = 1
//- app/spare.py
A = 1
"#;

#[test]
fn a_label_that_stays_in_another_spelling_is_put_back() {
    insta::assert_snapshot!(script(&Project::new(SPELLINGS)), @r"
    # At the project root: buildozer -shorten_labels=false -f FILE
    fix unusedLoads|//app:__pkg__
    remove deps :spare :x|add deps //app:x|//app:app
    remove deps :x|add deps //app:x|//app:other
    remove deps :spare|//app:third
    ");
}

/// Runs the script of one project, fixes the other, and compares.
fn compare(by_script: &Project, by_us: &Project, buildozer: &Path) {
    let script = script(by_script);
    let file = by_script.path("script");
    fs::write(&file, &script).unwrap();
    let mut command = Command::new(buildozer);
    command.args(["-shorten_labels=false", "-f"]).arg(&file).current_dir(by_script.path(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    by_us.secateur("lint --fix");
    let (theirs, ours) = (graph(by_script), graph(by_us));
    let missed: BTreeSet<String> = ours
        .symmetric_difference(&theirs)
        .map(|[from, to, attr]| {
            let from = from.trim_start_matches("root");
            format!("# {from}: remove `{to}` from `{attr}`")
        })
        .collect();
    let is_dep_note = |line: &&str| line.starts_with('#') && line.contains("` from `");
    let notes = script.lines().filter(is_dep_note);
    let notes = notes.map(|line| line.rsplit_once(": ").unwrap().0.to_owned());
    assert_eq!(missed, notes.collect());
    by_script.secateur("lint --fix");
    assert_eq!(graph(by_script), ours, "what the script leaves is left to do");
}

#[test]
fn buildozer_comes_to_the_same_graph() {
    let Some(buildozer) = std::env::var_os("BUILDOZER") else { return };
    compare(&sample(), &sample(), Path::new(&buildozer));
    compare(&Project::new(SPELLINGS), &Project::new(SPELLINGS), Path::new(&buildozer));
}
