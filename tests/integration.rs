//! What other programs run of this repository: the scripts of `action.yml`, the hook for pre-commit, the commands in `docs/ci.md`.

use crate::support::repository;
use clap::Parser;
use secateur::cli::args::Arguments;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The scripts of the action's steps.
fn scripts() -> Vec<String> {
    let text = read("action.yml");
    let indent = " ".repeat(8);
    let script = |text: &str| {
        let lines = text.lines().map_while(|line| line.strip_prefix(&indent));
        lines.flat_map(|line| [line, "\n"]).collect()
    };
    text.split("\n      run: |\n").skip(1).map(script).collect()
}

/// Runs a script of the action in `dir`, where `programs` stand in for real ones and write down their arguments.
fn run(dir: &Path, script: &str, programs: &[&str], variables: &[(&str, &str)]) -> Output {
    for program in programs {
        let file = dir.join(program);
        let text =
            format!("#!/bin/sh\necho {program} >> calls\nprintf '[%s]\\n' \"$@\" >> calls\n");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-c", script]).env_clear().env("PATH", path).current_dir(dir);
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn the_action_hands_its_inputs_over_as_they_are() {
    let scripts = scripts();
    let [install, lint] = &scripts[..] else { panic!("{scripts:?}") };
    for script in [install, lint] {
        assert!(!script.contains("${{"), "inputs are variables, and no text of a script");
    }
    let dir = tempfile::tempdir().unwrap();
    let since = "$(touch evil); `touch evil` \"x";
    let variables = [
        ("SECATEUR_ARGS", "--fail-on=error\n\n--output=json:a b.json\n*\n'$HOME'"),
        ("SECATEUR_SINCE", since),
        ("SECATEUR_FORMAT", "github"),
    ];
    let output = run(dir.path(), lint, &["secateur"], &variables);
    assert!(output.status.success(), "{output:?}");
    let calls = fs::read_to_string(dir.path().join("calls")).unwrap();
    let expected = format!(
        "secateur\n[lint]\n[--explain-exit]\n[--format=github]\n[--since={since}]\n[--fail-on=error]\n\
         [--output=json:a b.json]\n[*]\n['$HOME']\n"
    );
    assert_eq!(calls, expected);
    assert!(!dir.path().join("evil").exists());

    let dir = tempfile::tempdir().unwrap();
    let variables = [("SECATEUR_ARGS", ""), ("SECATEUR_SINCE", ""), ("SECATEUR_FORMAT", "text")];
    assert!(run(dir.path(), lint, &["secateur"], &variables).status.success());
    let calls = fs::read_to_string(dir.path().join("calls")).unwrap();
    assert_eq!(calls, "secateur\n[lint]\n[--explain-exit]\n[--format=text]\n");
}

#[test]
fn the_action_installs_itself_or_the_version_that_is_asked_for() {
    let scripts = scripts();
    for (version, repository, expected) in [
        (
            "",
            "https://x.org/",
            "cargo\n[install]\n[--locked]\n[--root]\n[T/secateur]\n[--path]\n[A B]\n",
        ),
        (
            "v1; touch evil",
            "https://x.org/a/b",
            "git\n[init]\n[--quiet]\n[--]\n[T/secateur-source]\n\
             git\n[-C]\n[T/secateur-source]\n[fetch]\n[--quiet]\n[--depth]\n[1]\n[--]\n[https://x.org/a/b]\n[v1; touch evil]\n\
             git\n[-C]\n[T/secateur-source]\n[checkout]\n[--quiet]\n[FETCH_HEAD]\n\
             cargo\n[install]\n[--locked]\n[--root]\n[T/secateur]\n[--path]\n[T/secateur-source]\n",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let variables = [
            ("SECATEUR_VERSION", version),
            ("SECATEUR_ACTION", "A B"),
            ("SECATEUR_REPOSITORY", repository),
            ("RUNNER_TEMP", "T"),
            ("GITHUB_PATH", "path"),
        ];
        let output = run(dir.path(), &scripts[0], &["cargo", "git"], &variables);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(fs::read_to_string(dir.path().join("calls")).unwrap(), expected);
        assert_eq!(fs::read_to_string(dir.path().join("path")).unwrap(), "T/secateur/bin\n");
    }
}

#[test]
fn the_hook_runs_a_command_that_exists_for_files_that_matter() {
    let text = read(".pre-commit-hooks.yaml");
    let value = |key: &str| {
        let start = format!("  {key}: ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap().trim_matches('\'').to_owned()
    };
    let entry = value("entry");
    let parsed = Arguments::try_parse_from(entry.split(' '));
    assert!(parsed.is_ok(), "{entry}: {}", parsed.unwrap_err());
    let files = regex::Regex::new(&value("files")).unwrap();
    for yes in
        ["BUCK", "a/TARGETS", "a/BUCK.v2", "x.py", "a/x.pyi", "n.ipynb", "d/x.bzl", "PACKAGE"]
            .into_iter()
            .chain([".buckconfig", ".buckconfig.local", "secateur.toml", "BUILD.bazel"])
    {
        assert!(files.is_match(yes), "{yes}");
    }
    for no in ["README.md", "BUCKET", "a/xBUCK", "x.pyc", "secateur.toml.orig", "BUILDING/x.rs"] {
        assert!(!files.is_match(no), "{no}");
    }
}

#[test]
fn the_commands_in_the_guide_exist() {
    let guide = read("docs/ci.md").replace("\n      --output", " --output");
    let lines = guide.lines().filter_map(|line| line.split_once("secateur lint ")?.1.into());
    let mut commands = 0;
    for line in lines.filter(|line: &&str| line.contains("--format") || line.contains("--output")) {
        let command = line.split(['|', '>']).next().unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        let args =
            words.iter().map(|word| if word.starts_with(['$', '"']) { "HEAD" } else { word });
        let parsed = Arguments::try_parse_from(["secateur", "lint"].into_iter().chain(args));
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        commands += 1;
    }
    assert!(commands >= 4, "only {commands} commands found");
}
