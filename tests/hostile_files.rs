//! More input that nobody would write on purpose, in the manner of `hostile`.

use crate::hostile::{GOOD, check, check_build_file, lint};
use crate::support::{Project, repository};
use secateur::cli::Exit;
use std::fs;

#[test]
fn deep_code_costs_its_statement() {
    let n = 10_000;
    for deep in [
        format!("x = {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("x = f{}", "()".repeat(n)),
        format!("x = a{}", ".b".repeat(n)),
        format!("x = a{}", "[0]".repeat(n)),
        format!("x = 1{}", "+1".repeat(n)),
        format!("x = {}1", "-".repeat(n)),
        format!("x = {}1", "not ".repeat(n)),
        format!("x = {}1", "lambda: ".repeat(n)),
        format!("x = {}1", "1 if 1 else ".repeat(n)),
        format!("x = [1 {}]", "for y in [1] ".repeat(n)),
    ] {
        let text = format!("# first\n\n{deep}\npython_library(name = \"x\", srcs = [])\n");
        check_build_file(&text, &["bad/BUCK:3  nested too deeply; not read"], 1);
    }
    let blocks: String = (0..1000).map(|depth| "  ".repeat(depth) + "if 1:\n").collect();
    let text = format!("{blocks}{}pass\npython_library(name = \"x\")\n", "  ".repeat(1000));
    check_build_file(&text, &["bad/BUCK:102  nested too deeply; not read"], 1);
    let text = format!("if 0:\n  pass\n{}x = 1\n", "elif 0:\n  pass\n".repeat(n));
    check_build_file(&text, &["bad/BUCK:1  more than 500 times `elif`; not read"], 0);
}

/// The bounds leave room: what is just below them runs through parser, evaluator and destructors on the stack there is.
#[test]
fn code_just_below_the_limits_is_evaluated() {
    let text = format!(
        "a = {}1{}\nb = 1{}\nc = {}1\nd = {}1\nif 0:\n  pass\n{}",
        "[".repeat(480),
        "]".repeat(480),
        "+1".repeat(480),
        "-".repeat(980),
        "lambda: ".repeat(480),
        "elif 0:\n  pass\n".repeat(490)
    );
    check_build_file(&(text + "python_library(name = \"x\", srcs = [])\n"), &[], 1);
}

#[test]
fn a_failing_statement_among_many_takes_no_longer() {
    let targets = |from: u32| -> String {
        (from..from + 1000)
            .map(|n| format!("python_library(name = \"t{n}\", srcs = [])\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    let text = format!("{}fail(\"no\")\n{}", targets(0), targets(1000));
    check_build_file(&text, &["bad/BUCK:1001  fail: no"], 2000);
    let text = format!("{}x = = 1\n{}", targets(0), targets(1000));
    check_build_file(
        &text,
        &["bad/BUCK:1001  Parse error: unexpected symbol '=', expected expression"],
        2000,
    );
}

#[test]
fn names_that_no_target_can_have_are_said() {
    check_build_file(
        "python_library(name = \"x\", srcs = [])\npython_library(name = \"x\", deps = [\":y\"])\n",
        &["bad/BUCK:2  python_library: the name `x` is taken"],
        1,
    );
    check_build_file(
        "python_library(name = \"\")\npython_library(name = \"a:b\")\npython_library(name = \"...\")\npython_library(name = None)\npython_library()\npython_library(name = \"ok\", srcs = 1, deps = 2)\n",
        &[
            "bad/BUCK:1  python_library: no target can have the name \"\"",
            "bad/BUCK:2  python_library: no target can have the name \"a:b\"",
            "bad/BUCK:3  python_library: no target can have the name \"...\"",
            "bad/BUCK:4  python_library: `name` is no string",
            "bad/BUCK:5  python_library: `name` is no string",
        ],
        1,
    );
}

#[test]
fn labels_that_are_none_are_read_as_nothing() {
    let labels = [
        "",
        "//",
        "://",
        ":",
        "//:",
        "//a//b:c",
        "@",
        "@@//x:y",
        "cell//:",
        "//a:b:c",
        "//a:b[c",
        "//a:b[]",
        "//../x:y",
        "//a/../b:c",
        "//a b:c",
        "\\n",
        "//é:é",
        "//a:..",
        "...",
        "//...",
        "//good:spare[",
    ];
    let labels: String =
        labels.iter().map(|label| format!("\"{label}\", ")).collect::<Vec<_>>().concat();
    let long = "x".repeat(100_000);
    let text = format!("python_library(name = \"x\", deps = [{labels} \"//{long}:{long}\"])\n");
    check_build_file(&text, &[], 1);
}

#[test]
fn patterns_that_match_nothing_are_said() {
    let text = [
        "a = glob([\"***.py\"])",
        "a = glob([\"[*\"])",
        "a = glob([\"/abs/*\"])",
        "a = glob([\"../*.py\"])",
        "a = glob(\"*.py\")",
        "a = glob()",
        "python_library(name = \"x\", srcs = glob([\"**/*.py\"] * 100 + [\"*a\" * 100]))",
    ];
    check_build_file(
        &(text.join("\n") + "\n"),
        &[
            "bad/BUCK:1  glob `***.py`: Pattern syntax error near position 2: wildcards are either regular `*` or recursive `**`",
            "bad/BUCK:2  glob `[*`: Pattern syntax error near position 0: invalid range pattern",
            "bad/BUCK:3  glob `/abs/*` starts with `/`, so it cannot match anything",
            "bad/BUCK:4  glob `../*.py` holds `..`, so it cannot match anything",
            "bad/BUCK:5  Type of parameter `include` doesn't match, expected `list | tuple`, actual `string (repr: \"*.py\")`",
            "bad/BUCK:6  Missing positional-only parameter `include` for call to `glob`",
        ],
        1,
    );
}

#[test]
fn a_build_file_of_fifty_megabytes_is_not_read() {
    let text = "python_library(name = \"x\")\n".repeat(2 << 20);
    assert!(text.len() > 50_000_000);
    check_build_file(&text, &["bad/BUCK  larger than 8 MiB; not read"], 0);
}

#[test]
fn a_wheel_that_is_none_is_said_and_its_name_still_counts() {
    let project = Project::new(GOOD);
    let wheel = "PyYAML-6.0-py3-none-any.whl";
    let build_file = format!(
        "prebuilt_python_library(name = \"w\", binary_src = \"{wheel}\")\npython_library(name = \"x\", srcs = [\"a.py\"], deps = [\":w\"])\n"
    );
    project.add("bad/BUCK", &build_file);
    project.add("bad/a.py", "import yaml\n");
    project.add(&format!("bad/{wheel}"), "garbage");
    let seen = lint(project);
    let start = format!("bad/{wheel}  cannot be read as a wheel: not a readable archive");
    assert!(
        seen.problems.len() == 1 && seen.problems[0].starts_with(&start),
        "{:?}",
        seen.problems
    );
}

#[test]
fn notebooks_that_are_none_are_counted() {
    let project = Project::new(GOOD);
    for (name, text) in [("a", "{\"cells\": ["), ("b", "[]"), ("c", ""), ("d", "{}")] {
        project.add(&format!("notes/{name}.ipynb"), text);
    }
    project.add("notes/e.ipynb", &"{\"cells\":".repeat(100_000));
    let seen = lint(project);
    let places: Vec<&str> = seen
        .problems
        .iter()
        .filter_map(|problem| problem.split_once("  "))
        .map(|it| it.0)
        .collect();
    let expected = ["a", "b", "c", "e"].map(|name| format!("notes/{name}.ipynb:1"));
    assert_eq!((places, seen.failed), (expected.iter().map(String::as_str).collect(), (0, 4)));
}

#[test]
fn cells_that_leave_the_project_are_said() {
    let project = Project::new(GOOD);
    project.add(".buckconfig", "[cells]\nroot = .\nout = ../out\nabsolute = /etc\ngone = gone\n");
    check(
        project,
        &[
            ".buckconfig:3  cell `out`: `../out` is no path within the project",
            ".buckconfig:4  cell `absolute`: `/etc` is no path within the project",
        ],
        (0, 0),
    );
}

#[test]
fn configuration_that_includes_itself_is_said() {
    let project = Project::new(GOOD);
    project.add(".buckconfig", "<file:a>\n");
    project.add("a", "<file:b>\n");
    project.add("b", "<file:a>\n<file:none>\n<file:good>\n");
    check(
        project,
        &[
            "good  is a directory",
            "b:1  `a` includes itself",
            "b:2  included file `none` does not exist",
        ],
        (0, 0),
    );
    let project = Project::new(GOOD);
    project.add(".buckconfig", "<file:f0>\n");
    for n in 0..30 {
        project.add(&format!("f{n}"), &format!("<file:f{}>\n", n + 1).repeat(2));
    }
    project.add("f30", "");
    let seen = lint(project);
    let last = seen.problems.last().unwrap();
    assert!(last.ends_with("is one of more than 1000 files; not read"), "{last}");
}

#[test]
fn configuration_of_garbage_is_said() {
    let project = Project::new(GOOD);
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    fs::write(project.path(".buckconfig"), bytes).unwrap();
    assert_eq!(lint(project).exit, Exit::Incomplete);
    let project = Project::new(GOOD);
    project.add(".buckconfig", &"[a]\nb = c\n".repeat(1 << 19));
    check(project, &[".buckconfig  larger than 4 MiB; not read"], (0, 0));
    for settings in ["[lint\n", "a = [[[[", "limits = 1\n", "[lint]\nfial-on = \"error\"\n"] {
        let project = Project::new(GOOD);
        project.add("secateur.toml", settings);
        let outcome = project.secateur("lint");
        assert_eq!(outcome.exit, Exit::Failed);
        assert!(outcome.err.starts_with("error: secateur.toml:"), "{}", outcome.err);
    }
}

#[test]
fn data_that_is_none_is_said() {
    let project = Project::new(GOOD);
    project.add("bad/BUCK", "load(\":a.json\", a = \"value\")\nload(\":b.toml\", b = \"value\")\nload(\":d.bzl\", \"d\")\nprint(a, b, d)\n");
    project.add("bad/a.json", &"[".repeat(100_000));
    project.add("bad/b.toml", "a = = 1\n");
    project.add("bad/d.bzl/file", "");
    check(
        project,
        &[
            "bad/BUCK:1  `:a.json` does not define `value`",
            "bad/BUCK:2  `:b.toml` does not define `value`",
            "bad/BUCK:3  cannot load `:d.bzl`: no file `bad/d.bzl`",
            "bad/a.json  no valid JSON: recursion limit exceeded at line 1 column 128",
            "bad/b.toml  no valid TOML: extra `=`, expected nothing",
        ],
        (0, 0),
    );
}

/// Errors in files that are loaded, or that packages inherit from, are no less incomplete than those in build files.
#[test]
fn errors_in_other_files_make_the_run_incomplete() {
    let project = Project::new(GOOD);
    project.add("bad/BUCK", "load(\":f.bzl\", \"f\")\nf(name = \"x\")\n");
    project.add("bad/f.bzl", "def f(name):\n");
    assert_eq!(lint(project).exit, Exit::Incomplete);
    let project = Project::new(GOOD);
    project.add("bad/BUCK", "");
    project.add("bad/PACKAGE", "package(visibility = \n");
    assert_eq!(lint(project).exit, Exit::Incomplete);
}

#[test]
fn the_samples_stay_whole() {
    let sample = repository().join("sample-repos/ml-monorepo");
    let outcome = crate::support::secateur(&sample, "lint --fail-on never");
    assert_eq!(outcome.exit, Exit::Clean, "{}", outcome.out);
}
