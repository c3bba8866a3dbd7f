//! Files and directories that the user may not read: said with their place, and nothing else is lost.

use crate::support::Project;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A user that owns nothing; root may read everything, so the tests run as somebody else where they can.
const NOBODY: u32 = 65534;

const PROJECT: &str = r#"
//- good/BUCK
python_binary(name = "app", main_module = "good.main", deps = [":main"])
python_library(name = "main", srcs = ["main.py"], deps = ["//bad:open", "//shut:lib", ":spare"])
python_library(name = "spare", srcs = ["spare.py"])
//- good/main.py
print("main")
//- good/spare.py
NAME = "spare"
//- bad/BUCK
python_library(name = "open", srcs = ["shut.py"])
//- bad/shut.py
import good.spare
//- shut/BUCK
python_library(name = "lib", srcs = [])
"#;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Lints as a user without privileges, with a copy of the program that this user can reach.
fn lint(project: &Project) -> Value {
    let dir: TempDir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o755);
    set_mode(&project.path(""), 0o755);
    let program = dir.path().join("secateur");
    fs::copy(env!("CARGO_BIN_EXE_secateur"), &program).unwrap();
    let run = |uid: Option<u32>| {
        let mut command = Command::new(&program);
        command.env_clear().current_dir(project.path("")).args(["lint", "--format", "json"]);
        command.env("XDG_CACHE_HOME", dir.path());
        uid.map(|uid| command.uid(uid));
        loop {
            match command.output() {
                // A process that another test has just started still holds the copy open for writing.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                    thread::sleep(Duration::from_millis(5));
                }
                output => return output,
            }
        }
    };
    let output = run(Some(NOBODY)).or_else(|_| run(None)).unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Nothing that was read uses it, but something that was not may lean on it.
fn check_spare(report: &Value) {
    let of =
        |finding: &&Value| finding["check"] == "unused-dep" && finding["dep"] == "root//good:spare";
    let found = report["findings"].as_array().unwrap().iter().find(of).unwrap();
    assert_eq!(found["confidence"], "likely", "{report:#}");
    assert!(report["summary"]["dead-target"].is_null(), "{report:#}");
}

fn findings(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter_map(|finding| finding["dep"].as_str()).collect()
}

#[test]
fn a_directory_that_cannot_be_read_is_no_empty_one() {
    let project = Project::new(PROJECT);
    set_mode(&project.path("shut"), 0o000);
    let report = lint(&project);
    set_mode(&project.path("shut"), 0o755);
    assert_eq!(report["coverage"]["packages"], 2, "{report:#}");
    assert!(!findings(&report).contains(&"root//shut:lib"), "{report:#}");
    assert_eq!(report["coverage"]["packages_failed"], 1, "{report:#}");
    check_spare(&report);
}

#[test]
fn files_that_cannot_be_read_are_counted() {
    let project = Project::new(PROJECT);
    set_mode(&project.path("shut/BUCK"), 0o000);
    set_mode(&project.path("bad/shut.py"), 0o000);
    let report = lint(&project);
    assert_eq!(report["coverage"]["packages_failed"], 1, "{report:#}");
    assert_eq!(report["coverage"]["python_files_failed"], 1, "{report:#}");
    check_spare(&report);
}
