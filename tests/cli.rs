//! The command line from its arguments to its output and exit code.

use crate::support::{Outcome, Project, repository, secateur, secateur_in};
use secateur::cli::{Color, Exit, Surroundings};
use secateur::workspace::Environment;
use serde_json::Value;
use std::fs;

/// A binary whose library has one dependency too many.
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
        "//codec:fast",
        "//yaml:yaml",
    ],
)
//- app/main.py
import codec.fast

print(codec.fast.dumps({}))
//- codec/BUCK
python_library(
    name = "fast",
    srcs = ["fast.py"],
    visibility = ["PUBLIC"],
)
//- codec/fast.py
def dumps(value):
    return str(value)
//- yaml/BUCK
python_library(
    name = "yaml",
    srcs = ["reader.py"],
    visibility = ["PUBLIC"],
)

python_test(
    name = "test",
    srcs = ["test_reader.py"],
    deps = [":yaml"],
)
//- yaml/reader.py
def read(text):
    return text
//- yaml/test_reader.py
from yaml import reader
"#;

fn clean() -> Project {
    let project = Project::new(SPARE);
    let path = project.path("app/BUCK");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("        \"//yaml:yaml\",\n", "")).unwrap();
    project
}

#[test]
fn help() {
    insta::assert_snapshot!(secateur(repository(), "--help").out, @r#"
    Finds and proves the dependencies, modules and targets that a Buck2 Python repository does not need

    Usage: secateur [OPTIONS] <COMMAND>

    Commands:
      lint         Report what the repository does not need, and what it lacks
      baseline     Write today's findings to a file, so that lint reports only new ones
      codemod      Make batches of fixes: patches by owner, or a script for buildozer
      why          Show who needs a target or module, or the shortest chain from one to another
      cost         Rank dependencies by what they alone hold in the closures of programs and tests
      tui          Explore, triage, preview and apply in the terminal
      graph        Print the graph of targets or modules
      doctor       Check the set-up, and compare our reading of the build files with Buck2's
      keep         Leave findings as they are, with a comment that says why
      undo         Take back a batch of changes, or complete one that was interrupted
      caf          Ship executables as bundles: only what changed is packed, sent and fetched
      explain      Describe a check, or list all checks
      config       Print the settings in effect
      completions  Print the completions of a shell
      man          Print the manual page of the program or of a command
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
      -C <DIR>                  Run as if started in DIR
          --config <KEY=VALUE>  Set a key of secateur.toml, as in --config lint.fail-on=error
      -c <SECTION.KEY=VALUE>    Set a value of .buckconfig; a cell may go before it, as in
                                cell//section.key=value
          --config-file <FILE>  Read a file over each cell's .buckconfig
          --graph-from <FILE>   Take the targets from a file that `buck2 targets --json` printed;
                                `buck2` for a file runs it
          --color <WHEN>        Colour the results; auto honours NO_COLOR and CLICOLOR_FORCE [default:
                                auto] [possible values: auto, always, never]
      -j, --jobs <N>            Use N threads instead of one for each core
          --no-cache            Neither read nor write what is kept between runs
      -q, --quiet               Show the findings alone: no progress, no summary
      -v, --verbose             List each problem with its place

    Exit codes:
      0    nothing found at or above --fail-on, and everything was read
      1    findings at or above --fail-on
      2    could not run: usage, configuration, input or output
      3    part of the repository could not be read, and nothing was found at or above --fail-on
      130  interrupted
    "#);
}

#[test]
fn lint_shows_the_line_the_evidence_and_a_summary() {
    let outcome = Project::new(SPARE).secateur("lint");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Findings, ""));
    insta::assert_snapshot!(outcome.out, @r#"
    root//app

    warning[unused-dep]: nothing in `root//app:lib` uses `root//yaml:yaml`
      --> app/BUCK:12:9
       |
    12 |         "//yaml:yaml",
       |         ^^^^^^^^^^^^^
       |
       = target: root//app:lib (certain)
       = note: app/BUCK:12    provides `yaml.reader`
               app/main.py:1  imports `codec.fast`
       = help: remove `//yaml:yaml`

    unused-dep  1

    1 finding: 1 warning; 1 safe fix computed
    read 3 build files, 4 Python files, 5 targets
    "#);
}

#[test]
fn a_clean_repository_is_clean() {
    let outcome = clean().secateur("lint");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""), "{}", outcome.out);
}

#[test]
fn json_has_the_published_form() {
    let schema = fs::read_to_string(repository().join("docs/schema/lint.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let sample = repository().join("sample-repos/ml-monorepo");
    for outcome in [secateur(&sample, "lint --format json"), clean().secateur("lint --format json")]
    {
        let report: Value = serde_json::from_str(&outcome.out).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert!(outcome.out.ends_with("}\n") && outcome.out.lines().count() == 1);
    }
    let empty: Value = serde_json::json!({"schema_version": 1});
    assert!(!validator.is_valid(&empty), "the schema takes anything");
}

#[test]
fn exit_codes_follow_severity_and_options() {
    let project = Project::new(SPARE);
    for (args, expected) in [
        ("lint", Exit::Findings),
        ("lint --fail-on error", Exit::Clean),
        ("lint --fail-on note", Exit::Findings),
        ("lint --fail-on never", Exit::Clean),
        ("lint --exit-zero", Exit::Clean),
        ("lint --skip unused-dep", Exit::Clean),
        ("lint --check unused-dep", Exit::Findings),
        ("lint --check dead-module,dead-target", Exit::Clean),
        ("lint //codec/...", Exit::Clean),
        ("lint //app:lib", Exit::Findings),
        ("lint app", Exit::Findings),
        ("--config lint.fail-on=error lint", Exit::Clean),
        ("--config lint.fail-on=error lint --fail-on warning", Exit::Findings),
        ("--config lint.severity.unused-dep=note lint", Exit::Clean),
        ("--config lint.skip=['unused-dep'] lint", Exit::Clean),
        ("--config lint.skip=['unused-dep'] lint --check unused-dep", Exit::Findings),
        ("--config lint.check=['dead-module'] lint", Exit::Clean),
        ("lint --check unused-dep --skip unused-dep", Exit::Failed),
    ] {
        let outcome = project.secateur(args);
        assert_eq!(outcome.exit, expected, "{args}: {}{}", outcome.out, outcome.err);
    }
}

#[test]
fn what_cannot_be_read_makes_a_clean_run_incomplete() {
    let project = clean();
    project.add("broken/BUCK", "python_library(name = \"x\",\n");
    for (args, expected) in [
        ("lint", Exit::Incomplete),
        ("lint --allow-incomplete", Exit::Clean),
        ("lint --exit-zero", Exit::Clean),
    ] {
        assert_eq!(project.secateur(args).exit, expected, "{args}");
    }
    let text = project.secateur("lint").out;
    assert!(text.contains("; 1 build file could not be read whole\n"), "{text}");
    assert!(text.contains("1 problem: 1 syntax; run with -v to list them\n"), "{text}");
    let text = project.secateur("lint -v").out;
    assert!(text.contains("  syntax (1)\n    broken/BUCK:"), "{text}");
    let spare = Project::new(SPARE);
    spare.add("broken/BUCK", "python_library(name = \"x\",\n");
    assert_eq!(spare.secateur("lint").exit, Exit::Findings, "a finding weighs more");
}

#[test]
fn mistakes_of_the_user_fail_with_a_hint() {
    let project = Project::new(SPARE);
    for (args, message) in [
        ("lint --check unused-dpe", "a similar value exists: 'unused-dep'"),
        ("lint nowhere", "hint: patterns are"),
        ("lint other//...", "error: unknown cell `other`"),
        ("lint --output xml:x", "no format `xml`; there are text, concise, json, jsonl, sarif, "),
        ("--config lint.chek=[] lint", "hint: did you mean `check`?"),
        ("--config lint.skip=['unused-dpe'] lint", "hint: did you mean `unused-dep`?"),
        ("--config lint.severity.unused=note lint", "error: --config: unknown check"),
        ("-C nowhere lint", "error: cannot open "),
        ("-q -v lint", "cannot be used with"),
        ("why //app:nothing", "hint: "),
        ("man lnt", "hint: there are lint, baseline, codemod"),
    ] {
        let Outcome { exit, out, err } = project.secateur(args);
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{args}: {err}");
        assert!(err.starts_with("error: ") && err.contains(message), "{args}: {err}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    let outcome = secateur(nowhere.path(), "lint");
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(outcome.err.contains("\nhint: run in a Buck2 repository"), "{}", outcome.err);
}

#[test]
fn it_works_from_a_directory_inside_and_with_dash_c() {
    let project = Project::new(SPARE);
    let whole = project.secateur("lint --format concise").out;
    assert_eq!(whole.lines().count(), 1, "{whole}");
    let inside = secateur(&project.path("app"), "lint --format concise");
    assert_eq!(inside.out, whole, "paths are those of the project");
    assert_eq!(secateur(&project.path("app"), "lint --format concise :lib").out, whole);
    assert_eq!(secateur(&project.path("app"), "lint --format concise ../codec").out, "");
    assert_eq!(project.secateur("-C app lint --format concise .").out, whole);
}

#[test]
fn reports_go_to_files_as_well() {
    let project = Project::new(SPARE);
    let outcome =
        project.secateur("--color always lint -q --output json:a.json --output concise:b.txt");
    assert_eq!(outcome.exit, Exit::Findings);
    assert!(outcome.out.contains("\u{1b}["));
    for (file, format) in [("a.json", "json"), ("b.txt", "concise")] {
        let expected = project.secateur(&format!("lint --format {format}")).out;
        assert_eq!(fs::read_to_string(project.path(file)).unwrap(), expected);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let sample = repository().join("sample-repos/ml-monorepo");
    let one = secateur(&sample, "-j 1 lint --format json");
    assert_eq!(secateur(&sample, "-j 7 lint --format json"), one);
}

#[test]
fn colour_follows_the_option_then_the_surroundings() {
    let project = Project::new(SPARE);
    let environment = Environment { current_dir: project.path(""), ..Environment::default() };
    let plain = Surroundings { environment, ..Surroundings::default() };
    let terminal = Surroundings { stdout_is_terminal: true, ..plain.clone() };
    let no_color = Surroundings { color: Color::Never, ..terminal.clone() };
    for (surroundings, args, expected) in [
        (&plain, "lint", false),
        (&terminal, "lint", true),
        (&no_color, "lint", false),
        (&plain, "lint --color always", true),
        (&no_color, "lint --color always", true),
        (&terminal, "lint --color never", false),
    ] {
        let out = secateur_in(surroundings, args).out;
        assert_eq!(out.contains("\u{1b}["), expected, "{surroundings:?} {args}");
    }
}

#[test]
fn why_shows_a_chain() {
    let outcome = Project::new(SPARE).secateur("why //app:app //codec:fast");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""));
    insta::assert_snapshot!(outcome.out, @r#"
    `//app:app` reaches `//codec:fast` in 2 steps

      root//app:app        app/BUCK:4
      -> root//app:lib     app/BUCK:11
      -> root//codec:fast  codec/BUCK:1
    "#);
}

#[test]
fn graph_has_three_formats_of_one_content() {
    let project = Project::new(SPARE);
    for nodes in ["targets", "modules"] {
        let lines = project.secateur(&format!("graph --of {nodes}")).out;
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let array = project.secateur(&format!("graph --of {nodes} --format json")).out;
        assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap(), lines);
        assert!(lines.len() >= 4, "{lines:?}");
    }
    let dot = project.secateur("graph --format dot").out;
    assert!(dot.contains("  \"root//app:lib\" -> \"root//codec:fast\";\n"), "{dot}");
}

#[test]
fn explain_lists_and_describes() {
    let list = secateur(repository(), "explain").out;
    assert_eq!(list.lines().count(), secateur::finding::CheckId::ALL.len());
    let text = secateur(repository(), "explain unused-dep").out;
    assert!(text.starts_with("# unused-dep\n"), "{text}");
    let json: Value =
        serde_json::from_str(&secateur(repository(), "explain unused-dep --format json").out)
            .unwrap();
    assert_eq!(json[0]["check"], "unused-dep");
    assert_eq!(json[0]["text"].as_str().unwrap().trim_end(), text.trim_end());
}

#[test]
fn config_says_where_values_come_from() {
    let project = Project::new("//- secateur.toml\n[lint]\nfail-on = \"error\"\n");
    let text = project.secateur("--config lint.min-confidence=likely config --show-origin").out;
    for line in [
        "lint.fail-on = \"error\"  # secateur.toml:2\n",
        "lint.min-confidence = \"likely\"  # command line\n",
        "limits.stack = 300  # default\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let plain = project.secateur("config").out;
    assert!(plain.contains("lint.fail-on = \"error\"\n"), "{plain}");
}

#[test]
fn completions_and_manual_know_the_commands() {
    for args in ["completions bash", "completions fish", "man"] {
        let outcome = secateur(repository(), args);
        assert_eq!(outcome.exit, Exit::Clean);
        assert!(outcome.out.contains("lint"), "{args}");
    }
    let manual = secateur(repository(), "man lint").out;
    assert!(manual.contains("allow\\-incomplete"), "{manual}");
}

#[test]
fn the_program_itself_runs() {
    let project = Project::new(SPARE);
    let mut command = assert_cmd::Command::cargo_bin("secateur").unwrap();
    let command = command.args(["lint", "--format", "concise"]).current_dir(project.path(""));
    let command = command.env("XDG_CACHE_HOME", crate::support::cache_home());
    let output = command.env_remove("CLICOLOR_FORCE").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"", "no terminal, no progress");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        project.secateur("lint --format concise").out
    );
}

#[test]
fn a_source_under_two_names_is_evidence_once() {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("MODULE.bazel", ""),
        ("app/BUILD", "py_binary(name = \"tool\", srcs = [\"tool.py\"], deps = [\"//lib\"])\n"),
        ("app/tool.py", "import os\n"),
        ("lib/BUILD", "py_library(name = \"lib\", srcs = [\"lib.py\"])\n"),
        ("lib/lib.py", "X = 1\n"),
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let report = secateur(dir.path(), "lint --check unused-dep --format json").out;
    let report: Value = serde_json::from_str(&report).unwrap();
    let evidence = report["findings"][0]["evidence"].as_array().unwrap().iter();
    let paths: Vec<&str> = evidence.map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["app/BUILD", "app/tool.py"]);
}
