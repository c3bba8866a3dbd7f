//! Input that nobody would write on purpose: files that never end, values that grow without end, names that are none.
//!
//! Each case is laid beside a healthy package, whose finding must stand. The problems are given in full, as `lint -v` shows
//! them, so that each has a place and none is repeated.

use crate::support::Project;
use secateur::cli::Exit;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

pub const GOOD: &str = r#"
//- good/BUCK
python_binary(name = "app", main_module = "good.main", deps = [":main"])
python_library(name = "main", srcs = ["main.py"], deps = [":spare"])
python_library(name = "spare", srcs = ["spare.py"])
//- good/main.py
print("main")
//- good/spare.py
NAME = "spare"
"#;

/// What a run says about the bad part.
pub struct Seen {
    pub exit: Exit,
    /// `path:line  message`
    pub problems: Vec<String>,
    /// Packages and Python files that could not be read whole.
    pub failed: (u64, u64),
    pub targets: u64,
}

/// Lints a project on a thread of its own: whatever waits for ever fails here.
#[track_caller]
pub fn lint(project: Project) -> Seen {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // A finding of the healthy package is no error, so that the exit code speaks of what was not read.
        let outcome = project.secateur("lint -v --fail-on never --output json:report.json");
        let json = fs::read_to_string(project.path("report.json")).unwrap_or_default();
        sender.send((outcome, json)).unwrap();
    });
    let (outcome, json) =
        receiver.recv_timeout(Duration::from_mins(1)).unwrap_or_else(|_| panic!("it hangs"));
    let json: Value =
        serde_json::from_str(&json).unwrap_or_else(|_| panic!("{}{}", outcome.out, outcome.err));
    let findings = json["findings"].as_array().unwrap();
    let spare = |f: &Value| f["check"] == "unused-dep" && f["dep"] == "root//good:spare";
    assert!(findings.iter().any(spare), "the good package was lost: {json:#}");
    let problems = outcome.out.lines().filter_map(|line| line.strip_prefix("    "));
    let problems = problems.filter(|line| line.contains("  ") && !line.starts_with(' '));
    let count = |key: &str| json["coverage"][key].as_u64().unwrap();
    Seen {
        exit: outcome.exit,
        problems: problems.map(str::to_owned).collect(),
        failed: (count("packages_failed"), count("python_files_failed")),
        targets: count("targets") - 3,
    }
}

#[track_caller]
pub fn check(project: Project, problems: &[&str], failed: (u64, u64)) {
    let seen = lint(project);
    assert_eq!(seen.problems, problems);
    assert_eq!(seen.failed, failed);
    let incomplete = problems.iter().any(|_| failed != (0, 0));
    assert!(seen.exit == Exit::Incomplete || !incomplete, "{:?}", seen.exit);
}

/// A build file in a package of its own, and how many targets it must still define.
#[track_caller]
pub fn check_build_file(text: &str, problems: &[&str], targets: u64) {
    let project = Project::new(GOOD);
    project.add("bad/BUCK", text);
    project.add("secateur.toml", "[limits]\nticks = 1_000_000\nheap-mib = 32\n");
    let seen = lint(project);
    let start = &text[..text.len().min(60)];
    assert_eq!(seen.problems, problems, "{start}");
    assert_eq!(
        (seen.targets, seen.failed),
        (targets, (problems.len().min(1) as u64, 0)),
        "{start}"
    );
    let expected = if problems.is_empty() { Exit::Clean } else { Exit::Incomplete };
    assert_eq!(seen.exit, expected, "{start}");
}

#[cfg(unix)]
mod special {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    pub fn pipe(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn pipes_are_never_opened() {
        for (path, kind) in [
            ("bad/BUCK", "neither a file nor a directory"),
            ("bad/a.py", "neither a file nor a directory"),
            ("bad/PACKAGE", "neither a file nor a directory"),
            (".buckconfig.local", "neither a file nor a directory"),
            ("ci.sh", "neither a file nor a directory"),
        ] {
            let project = Project::new(GOOD);
            pipe(&project.path(path));
            let seen = lint(project);
            assert_eq!(seen.problems, [format!("{path}  {kind}")]);
            assert_eq!(seen.exit, Exit::Incomplete, "{path}");
        }
        let project = Project::new(GOOD);
        pipe(&project.path("secateur.toml"));
        assert_eq!(project.secateur("lint").exit, Exit::Failed);
    }

    #[test]
    fn pipes_that_other_files_name_are_never_opened() {
        let project = Project::new(GOOD);
        project.add(".buckconfig", "<file:included>\n[buildfile]\nincludes = //bad:pipe.bzl\n");
        project.add("bad/BUCK", "load(\":pipe.json\", \"value\")\n");
        for path in ["included", "bad/pipe.bzl", "bad/pipe.json"] {
            pipe(&project.path(path));
        }
        let seen = lint(project);
        assert_eq!(seen.exit, Exit::Incomplete);
        for path in ["included  ", "bad/pipe.bzl  ", "bad/pipe.json  ", "bad/BUCK:1  "] {
            assert!(seen.problems.iter().any(|it| it.starts_with(path)), "{:?}", seen.problems);
        }
    }

    #[test]
    fn sockets_devices_and_links_to_them_are_said() {
        let project = Project::new(GOOD);
        project.add("bad/BUCK", "python_library(name = \"x\", srcs = glob([\"*.py\"]))\n");
        UnixListener::bind(project.path("bad/socket.py")).unwrap();
        symlink("/dev/zero", project.path("bad/zero.py")).unwrap();
        pipe(&project.path("bad/pipe"));
        symlink("pipe", project.path("bad/piped.py")).unwrap();
        check(
            project,
            &[
                "bad/pipe  neither a file nor a directory",
                "bad/piped.py  neither a file nor a directory",
                "bad/socket.py  neither a file nor a directory",
                "bad/zero.py  neither a file nor a directory",
            ],
            (0, 0),
        );
    }

    #[test]
    fn links_that_lead_nowhere_count_as_unread() {
        let project = Project::new(GOOD);
        project.add("bad/BUCK", "python_library(name = \"x\", srcs = [\"a.py\"])\n");
        symlink("nowhere", project.path("bad/a.py")).unwrap();
        symlink("b", project.path("bad/b")).unwrap();
        fs::create_dir(project.path("lost")).unwrap();
        symlink("nowhere", project.path("lost/BUCK")).unwrap();
        check(
            project,
            &[
                "bad/a.py  cannot be read: No such file or directory (os error 2)",
                "lost/BUCK  a link to no file has the name of a build file",
            ],
            (0, 1),
        );
    }

    #[test]
    fn directories_in_a_circle_are_walked_once() {
        let project = Project::new(GOOD);
        project.add("bad/BUCK", "python_library(name = \"x\", srcs = glob([\"**/*.py\"]))\n");
        project.add("bad/a.py", "");
        symlink("..", project.path("bad/up")).unwrap();
        symlink(".", project.path("bad/here")).unwrap();
        check(project, &[], (0, 0));
    }

    #[test]
    fn names_that_are_no_text_are_said() {
        use std::os::unix::ffi::OsStrExt;
        let project = Project::new(GOOD);
        let name = std::ffi::OsStr::from_bytes(b"\xff.py");
        if fs::write(project.path("good").join(name), "").is_ok() {
            check(project, &["good/\u{fffd}.py  the name is not UTF-8"], (0, 0));
        }
    }

    /// The limits bound the memory of the whole process, not only what Starlark counts.
    #[test]
    fn memory_is_bounded() {
        let project = Project::new(GOOD);
        project.add("secateur.toml", "[limits]\nheap-mib = 64\n");
        let body = "x = [0]\n".to_owned() + &"x = x + x\n".repeat(60);
        let function = format!("def f():\n    {}\nf()\n", body.trim_end().replace('\n', "\n    "));
        project.add("bad/BUCK", &function.replace("x = x + x", "x += x"));
        project.add("bad2/BUCK", &body);
        project.add("bad3/BUCK", "x = \"a\" * 2147483647\ny = [0] * 2147483647\n");
        project.add("bad4/BUCK", &"x = [1, 2, 3]\n".repeat(3 << 20));
        project.add("bad5/a.py", &"x = [1, 2, 3]\n".repeat(3 << 20));
        let program = assert_cmd::cargo::cargo_bin("secateur");
        // Threads and the allocator reserve some of it and never touch it.
        let command = "ulimit -v 3000000 && exec \"$0\" -j 2 lint --fail-on never";
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", command]).arg(program).current_dir(project.path(""));
        let shell = shell.env("XDG_CACHE_HOME", crate::support::cache_home());
        let output = shell.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*err), (Some(3), ""));
    }
}

#[test]
fn values_that_one_operation_makes_are_bounded() {
    let rest = "\npython_library(name = \"x\", srcs = [])\n";
    for (statement, problem) in [
        ("y = \"a\" * 2147483647", "a product of 2147483647 bytes is over the limit"),
        ("y = [0] * 2147483647", "a product of 17179869176 bytes is over the limit"),
        ("y = 2147483647 * (0, 0)", "a product of 34359738352 bytes is over the limit"),
        ("y = [0] * 1000000000000", "Integer value is too big to fit in i32: 1000000000000"),
        ("y = \"ab\" * 3 + \"c\" * -1", ""),
    ] {
        let problem = format!("bad/BUCK:1  {problem}");
        let problems = if problem.ends_with("  ") { vec![] } else { vec![problem.as_str()] };
        check_build_file(&(statement.to_owned() + rest), &problems, 1);
    }
    let squares = "n = 99\n".to_owned() + &"n = n * n\n".repeat(40);
    let seen = {
        let project = Project::new(GOOD);
        project.add("bad/BUCK", &squares);
        lint(project)
    };
    assert!(seen.problems[0].contains("a factor of more than 1000 digits"), "{:?}", seen.problems);
    check_build_file(
        "def f(n):\n    n *= 2\n\npython_library(name = \"x\")\n",
        &["bad/BUCK:2  `*=` may fill the memory; not read"],
        1,
    );
}

#[test]
fn values_that_double_are_bounded() {
    for step in ["x = x + x", "x += x", "x.extend(x)"] {
        let steps = format!("    {step}\n").repeat(60);
        let text = format!(
            "python_library(name = \"x\", srcs = [])\ndef f():\n    x = [0]\n{steps}\nf()\n"
        );
        let problem = "bad/BUCK:65  Heap memory limit of 33554432 bytes exceeded.";
        check_build_file(&text, &[problem], 1);
    }
}

#[test]
fn values_that_hold_themselves_are_bounded() {
    let nested = "a value nested more than 100 deep is over the limit";
    for (text, problem) in [
        ("a = []\na.append(a)\npython_library(name = \"x\", srcs = a)\n", nested),
        ("a = {}\na[\"a\"] = a\npython_library(name = \"x\", deps = a)\n", nested),
        (
            "a = [1 for _ in range(1000)]\na = [a for _ in a]\npython_library(name = \"x\", srcs = [a, a])\n",
            "a value of more than 1000000 parts is over the limit",
        ),
    ] {
        check_build_file(text, &[&format!("bad/BUCK:3  {problem}")], 0);
    }
    let text = "def f():\n    a = select({})\n    for _ in range(100000):\n        a = a + select({})\n    return a\npython_library(name = \"x\", deps = f())\n";
    check_build_file(text, &["bad/BUCK:6  a sum of more than 1000 parts is over the limit"], 0);
    let text = "load(\"//no:no.bzl\", \"a\")\ndef f(a):\n    for _ in range(100000):\n        a = a.b\n    return a\npython_library(name = \"x\", deps = f(a))\n";
    let project = Project::new(GOOD);
    project.add("bad/BUCK", text);
    assert_eq!(lint(project).targets, 1);
}

#[test]
fn calls_without_end_are_stopped() {
    for (text, problem) in [
        ("f = lambda g: g(g)\nf(f)\n", "bad/BUCK:2  Starlark call stack overflow"),
        (
            "def f(x):\n    return sorted([1, 2], key = f)\nf(1)\n",
            "bad/BUCK:3  Starlark call stack overflow",
        ),
        (
            "def f(x):\n    return select_map(select({\"a\": 1}), f)\nf(1)\n",
            "bad/BUCK:3  Starlark call stack overflow",
        ),
        (
            "def f():\n    for i in range(2147483647):\n        pass\nf()\n",
            "bad/BUCK:4  Execution duration limit of 1000000 ticks has been exceeded",
        ),
        (
            "[0 for i in range(2147483647)]\n",
            "bad/BUCK:1  Heap memory limit of 33554432 bytes exceeded.",
        ),
    ] {
        check_build_file(text, &[problem], 0);
    }
}
