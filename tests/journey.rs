//! What people do with fixes on the command line: look, make them, take them back, hand them out.

use crate::support::{Project, files_below, repository};
use secateur::cli::Exit;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A copy of the sample.
pub fn sample() -> Project {
    let project = Project::new("");
    for file in files_below("sample-repos/ml-monorepo") {
        let path = file.strip_prefix("sample-repos/ml-monorepo/").unwrap();
        project.add(path, "");
        fs::copy(repository().join(&file), project.path(path)).unwrap();
    }
    project
}

/// The contents of all files that are not hidden.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn visit(dir: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if [".git", ".secateur"].iter().any(|hidden| name == *hidden) {
                continue;
            }
            if path.is_dir() {
                visit(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(dir, dir, &mut found);
    found
}

fn git(dir: &Path, args: &[&str]) {
    let name = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "core.autocrlf=false"];
    let output = Command::new("git").args(name).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn fixes_are_shown_then_made_then_taken_back() {
    let project = sample();
    let before = contents(&project.path(""));
    let diff = project.secateur("lint --diff").out;
    assert!(diff.contains("\n-        \":readers\",\n"), "{diff}");
    assert_eq!(contents(&project.path("")), before, "a diff writes nothing");
    let fixed = project.secateur("lint --fix --exit-zero");
    assert_eq!(fixed.exit, Exit::Clean);
    assert!(fixed.out.ends_with("files; `secateur undo 0001` takes it back\n"), "{}", fixed.out);
    assert_ne!(contents(&project.path("")), before);
    assert_eq!(project.secateur("lint --diff").out, "", "nothing is left to fix");
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
    assert_eq!(contents(&project.path("")), before);
}

#[test]
fn a_report_carries_the_edits_that_the_diff_shows() {
    let project = sample();
    let report = project.secateur("lint --format json --check unused-dep --exit-zero").out;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let readers = findings.iter().find(|f| f["dep"] == "root//eta/data:readers").unwrap();
    assert_eq!(readers["fix"]["safety"], "safe");
    let edit = &readers["fix"]["edits"][0];
    let text = fs::read_to_string(project.path(edit["path"].as_str().unwrap())).unwrap();
    let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
    assert_eq!(&text[at("start")..at("end")], "        \":readers\",\n");
    assert_eq!(edit["replacement"], "");
    let unsafe_one = findings.iter().find(|f| f["confidence"] != "certain");
    assert!(unsafe_one.is_none_or(|f| f["fix"].is_null()), "{unsafe_one:?}");
}

#[test]
fn patches_for_each_owner_apply_in_order_and_come_to_the_same() {
    let (project, fixed) = (sample(), sample());
    fixed.secateur("lint --fix");
    let root = project.path("");
    git(&root, &["init", "-q", "."]);
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-qm", "base"]);
    let out = tempfile::tempdir().unwrap();
    let made = project.secateur(&format!("codemod --by owner --out {}", out.path().display()));
    assert_eq!(made.exit, Exit::Findings, "{}", made.err);
    let mut patches: Vec<_> =
        fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    patches.sort();
    assert!(patches.len() > 1, "{patches:?}");
    for patch in &patches {
        let text = fs::read_to_string(patch).unwrap();
        assert!(text.contains("(certain)\n  "), "no evidence in {text}");
        git(&root, &["am", "-q", patch.to_str().unwrap()]);
        let report = project.secateur("lint --exit-zero");
        assert_eq!(report.exit, Exit::Clean);
    }
    assert_eq!(contents(&root), contents(&fixed.path("")));
    assert_eq!(project.secateur("codemod").exit, Exit::Clean);
}

#[test]
fn a_plan_is_the_same_every_time() {
    let project = sample();
    for command in ["codemod --json --fix all --by package", "codemod --fix all --by target"] {
        let one = project.secateur(&format!("-j 1 {command}"));
        assert_eq!(one, project.secateur(&format!("-j 4 {command}")));
    }
}
