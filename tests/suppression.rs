//! What findings are left out, where and whose: reasons of comments, settings for paths, owners.

use crate::support::{Outcome, Project};
use secateur::cli::Exit;
use serde_json::Value;

/// Two teams and nobody, each with a dependency too many, and a macro that the first of them uses.
const TEAMS: &str = r#"
//- defs.bzl
def library(name, srcs):
    python_library(name = name, srcs = srcs, deps = ["//spare:spare"], visibility = ["PUBLIC"])
//- CODEOWNERS
/b/ @org/b @bob
//- a/BUCK
load("//:defs.bzl", "library")
oncall("team_a")
library(name = "lib", srcs = ["lib.py"])
python_binary(name = "a", main_module = "a.lib", deps = [":lib"])
//- a/lib.py
A = 1
//- b/BUCK
python_library(name = "lib", srcs = ["lib.py"], deps = ["//spare:spare"])
python_binary(name = "b", main_module = "b.lib", deps = [":lib"])
//- b/lib.py
B = 1
//- c/BUCK
python_library(name = "lib", srcs = ["lib.py"], deps = ["//spare:spare"])
python_binary(name = "c", main_module = "c.lib", deps = [":lib"])
//- c/lib.py
C = 1
//- spare/BUCK
python_library(name = "spare", srcs = ["spare.py"], visibility = ["PUBLIC"])
python_binary(name = "run", main_module = "spare.spare", deps = [":spare"])
//- spare/spare.py
S = 1
"#;

fn lint(project: &Project, args: &str) -> Value {
    let Outcome { exit, out, err } = project.secateur(&format!("lint --format json {args}"));
    assert!(matches!(exit, Exit::Clean | Exit::Findings), "{err}");
    serde_json::from_str(&out).unwrap()
}

/// `check target severity` of each finding.
fn found(project: &Project, args: &str) -> Vec<String> {
    let report = lint(project, args);
    let text = |finding: &Value, key| finding[key].as_str().unwrap_or("-").to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let mut found: Vec<String> = findings
        .map(|it| format!("{} {} {}", text(it, "check"), text(it, "target"), text(it, "severity")))
        .collect();
    found.sort();
    found
}

const ALL: [&str; 3] = [
    "unused-dep root//a:lib warning",
    "unused-dep root//b:lib warning",
    "unused-dep root//c:lib warning",
];

fn refused(project: &Project, args: &str) -> String {
    let outcome = project.secateur(args);
    assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Failed, ""));
    outcome.err
}

/// A library with one spare dependency, and what stands behind it.
fn kept(comment: &str) -> Project {
    let project = Project::new(TEAMS);
    project.add(
        "b/BUCK",
        &format!(
            "python_library(name = \"lib\", srcs = [\"lib.py\"], deps = [\n    \"//spare:spare\",  {comment}\n])\n\
             python_binary(name = \"b\", main_module = \"b.lib\", deps = [\":lib\"])\n"
        ),
    );
    project
}

/// What is said of `//b`, in one line each: check, message and hint as GitLab shows them, and whether there is a fix.
fn of_b(project: &Project, args: &str) -> Vec<String> {
    let report = lint(project, &format!("//b/... {args}"));
    let issues = project.secateur(&format!("lint --format gitlab //b/... {args}")).out;
    let issues: Value = serde_json::from_str(&issues).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().zip(issues.as_array().unwrap());
    let show = |(it, issue): (&Value, &Value)| {
        let advice = issue["description"].as_str().unwrap();
        let advice = advice.strip_suffix(" (owner: `@org/b @bob`)").unwrap();
        let fix = if it["fix"].is_null() { "by hand" } else { "fix" };
        format!("{}: {advice}; {fix}", it["check"].as_str().unwrap())
    };
    findings.map(show).collect()
}

#[test]
fn a_comment_without_a_reason_suppresses_and_is_reported() {
    let project = kept("# secateur: keep[unused-dep]");
    let said = of_b(&project, "");
    assert_eq!(said, ["stale-keep: gives no reason; say behind it why the finding stays; by hand"]);
    assert_eq!(of_b(&project, "--config lint.keep-reason=optional"), [""; 0]);
    project.add("secateur.toml", "[lint]\nkeep-reason = \"optional\"\n");
    assert_eq!(of_b(&project, ""), [""; 0]);
    let shown = project.secateur("config --show-origin").out;
    assert!(shown.contains("lint.keep-reason = \"optional\"  # secateur.toml:2\n"), "{shown}");
    assert_eq!(of_b(&kept("# secateur: keep[unused-dep] loaded by name"), ""), [""; 0]);
    let error = refused(&project, "lint --config lint.keep-reason=never");
    assert!(error.contains("`lint.keep-reason` cannot be \"never\""), "{error}");
}

#[test]
fn an_unknown_check_is_reported_and_the_comment_stays_where_it_was_a_slip() {
    let slip = of_b(&kept("# secateur: keep[unsued-dep] loaded by name"), "--check stale-keep");
    let line = "stale-keep: there is no check `unsued-dep`; did you mean `unused-dep`?; by hand";
    assert_eq!(slip, [line]);
    let odd = of_b(&kept("# secateur: keep[E501] loaded by name"), "--check stale-keep");
    assert_eq!(odd, ["stale-keep: there is no check `E501`; delete the comment; fix"]);
    let both = of_b(&kept("# secateur: keep[unused-dep, E501] loaded by name"), "");
    assert_eq!(both, ["stale-keep: there is no check `E501`; take its name out; by hand"]);
}

#[test]
fn tables_of_paths_say_what_differs_there() {
    let project = Project::new(TEAMS);
    assert_eq!(found(&project, ""), ALL);
    // The finding of //a points to defs.bzl; its build file counts as well.
    project.add(
        "secateur.toml",
        "[[lint.path]]\npaths = [\"a/**\"]\nskip = [\"unused-dep\"]\n\
         [[lint.path]]\npaths = [\"*/BUCK\"]\nseverity = { unused-dep = \"note\" }\n\
         [[lint.path]]\npaths = [\"c/**\"]\nseverity = { unused-dep = \"error\" }\n",
    );
    let expected = ["unused-dep root//b:lib note", "unused-dep root//c:lib error"];
    assert_eq!(found(&project, ""), expected);
    // What the command line names is left out there still; a confidence that it names holds everywhere.
    assert_eq!(found(&project, "--check unused-dep"), expected);
    assert_eq!(project.secateur("codemod --json").out.matches("\"message\"").count(), 2);
    let written = project.secateur("baseline").out;
    assert!(written.starts_with("wrote 2 findings"), "{written}");
    project.add(
        "secateur.toml",
        "[lint]\nskip = [\"unused-dep\"]\n[[lint.path]]\npaths = [\"{b,c}/**\"]\ncheck = [\"unused-dep\"]\n\
         [[lint.path]]\npaths = [\"c/**\"]\nmin-confidence = \"certain\"\nskip = [\"unused-dep\"]\n",
    );
    assert_eq!(found(&project, ""), ALL[1..2]);
    assert_eq!(found(&project, "--skip unused-dep"), [""; 0]);
    // The entry of //c is not gone, since nobody looked for it.
    let report = lint(&project, "--baseline secateur-baseline.json");
    assert_eq!(report["baseline"]["gone"], serde_json::json!([]), "{report}");
}

#[test]
fn confidence_of_a_path_yields_to_the_command_line() {
    let project = Project::new(TEAMS);
    // Nobody knows what this loads: what nothing uses is but likely to be unused.
    project.add("b/lib.py", "import importlib, sys\nimportlib.import_module(sys.argv[1])\n");
    let with = "--config lint.path=[{paths=[\"b/**\"],min-confidence=\"certain\"}]";
    assert_eq!(found(&project, ""), ALL);
    assert_eq!(found(&project, with), [ALL[0], ALL[2]]);
    assert_eq!(found(&project, &format!("{with} --min-confidence likely")), ALL);
}

#[test]
fn mistakes_in_tables_of_paths_are_errors_with_their_place() {
    let project = Project::new(TEAMS);
    for (table, expected) in [
        (
            "paths = [\"a\"]\nskip = [\"unsued-dep\"]",
            "error: secateur.toml:3: unknown check `unsued-dep` in `lint.path[0].skip`\nhint: did you mean `unused-dep`?\n",
        ),
        (
            "paths = [\"a\"]\n[lint.path.severity]\nx = \"note\"",
            "error: secateur.toml:3: unknown check `x` in `lint.path[0].severity`\nhint: `secateur explain` lists the checks\n",
        ),
        ("paths = [\"[\"]", "error: secateur.toml:2: `lint.path[0].paths`: "),
    ] {
        project.add("secateur.toml", &format!("[[lint.path]]\n{table}\n"));
        let error = refused(&project, "lint");
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_comment_is_not_stale_where_its_check_is_left_out() {
    let project = kept("# secateur: keep[unused-dep] loaded by name");
    project.add("secateur.toml", "[[lint.path]]\npaths = [\"b/**\"]\nskip = [\"unused-dep\"]\n");
    assert_eq!(of_b(&project, ""), [""; 0]);
    let text = project.secateur("lint").out;
    assert!(text.contains("; 1 suppressed"), "{text}");
}

#[test]
fn owners_are_a_filter() {
    let project = Project::new(TEAMS);
    assert_eq!(found(&project, "--owner team_a"), ALL[..1]);
    assert_eq!(found(&project, "--owner org/b"), ALL[1..2]);
    assert_eq!(found(&project, "--owner @bob --owner team_a"), ALL[..2]);
    assert_eq!(found(&project, "--owner none"), ALL[2..]);
    assert_eq!(project.secateur("lint --owner @bob //a/...").exit, Exit::Clean);
    let error = refused(&project, "lint --owner tema_a");
    let expected = "error: no oncall() and no rule of CODEOWNERS names `tema_a`\nhint: did you mean `team_a`?\n";
    assert_eq!(error, expected);
    let error = refused(&project, "codemod --owner zzz");
    assert!(error.ends_with("`none` stands for what nobody owns\n"), "{error}");
    let plan: Value =
        serde_json::from_str(&project.secateur("codemod --json --owner @org/b").out).unwrap();
    let batches = plan["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 1, "{plan}");
    assert_eq!(batches[0]["owner"], "@org/b @bob");
}

#[test]
fn a_baseline_counts_what_the_owners_have() {
    let project = Project::new(TEAMS);
    assert_eq!(project.secateur("baseline").exit, Exit::Clean);
    let counts = |args: &str| {
        let report = lint(&project, &format!("--baseline secateur-baseline.json {args}"));
        let gone = report["baseline"]["gone"].as_array().unwrap().len();
        (report["baseline"]["known"].as_u64().unwrap(), gone)
    };
    assert_eq!(counts(""), (3, 0));
    assert_eq!(counts("--owner team_a"), (1, 0));
    project.add("b/lib.py", "import spare.spare\n");
    assert_eq!(counts("--owner @bob"), (0, 1));
    assert_eq!(counts("--owner none"), (1, 0));
}

#[test]
fn text_names_the_owner_of_a_package_or_of_each_finding() {
    let project = Project::new(TEAMS);
    let text = project.secateur("lint --quiet").out;
    assert!(text.contains("root//a  owner: team_a\n\n"), "{text}");
    assert!(text.contains("root//b  owner: @org/b @bob\n\n"), "{text}");
    assert!(text.contains("root//c\n\n"), "{text}");
    project.add("CODEOWNERS", "/b/BUCK @bob\n/b/*.py @eve\n");
    project.add("b/dead.py", "D = 1\n");
    let build = "python_library(name = \"lib\", srcs = [\"lib.py\", \"dead.py\"], deps = [\"//spare:spare\"])\n\
                 python_binary(name = \"b\", main_module = \"b.lib\", deps = [\":lib\"])\n";
    project.add("b/BUCK", build);
    let text = project.secateur("lint --quiet //b/...").out;
    assert!(text.starts_with("root//b\n\n"), "{text}");
    assert!(text.contains("= owner: @bob\n") && text.contains("= owner: @eve\n"), "{text}");
}
