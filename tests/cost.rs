//! `secateur cost`: what it ranks first, with a history and without.

use crate::support::{Project, repository, secateur};
use secateur::checks::{self, Selection};
use secateur::cli::Exit;
use secateur::cost::{GraphChange, History, Ledger};
use secateur::finding::CheckId;
use secateur::progress::Silent;
use secateur::source::ProjectPath;
use secateur::workspace::{Environment, Overrides, Workspace};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Two programs over one library, which drags in a large dependency for one import and another one for none.
const DRAGGING: &str = r#"
//- BUCK
python_binary(
    name = "one",
    main_module = "lib",
    deps = [":lib"],
)
python_binary(
    name = "two",
    main_module = "lib",
    deps = [":lib", ":shared"],
)
python_library(
    name = "lib",
    srcs = ["lib.py"],
    deps = [
        "//zoo:zoo",
        ":shared",
        ":spare",
    ],
)
python_library(name = "shared", srcs = ["shared.py"])
python_library(name = "spare", srcs = ["spare.py"])
//- lib.py
import shared
import zoo
//- shared.py
HERE = 1
//- spare.py
SPARE = 1
//- zoo/BUCK
python_library(
    name = "zoo",
    srcs = ["__init__.py"],
    deps = [":lion", ":tiger"],
)
python_library(name = "lion", srcs = ["lion.py"], resources = ["mane.txt"])
python_library(name = "tiger", srcs = ["tiger.py"])
//- zoo/__init__.py
import zoo.lion
import zoo.tiger
//- zoo/lion.py
ROAR = 1
//- zoo/mane.txt
0123456789
//- zoo/tiger.py
STRIPES = 1
"#;

fn git(project: &Project, args: &[&str]) {
    let identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
    let status =
        Command::new("git").args(identity).args(args).current_dir(project.path("")).status();
    assert!(status.unwrap().success(), "{args:?}");
}

fn commit(project: &Project, file: &str) {
    let text = fs::read_to_string(project.path(file)).unwrap_or_default();
    project.add(file, &(text + "# more\n"));
    git(project, &["add", "."]);
    git(project, &["commit", "--quiet", "--message", file]);
}

#[test]
fn a_used_edge_that_drags_much_in_stands_first() {
    let outcome = Project::new(DRAGGING).secateur("cost --commits 0 --top 4");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""));
    insta::assert_snapshot!(outcome.out, @r"
    targets  roots   size  dependency
          3      2   65 B  root//:lib -> root//zoo:zoo
                           BUCK:15  1 import: lib.py:2 uses `zoo`
                           nothing else leads to 3 targets, 65 B
          6      1  109 B  root//:one -> root//:lib
                           BUCK:4  1 import: BUCK:1 uses `lib`
          5      1  100 B  root//:two -> root//:lib
                           BUCK:9  1 import: BUCK:6 uses `lib`
          1      2   20 B  root//zoo:zoo -> root//zoo:lion
                           zoo/BUCK:4  1 import: zoo/__init__.py:1 uses `zoo.lion`
                           nothing else leads to 1 target, 20 B

    7 dependencies alone hold something, of 8; 4 shown, see --top
    2 roots with 8 targets, 7 sources, 109 B
    ");
}

#[test]
fn rebuilds_are_counted_from_the_history() {
    let project = Project::new(DRAGGING);
    git(&project, &["init", "--quiet"]);
    commit(&project, "lib.py");
    for file in ["zoo/mane.txt", "zoo/tiger.py", "README"] {
        commit(&project, file);
    }
    let outcome = project.secateur("cost //:lib --format json --commits 3");
    let report: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(report["commits"], 3);
    let edge = &report["edges"][0];
    assert_eq!(edge["to"], "root//zoo:zoo");
    // Two commits below the zoo, felt by two programs.
    let rebuilds = serde_json::json!({"avoided": 4, "commits": 3});
    assert_eq!(edge["saving"]["rebuilds"], rebuilds);
    assert_eq!(edge["by_root"][1]["rebuilds"], 2);
    let text = project.secateur("cost //:lib --commits 3").out;
    assert!(
        text.starts_with("targets  roots") && text.contains("rebuilds over 3 commits"),
        "{text}"
    );
}

#[test]
fn a_fix_is_priced_with_what_it_adds() {
    let project = Project::new(DRAGGING);
    // `shared` leans on what only `lib` declares, so the fix of `lib` hands the dependency on to it. `two` still gets `shared`
    // by way of `lib`, so that its own dependency goes and saves nothing.
    project.add("shared.py", "import spare\n");
    let current_dir = project.path("");
    let environment = Environment { current_dir: current_dir.clone(), ..Environment::default() };
    let workspace = Workspace::open(&current_dir, &environment, &Overrides::default()).unwrap();
    let graph = secateur::graph::build(&workspace, &Silent).unwrap();
    let selection = Selection { checks: vec![CheckId::UnusedDep], ..Selection::default() };
    let findings = checks::run(&workspace, &graph, &selection, &Silent).findings;
    let fixes: Vec<_> = findings.iter().filter_map(|finding| finding.fix.as_ref()).collect();
    let history = History { commits: vec![vec![ProjectPath::new("spare.py")]] };
    let ledger = Ledger::new(&workspace, &graph, Some(&history));
    let mut change = GraphChange::of_fixes(&graph, fixes.iter().copied());
    assert_eq!((change.removed.len(), change.added.len()), (2, 1));
    let nothing = "saves nothing: other ways lead to all of it";
    assert_eq!(ledger.saving(&change).to_string(), nothing);
    change.added.clear();
    let all = "saves 1 target in 2 programs, 10 B; 2 rebuilds in the last commit";
    assert_eq!(ledger.saving(&change).to_string(), all);
}

#[test]
fn without_a_history_the_report_says_why() {
    let outcome = Project::new(DRAGGING).secateur("cost");
    assert_eq!(outcome.exit, Exit::Clean);
    assert!(outcome.out.contains("\nno rebuilds counted: git "), "{}", outcome.out);
}

#[test]
fn patterns_select_whose_dependencies_are_priced() {
    let project = Project::new(DRAGGING);
    let outcome = project.secateur("cost //zoo/... --commits 0 -q");
    let edges: Vec<&str> = outcome.out.lines().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(edges.len(), 2, "{}", outcome.out);
    assert!(edges.iter().all(|edge| edge.contains("root//zoo:zoo -> ")));
    assert_eq!(project.secateur("cost nowhere//...").exit, Exit::Failed);
}

#[test]
fn cost_json_has_the_published_form() {
    let schema = fs::read_to_string(repository().join("docs/schema/cost.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let sample = repository().join("sample-repos/ml-monorepo");
    for args in ["cost --format json --commits 0", "cost --format json --top 0"] {
        let outcome = secateur(&sample, args);
        let report: Value = serde_json::from_str(&outcome.out).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert!(!report["edges"].as_array().unwrap().is_empty());
    }
    assert!(!validator.is_valid(&serde_json::json!({"schema_version": 1})));
}

#[test]
fn the_same_at_any_number_of_threads() {
    let sample = repository().join("sample-repos/ml-monorepo");
    let one = secateur(&sample, "-j 1 cost --commits 0 --format json --top 0");
    assert_eq!(one, secateur(&sample, "-j 8 cost --commits 0 --format json --top 0"));
}
