//! Exit codes: every row of the table in the help, and what `--explain-exit` says of it.

use crate::support::{Outcome, Project};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

const CLEAN: &str = "
//- app/BUCK
python_binary(name = \"app\", main = \"main.py\", deps = [])
//- app/main.py
import os
";

/// A warning: a dependency too many.
const WARNING: &str = "
//- app/BUCK
python_library(name = \"lib\", srcs = [\"lib.py\"])
python_binary(name = \"app\", main = \"main.py\", deps = [\":lib\"])
python_test(name = \"test\", srcs = [\"test.py\"], deps = [\":lib\"])
//- app/main.py
import os
//- app/lib.py
//- app/test.py
import app.lib
";

/// A build file of which a part cannot be read.
const BROKEN: &str = "
//- broken/BUCK
python_library(name = \"x\",
";

/// A setting that does not exist.
const BAD_SETTING: &str = "
//- secateur.toml
[lint]
fial-on = \"error\"
";

const NO_FINDINGS: &str = "exit code 0: no findings, and everything was read\n";
const FOUND: &str = "exit code 1: 1 of 1 finding is at or above fail-on = warning\n\
    to exit with 0: fix or keep them, write a baseline, raise --fail-on, or give --exit-zero\n";
const BELOW: &str =
    "exit code 0: none of 1 finding is at or above --fail-on error, and everything was read\n";
const NEVER: &str =
    "exit code 0: 1 finding, none of which fails with fail-on = never, and everything was read\n";
const ZERO: &str = "exit code 0: --exit-zero is given; else it would be 1: 1 of 1 finding is at or above fail-on = warning\n";
const UNREAD: &str =
    "exit code 3: no findings, but part of the repository could not be read: broken/BUCK:";
const ALLOWED: &str =
    "exit code 0: no findings; part of the repository could not be read: broken/BUCK:";

#[test]
fn every_exit_code_has_its_reason() {
    for (files, args, code, said) in [
        (vec![CLEAN], "lint", 0, NO_FINDINGS),
        (vec![WARNING], "lint", 1, FOUND),
        (vec![WARNING], "lint --fail-on error", 0, BELOW),
        (vec![WARNING], "lint --fail-on never", 0, NEVER),
        (vec![WARNING], "lint --exit-zero", 0, ZERO),
        (vec![WARNING], "lint --diff", 1, FOUND),
        (vec![WARNING], "lint --fix", 0, NO_FINDINGS),
        (vec![WARNING, BROKEN], "lint", 1, FOUND),
        (vec![CLEAN, BROKEN], "lint", 3, UNREAD),
        (vec![CLEAN, BROKEN], "lint --allow-incomplete", 0, ALLOWED),
        (
            vec![CLEAN, BROKEN],
            "lint --exit-zero",
            0,
            "exit code 0: --exit-zero is given; else it would be 3: ",
        ),
        (vec![CLEAN], "lint --output json:app", 2, "error: cannot write app: "),
        (vec![CLEAN], "lint --output json:no/such", 2, "error: cannot write no/such: "),
        (vec![CLEAN], "lint --baseline no-such.json", 2, "error: "),
        (vec![CLEAN], "lint --no-such-option", 2, "error: unexpected argument"),
        (vec![CLEAN], "lint --format xml", 2, "error: invalid value 'xml'"),
        (vec![CLEAN], "lint nowhere", 2, "error: "),
        (vec![CLEAN, BAD_SETTING], "lint", 2, "error: secateur.toml:2"),
        (vec![CLEAN], "-C no-such-directory lint", 2, "error: cannot open "),
    ] {
        let project = Project::new(&files.concat());
        let Outcome { exit, out, err } = project.secateur(&format!("{args} --explain-exit"));
        assert_eq!(exit.code(), code, "{args}: {out}{err}");
        assert!(err.starts_with(said), "{args}: {err}");
        if code != 2 {
            let quiet = Project::new(&files.concat()).secateur(args);
            assert_eq!((quiet.exit, quiet.out.as_str(), quiet.err.as_str()), (exit, &*out, ""));
        }
    }
}

fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("secateur"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("XDG_CACHE_HOME", crate::support::cache_home());
    command
}

#[test]
fn a_closed_pipe_is_quiet_and_changes_no_exit_code() {
    for (files, code) in [(CLEAN, 0), (WARNING, 1)] {
        let project = Project::new(files);
        let mut child = program().arg("lint").current_dir(project.path("")).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(code), &b""[..]));
    }
}

#[test]
fn an_interrupted_run_is_130_to_a_shell() {
    let project = Project::new(CLEAN);
    let pipe = project.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Nobody ever writes to the pipe, so that the run cannot end by itself.
    let mut child = program()
        .args(["lint", "--baseline", "pipe"])
        .current_dir(project.path(""))
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = child.wait().unwrap();
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    assert_eq!(code, Some(130));
}
