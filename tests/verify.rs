//! Batches with a build after each: what breaks it is found, taken out and kept out, whatever happens meanwhile.

use crate::apply::snapshot;
use crate::support::Project;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program as users start it: signals and process groups are part of what is tested.
pub fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
    command.args(args).current_dir(dir).stdin(Stdio::null());
    command.env("XDG_CACHE_HOME", crate::support::cache_home());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(project: &Project, args: &[&str]) -> Output {
    program(&project.path(""), args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub fn json(output: &Output) -> Value {
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Two programs of two owners, with spare dependencies; the build misses `//two:c`, and `//one:a` unless `//two:b` is there.
const TWO: &str = r#"
//- one/BUCK
oncall("one")
python_binary(name = "app", main_module = "one.main", deps = [":lib"])
python_library(
    name = "lib",
    srcs = ["main.py"],
    deps = [
        ":a",
        ":b",
    ],
)
python_library(name = "a", srcs = ["a.py"])
python_library(name = "b", srcs = ["b.py"])
python_test(name = "test", srcs = ["test_main.py"], deps = [":lib"])
//- one/main.py
//- one/test_main.py
from one import main
//- one/a.py
A = 1
//- one/b.py
B = 1
//- two/BUCK
oncall("two")
python_binary(name = "app", main_module = "two.main", deps = [":lib"])
python_library(
    name = "lib",
    srcs = ["main.py"],
    deps = [
        ":a",
        ":b",
        ":c",
        ":d",
    ],
)
python_library(name = "a", srcs = ["a.py"])
python_library(name = "b", srcs = ["b.py"])
python_library(name = "c", srcs = ["c.py"])
python_library(name = "d", srcs = ["d.py"])
//- two/main.py
//- two/a.py
A = 1
//- two/b.py
B = 1
//- two/c.py
C = 1
//- two/d.py
D = 1
//- build.sh
echo build >> .secateur/builds
echo "$@"
has() { grep -q "^        \":$2\",$" "$1/BUCK"; }
test -e .secateur/stop && test "$(wc -l < .secateur/builds)" -ge "$(cat .secateur/stop)" && touch .secateur/waiting && sleep 60
has two c && { has one a || has two b; }
"#;

const BUILD: &str = "sh build.sh {targets} -- {tests}";

fn builds(project: &Project) -> usize {
    let text = fs::read_to_string(project.path(".secateur/builds")).unwrap_or_default();
    text.lines().count()
}

fn deps(project: &Project, package: &str) -> String {
    let text = fs::read_to_string(project.path(&format!("{package}/BUCK"))).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("        \":"));
    lines.map(|line| line.trim_matches([' ', '"', ':', ','])).collect()
}

/// What a run came to, without the numbers of the journal, which count interrupted tries as well.
fn outcome(project: &Project, output: &Output) -> (Option<i32>, Vec<String>, [String; 2]) {
    let found = json(output);
    let batches = found["verify"]["batches"].as_array().unwrap().iter();
    let batches = batches.map(|batch| {
        let sets: Vec<String> = batch["quarantined"]
            .as_array()
            .unwrap()
            .iter()
            .map(|set| {
                let fixes = set["fixes"].as_array().unwrap().iter();
                fixes.map(|fix| fix[0]["message"].as_str().unwrap().to_owned()).collect()
            })
            .collect();
        format!("{} {} {} {sets:?}", batch["title"], batch["kept"], batch["builds"])
    });
    (output.status.code(), batches.collect(), ["one", "two"].map(|package| deps(project, package)))
}

fn verify(project: &Project) -> Output {
    run(project, &["codemod", "--json", "--verify", BUILD])
}

#[test]
fn a_fix_that_fails_with_an_earlier_batch_is_quarantined_in_its_own() {
    let project = Project::new(TWO);
    let old = snapshot(&project.path(""));
    let output = run(&project, &["codemod", "--verify", BUILD]);
    let said = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""), "{said}");
    assert!(
        said.starts_with("0001  Remove 2 unused dependencies (one): 2 of 2 fixes kept, 1 build\n"),
        "{said}"
    );
    assert_eq!([deps(&project, "one"), deps(&project, "two")], ["", "bc"], "{said}");
    assert!(said.contains("nothing in `root//two:lib` uses `root//two:b`"), "{said}");
    assert!(said.contains("\n4 fixes kept, 2 quarantined, 9 builds and one of the tree"), "{said}");
    let log = said.lines().find_map(|line| line.split_once("fails, see ")).unwrap().1;
    let log = fs::read_to_string(project.path(log)).unwrap();
    assert_eq!(log, "root//two:lib --\n");
    let list = text(&run(&project, &["undo", "--list"]).stdout).to_owned();
    let kept = list.lines().filter(|line| line.contains("applied")).count();
    assert_eq!(kept, 2, "{list}");
    run(&project, &["undo"]);
    run(&project, &["undo"]);
    assert_eq!(snapshot(&project.path("")), old);
}

#[test]
fn what_was_quarantined_stays_out_until_it_is_retried() {
    let project = Project::new(TWO);
    verify(&project);
    let again = verify(&project);
    assert_eq!(again.status.code(), Some(0));
    let found = json(&again);
    assert_eq!(
        (&found["quarantined"], &found["verify"]["batches"]),
        (&2.into(), &Value::Array(vec![]))
    );
    project.add("build.sh", "grep -q '^        \":c\",$' two/BUCK");
    let retry = run(&project, &["codemod", "--json", "--verify", BUILD, "--retry-quarantined"]);
    assert_eq!(retry.status.code(), Some(1), "{}", text(&retry.stdout));
    assert_eq!(deps(&project, "two"), "c");
    let quarantine = fs::read_to_string(project.path(".secateur/quarantine.json")).unwrap();
    assert_eq!(quarantine.matches("\"fingerprint\"").count(), 1, "{quarantine}");
    let plain = run(&project, &["codemod"]);
    assert_eq!(plain.status.code(), Some(0));
    assert!(
        text(&plain.stdout)
            .ends_with("quarantined fixes left out: 1; --retry-quarantined makes them too\n")
    );
    assert_eq!(run(&project, &["codemod", "--retry-quarantined"]).status.code(), Some(1));
}

#[test]
fn a_command_that_fails_anyway_is_an_error_and_nothing_is_written() {
    let project = Project::new(TWO);
    let old = snapshot(&project.path(""));
    let output = run(&project, &["codemod", "--verify", "echo no; exit 7"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let said = text(&output.stderr);
    assert!(said.contains("`echo no; exit 7` fails on the tree without any fix"), "{said}");
    assert!(said.contains(".secateur/logs/tree.log has what it said"), "{said}");
    assert_eq!(fs::read_to_string(project.path(".secateur/logs/tree.log")).unwrap(), "no\n");
    assert_eq!(snapshot(&project.path("")), old);
    assert_eq!(run(&project, &["undo", "--list"]).stdout, b"");
}

#[test]
fn a_command_that_does_not_end_is_stopped_with_all_it_started() {
    let project = Project::new(TWO);
    let build =
        "grep -q '^        \":c\",$' two/BUCK || { sleep 60 & echo $! >> .secateur/pids; wait; }";
    let begin = Instant::now();
    let output = run(&project, &["codemod", "//two/...", "--timeout", "1", "--verify", build]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("quarantined: the command does not end in time, see .secateur/logs/"),
        "{said}"
    );
    assert_eq!(deps(&project, "two"), "c");
    assert!(begin.elapsed() < Duration::from_secs(50));
    for pid in fs::read_to_string(project.path(".secateur/pids")).unwrap().lines() {
        assert!(!is_alive(pid), "{pid} was left behind");
    }
}

/// Whether a process runs; one that ended and waits to be seen does not.
fn is_alive(pid: &str) -> bool {
    let shown = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = text(&shown.stdout).trim();
    !state.is_empty() && !state.starts_with('Z')
}

fn git(project: &Project, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@localhost"]).args(args);
    assert!(git.current_dir(project.path("")).output().unwrap().status.success(), "{args:?}");
}

#[test]
fn files_with_changes_of_the_users_are_refused() {
    let project = Project::new(TWO);
    git(&project, &["init", "-q"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-q", "-m", "all"]);
    project.add("two/a.py", "A = 2\n");
    let text_of_one = fs::read_to_string(project.path("one/BUCK")).unwrap();
    project.add("one/BUCK", &format!("# mine\n{text_of_one}"));
    let old = snapshot(&project.path(""));
    let output = verify(&project);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let said = text(&output.stderr);
    assert!(said.contains("not committed\n   M one/BUCK\nhint: "), "{said}");
    assert_eq!((snapshot(&project.path("")), builds(&project)), (old, 0));
    // Files that are not edited may be as they like.
    let other = run(&project, &["codemod", "//two/...", "--json", "--verify", BUILD]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other.stderr));
    let allowed = run(&project, &["codemod", "--json", "--allow-dirty", "--verify", BUILD]);
    assert_eq!(text(&allowed.stderr), "");
    assert_eq!(deps(&project, "one").len(), 1);
}

/// A repository of Sapling is asked through `sl`, which is played here.
#[test]
fn sapling_is_asked_where_it_is_used() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new(TWO);
    project.add(".sl/requires", "");
    project.add("bin/sl", "#!/bin/sh\necho \"$HGPLAIN $@\" > asked\nprintf 'M one/BUCK\\0'\n");
    fs::set_permissions(project.path("bin/sl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", project.path("bin").display());
    let mut command = program(&project.path(""), &["codemod", "--verify", BUILD]);
    let output = command.env("PATH", &path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("not committed\n  M one/BUCK\n"), "{said}");
    let asked = fs::read_to_string(project.path("asked")).unwrap();
    assert_eq!(asked, "1 status --print0 -- one/BUCK two/BUCK\n");
    project.add("bin/sl", "#!/bin/sh\necho broken >&2\nexit 255\n");
    let output = command.output().unwrap();
    assert!(text(&output.stderr).contains("`sl status` fails and says: broken\nhint: go on with"));
}

/// Starts a verification, and returns when the build with this number, from 1, waits.
fn start(project: &Project, number: usize) -> Child {
    project.add(".secateur/stop", &number.to_string());
    let child =
        program(&project.path(""), &["codemod", "--json", "--verify", BUILD]).spawn().unwrap();
    let begin = Instant::now();
    while !project.path(".secateur/waiting").exists() {
        assert!(begin.elapsed() < Duration::from_mins(1), "the build does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(project.path(".secateur/stop")).unwrap();
    fs::remove_file(project.path(".secateur/waiting")).unwrap();
    child
}

#[test]
fn a_killed_run_goes_on_and_comes_to_the_same() {
    let whole = Project::new(TWO);
    let expected = outcome(&whole, &verify(&whole));
    let total = builds(&whole);
    assert!(total > 5, "{total}");
    for number in 1..=total {
        let project = Project::new(TWO);
        let mut child = start(&project, number);
        child.kill().unwrap();
        child.wait().unwrap();
        let output = verify(&project);
        assert_eq!(outcome(&project, &output), expected, "killed in build {number}");
        assert_eq!(snapshot(&project.path("")), snapshot(&whole.path("")), "{number}");
        // Only the one that was interrupted is made again.
        assert_eq!(builds(&project), total + 1, "{number}");
        assert_eq!(json(&output)["verify"]["resumed"], number > 1);
    }
}

/// Like [`start`], but killed wherever it is by then, and again and again.
#[test]
fn a_run_that_is_killed_anywhere_comes_to_the_same() {
    let whole = Project::new(TWO);
    let begin = Instant::now();
    let expected = outcome(&whole, &verify(&whole));
    let time = begin.elapsed();
    let kills: u32 = std::env::var("KILLS").map_or(8, |kills| kills.parse().unwrap());
    for number in 1..=kills {
        let project = Project::new(TWO);
        // Never twice as long after the start: the parts of a run are not equally long.
        for part in [number, kills - number, number / 2] {
            let args = ["codemod", "--json", "--verify", BUILD];
            let mut child = program(&project.path(""), &args).spawn().unwrap();
            std::thread::sleep(time * part / kills);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let output = verify(&project);
        let found = json(&output);
        if found["verify"]["resumed"] == true || !found["batches"].as_array().unwrap().is_empty() {
            assert_eq!(outcome(&project, &output), expected, "{number}");
        }
        assert_eq!(snapshot(&project.path("")), snapshot(&whole.path("")), "{number}");
    }
}

#[test]
fn an_interrupted_run_leaves_whole_batches() {
    for (number, one) in [(2, "ab"), (4, "")] {
        let project = Project::new(TWO);
        let child = start(&project, number);
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert_eq!([deps(&project, "one"), deps(&project, "two")], [one, "abcd"]);
        let found = json(&output);
        assert_eq!(found["verify"]["finished"], false, "{found:#}");
        let again = run(&project, &["codemod", "--verify", BUILD]);
        let said = text(&again.stdout);
        assert!(said.starts_with("goes on where it was interrupted: "), "{said}");
        assert_eq!([deps(&project, "one"), deps(&project, "two")], ["", "bc"]);
    }
}

#[test]
fn another_command_or_tree_begins_anew() {
    for change_tree in [false, true] {
        let project = Project::new(TWO);
        let mut child = start(&project, 4);
        child.kill().unwrap();
        child.wait().unwrap();
        let command = if change_tree { BUILD.to_owned() } else { format!("{BUILD} more") };
        if change_tree {
            project.add("two/d.py", "D = 2\n");
        }
        let made = builds(&project);
        let output = run(&project, &["codemod", "--verify", &command]);
        let said = text(&output.stdout);
        let why = if change_tree {
            "begins anew: the project is not as the interrupted run left it\n"
        } else {
            "begins anew: the run that was interrupted had another command or other options\n"
        };
        assert!(said.contains(why), "{said}");
        assert_eq!([deps(&project, "one"), deps(&project, "two")], ["", "bc"], "{said}");
        // The tree as it is now is tested again.
        let in_batches = said.split(" builds and one of the tree").next().unwrap();
        let in_batches: usize = in_batches.rsplit(' ').next().unwrap().parse().unwrap();
        assert_eq!(builds(&project) - made, in_batches + 1, "{said}");
    }
}

#[test]
fn what_needs_a_guilty_fix_stays() {
    let project = Project::new(
        "//- a/BUCK\npython_library(name = \"user\", srcs = [\"x.py\"], deps = [\":used\"])\n\
         python_library(name = \"used\", srcs = [\"y.py\"])\npython_library(name = \"other\", srcs = [\"z.py\"])\n\
         //- a/x.py\nfrom a import y\n//- a/y.py\nY = 1\n//- a/z.py\nZ = 1\n",
    );
    let build = "grep -q '\"user\"' a/BUCK";
    let args = ["codemod", "--json", "--fix", "all", "--check", "dead-target", "--verify", build];
    let found = json(&run(&project, &args));
    let batch = &found["verify"]["batches"][0];
    let figures = ["fixes", "kept", "stranded"].map(|key| batch[key].as_u64().unwrap());
    assert_eq!(figures, [3, 1, 1], "{batch:#}");
    let left = fs::read_to_string(project.path("a/BUCK")).unwrap();
    assert!(left.contains("\"used\"") && !left.contains("\"other\""), "{left}");
}

#[test]
fn a_file_stays_as_long_as_one_that_imports_it() {
    let project = Project::new(
        "//- a/BUCK\npython_binary(name = \"app\", main_module = \"a.main\", deps = [\":lib\"])\n\
         python_library(name = \"lib\", srcs = [\"main.py\", \"x.py\", \"y.py\", \"z.py\"])\n\
         //- a/main.py\n//- a/x.py\nfrom a import y\n//- a/y.py\nY = 1\n//- a/z.py\nZ = 1\n",
    );
    let args = ["codemod", "--json", "--fix", "all", "--verify", "test -e a/x.py"];
    let found = json(&run(&project, &args));
    let batches = found["verify"]["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 1, "{found:#}");
    let figures = ["fixes", "kept", "stranded"].map(|key| batches[0][key].as_u64().unwrap());
    assert_eq!(figures, [3, 1, 1], "{found:#}");
    let is_there = |file: &str| project.path(file).exists();
    assert_eq!(["a/x.py", "a/y.py", "a/z.py"].map(is_there), [true, true, false]);
}

#[test]
fn targets_that_are_gone_are_not_built() {
    let project = Project::new(TWO);
    project.add("dead/BUCK", "python_library(name = \"dead\", srcs = [\"x.py\"])\n");
    project.add("dead/x.py", "X = 1\n");
    let build = "test \"{targets}\" = root//dead:dead || test -z \"{targets}{rdeps}{tests}\"";
    let args = ["codemod", "//dead/...", "--json", "--fix", "all", "--check", "dead-target"];
    let output = run(&project, &[&args[..], &["--verify", build]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(json(&output)["verify"]["batches"][0]["kept"], 1);
}

#[test]
fn only_one_run_at_a_time() {
    let project = Project::new(TWO);
    let mut child = start(&project, 2);
    let other = verify(&project);
    assert_eq!(other.status.code(), Some(2));
    assert!(
        text(&other.stderr).contains("another secateur is verifying"),
        "{}",
        text(&other.stderr)
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
