//! Wrong fixes among the right ones of a whole repository, found by a build that imports what programs hold with `CPython`.
//! `cargo test culprits -- --nocapture` shows how many builds it took.

use crate::support::{Project, repository};
use crate::verify::{json, run, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The fixes of the planted batch.
const FIXES: usize = 24;

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// `ml-monorepo` with a program whose library seems to use none of its dependencies: it makes the names of modules at run
/// time. It needs each of `needed`, and one of `either`.
fn monorepo(needed: &[usize], either: &[usize]) -> Project {
    let project = Project::new("");
    copy(&repository().join("sample-repos/ml-monorepo"), &project.path(""));
    // The sample lacks a source on purpose, and so does not build.
    project.add("eta/experiments/calibration/isotonic.py", "def fit(*args):\n    return args\n");
    let names = |numbers: &[usize]| {
        let names: Vec<String> = numbers.iter().map(|number| format!("m{number}")).collect();
        names.join(" ")
    };
    let program = format!(
        "import builtins\n\nload = vars(builtins)[\"__imp\" + \"ort__\"]\nhome = __name__.rpartition(\".\")[0]\n\n\
         for name in \"{}\".split():\n    load(home + \".\" + name)\n\n\
         either = \"{}\".split()\nfound = 0\nfor name in either:\n    try:\n        load(home + \".\" + name)\n        found += 1\n    except ImportError:\n        pass\nif either and not found:\n    raise ImportError(either)\n",
        names(needed),
        names(either)
    );
    project.add("eta/planted/app.py", &program);
    let (mut deps, mut libraries) = (String::new(), String::new());
    for number in 0..FIXES {
        project.add(&format!("eta/planted/m{number}.py"), "");
        writeln!(deps, "        \":l{number}\",").unwrap();
        let library = format!("name = \"l{number}\",\n    srcs = [\"m{number}.py\"],\n");
        writeln!(libraries, "\npython_library(\n    {library})").unwrap();
    }
    project.add(
        "eta/planted/BUCK",
        &format!(
            "oncall(\"eta_planted\")\n\npython_binary(\n    name = \"app\",\n    main_module = \"eta.planted.app\",\n    deps = [\":lib\"],\n)\n\n\
             python_library(\n    name = \"lib\",\n    srcs = [\"app.py\"],\n    deps = [\n{deps}    ],\n)\n{libraries}"
        ),
    );
    project
}

/// The build: `CPython` imports every module of every program that depends on what changed.
fn build() -> String {
    let script = repository().join("tests/support/link_tree.py");
    format!("python3 '{}' '{}' {{rdeps}}", script.display(), env!("CARGO_BIN_EXE_secateur"))
}

/// Whether there is a `CPython` here. Machines that check changes have one, so that nothing is skipped there.
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "python3 is missing");
    found
}

fn planted(message: &str) -> usize {
    let number = message.rsplit(":l").next().unwrap().trim_end_matches('`');
    number.parse().unwrap_or_else(|_| panic!("{message}"))
}

/// The sets of planted numbers that were quarantined in a batch.
fn quarantined(batch: &Value) -> BTreeSet<Vec<usize>> {
    let set = |set: &Value| {
        let fixes = set["fixes"].as_array().unwrap().iter();
        fixes.map(|fix| planted(fix[0]["message"].as_str().unwrap())).collect()
    };
    batch["quarantined"].as_array().unwrap().iter().map(set).collect()
}

/// Which planted dependencies are left.
fn left(project: &Project) -> Vec<usize> {
    let text = fs::read_to_string(project.path("eta/planted/BUCK")).unwrap();
    (0..FIXES).filter(|number| text.contains(&format!("\":l{number}\""))).collect()
}

/// Builds for `culprits` among `fixes`: 2·k·log2(n) + k.
fn bound(culprits: usize, fixes: usize) -> f64 {
    let [culprits, fixes] = [culprits, fixes].map(|count| f64::from(u32::try_from(count).unwrap()));
    (2.0 * fixes.log2() + 1.0) * culprits
}

/// Gives what to print.
fn check(pattern: Option<&str>, needed: &[usize], either: &[usize]) -> String {
    if !has_python() {
        return "skipped: python3 is missing".to_owned();
    }
    let project = monorepo(needed, either);
    let build = build();
    let mut args = vec!["codemod", "--json", "--verify", &build];
    args.extend(pattern);
    let output = run(&project, &args);
    let found = json(&output);
    assert_eq!(output.status.code(), Some(1), "{found:#}");
    let mut culprits = 0;
    let mut builds = 0;
    let mut figures = String::new();
    for batch in found["verify"]["batches"].as_array().unwrap() {
        let own = batch["builds"].as_u64().unwrap() as usize;
        builds += own;
        if !batch["title"].as_str().unwrap().contains("eta_planted") {
            assert_eq!((own, &batch["quarantined"]), (1, &serde_json::json!([])), "{batch:#}");
            continue;
        }
        let mut expected: BTreeSet<Vec<usize>> = needed.iter().map(|one| vec![*one]).collect();
        if !either.is_empty() {
            expected.insert(either.to_vec());
        }
        assert_eq!(quarantined(batch), expected);
        assert_eq!(batch["fixes"], FIXES);
        culprits = needed.len() + either.len();
        assert_eq!(batch["kept"], FIXES - culprits);
        let most = bound(culprits, FIXES);
        let own_builds = f64::from(u32::try_from(own).unwrap());
        assert!(own_builds <= most, "{own} builds, at most {most}");
        figures =
            format!("{culprits} culprits among {FIXES} fixes: {own} builds, at most {most:.1}");
    }
    assert_eq!(found["verify"]["builds"], builds);
    assert_ne!(culprits, 0, "{found:#}");
    let mut expected: Vec<usize> = needed.iter().chain(either).copied().collect();
    expected.sort_unstable();
    assert_eq!(left(&project), expected);
    let quarantine = fs::read(project.path(".secateur/quarantine.json")).unwrap();
    let quarantine: Value = serde_json::from_slice(&quarantine).unwrap();
    for set in quarantine["sets"].as_array().unwrap() {
        let log = fs::read_to_string(project.path(set["log"].as_str().unwrap())).unwrap();
        assert!(log.contains("FAILED root//eta/planted:app"), "{log}");
    }
    let mut again = vec!["codemod"];
    again.extend(pattern);
    let again = run(&project, &again);
    let said = text(&again.stdout);
    assert!(said.contains(&format!("\nquarantined fixes left out: {culprits}")), "{said}");
    assert!(!said.contains("eta_planted"), "{said}");
    figures
}

#[test]
fn one_culprit() {
    println!("{}", check(Some("//eta/planted/..."), &[17], &[]));
}

#[test]
fn two_culprits() {
    println!("{}", check(Some("//eta/planted/..."), &[0, 13], &[]));
}

#[test]
fn three_culprits_among_the_batches_of_a_repository() {
    println!("{}", check(None, &[4, 5, 23], &[]));
}

#[test]
fn a_pair_that_fails_only_together() {
    println!("{}", check(Some("//eta/planted/..."), &[], &[3, 20]));
}
