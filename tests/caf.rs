//! `secateur caf` as users run it: one machine pushes, another pulls and runs; processes are killed, collected under and
//! served to at the same time, and nothing is lost.

use crate::support::repository;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A machine: a directory with a store and whatever else.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
        // Before all else: behind `--` it would be the program's.
        command.arg("caf").arg("--store").arg(self.path("store")).args(args.split_whitespace());
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command.env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command prints that succeeds.
    fn says(&self, args: &str) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON, which its schema describes.
    fn json(&self, args: &str) -> Value {
        let value: Value =
            serde_json::from_str(&self.says(&format!("{args} --format json"))).unwrap();
        let schema = fs::read_to_string(repository().join("docs/schema/caf.schema.json")).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        value
    }

    /// What a command complains of that fails.
    fn complains(&self, args: &str) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Writes an application of some files.
    fn app(&self, greeting: &str) {
        let files = [("serve/__init__.py", String::new()), ("serve/main.py", main_py(greeting))];
        let data = (0..40).map(|number| {
            (format!("data/{}/{number}.txt", number % 4), format!("{number}\n").repeat(500))
        });
        for (path, text) in
            files.map(|(path, text)| (path.to_owned(), text)).into_iter().chain(data)
        {
            let path = self.path("app").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if fs::read_to_string(&path).ok().as_deref() != Some(&*text) {
                fs::write(path, text).unwrap();
            }
        }
    }

    /// Serves the store until the test ends.
    fn serve(&self, more: &str) -> Served {
        let mut command = self.command(&format!("serve --address 127.0.0.1:0 {more}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().next().unwrap().to_owned();
        Served { child, url }
    }
}

fn main_py(greeting: &str) -> String {
    format!("import sys\nprint('{greeting}', *sys.argv[1:])\n")
}

struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Paths, contents and whether they can be executed.
fn tree(root: &Path) -> Vec<(String, Vec<u8>, bool)> {
    let file = |path: PathBuf| {
        let mode = path.metadata().unwrap().permissions().mode();
        let shown = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        (shown, fs::read(&path).unwrap(), mode & 0o111 != 0)
    };
    let mut found: Vec<_> = files(root).into_iter().map(file).collect();
    found.sort();
    found
}

/// All files below a directory.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn an_edit_travels_from_one_machine_to_another() {
    let (server, one, other) = (Machine::new(), Machine::new(), Machine::new());
    let served = server.serve("");
    let remote = format!("--remote {}", served.url);
    one.app("good morning");
    let first = one.json(&format!("push app team/app@1 --entry serve.main {remote}"));
    assert_eq!(
        (&first["files"], &first["transfer"]["retried"]),
        (&Value::from(42), &Value::from(0))
    );
    assert_eq!(other.says(&format!("run team/app@1 {remote} -- sunny")), "good morning sunny\n");
    other.says(&format!("pull team/app@1 tree {remote}"));
    assert_eq!(tree(&other.path("tree")), tree(&one.path("app")));

    one.app("good evening");
    let second = one.json(&format!("push app team/app@2 --entry serve.main {remote}"));
    // The file, its directory, the root; the action and the command that are its name.
    assert_eq!(second["transfer"]["blobs"], 5);
    let pulled = other.json(&format!("pull team/app@2 tree {remote}"));
    assert_eq!((&pulled["files"], &pulled["previous_root"]), (&Value::from(1), &first["root"]));
    assert_eq!(tree(&other.path("tree")), tree(&one.path("app")));
    assert_eq!(other.says(&format!("run team/app@2 {remote}")), "good evening\n");
    let diff = other.json(&format!("diff team/app@1 team/app@2 {remote}"));
    assert_eq!(diff["changes"].as_array().unwrap().len(), 1);
    assert_eq!(diff["changes"][0]["path"], "serve/main.py");
    // Without the server, what is here still runs.
    drop(served);
    assert_eq!(other.says("run team/app@1"), "good morning\n");
}

#[test]
fn what_a_tree_has_already_is_looked_for_when_it_is_needed() {
    let (server, one, other) = (Machine::new(), Machine::new(), Machine::new());
    let served = server.serve("");
    let remote = format!("--remote {}", served.url);
    one.app("good morning");
    one.says(&format!("push app app@1 {remote}"));
    other.says(&format!("pull app@1 tree {remote}"));
    one.app("good evening");
    one.says(&format!("push app app@2 {remote}"));
    // The store loses a file that is the same in both, and the tree its directory.
    let lose = || {
        let object = first(&other.path("store/cas"), &|path| {
            fs::read(path).unwrap() == "7\n".repeat(500).as_bytes()
        });
        fs::remove_file(object).unwrap();
    };
    lose();
    let pulled = other.json(&format!("pull app@2 tree {remote}"));
    assert_eq!((&pulled["files"], &pulled["transfer"]["blobs"]), (&1.into(), &3.into()));
    fs::remove_dir_all(other.path("tree/data/3")).unwrap();
    one.app("good night");
    one.says(&format!("push app app@3 {remote}"));
    let elsewhere = other.complains("pull app@2 elsewhere");
    assert!(elsewhere.contains("not in the store"), "{elsewhere}");
    let pulled = other.json(&format!("pull app@3 tree {remote} --check"));
    assert_eq!(pulled["transfer"]["blobs"], 4);
    assert_eq!(tree(&other.path("tree")), tree(&one.path("app")));
    // Not asked for, but needed.
    lose();
    fs::remove_dir_all(other.path("tree/data")).unwrap();
    fs::remove_dir_all(one.path("app/data/0")).unwrap();
    one.says(&format!("push app app@4 {remote}"));
    let pulled = other.json(&format!("pull app@4 tree {remote}"));
    // The root and its directory `data`, and then the file.
    assert_eq!(pulled["transfer"]["blobs"], 3);
    assert_eq!(tree(&other.path("tree")), tree(&one.path("app")));
}

#[test]
fn names_are_listed_and_taken_away_and_their_contents_collected() {
    let machine = Machine::new();
    machine.app("hello");
    machine.says("push app app@1");
    machine.says("push app app@2");
    assert_eq!(machine.json("ls")["bundles"].as_array().unwrap().len(), 2);
    let stat = machine.json("stat");
    assert_eq!((&stat["bundles"], &stat["files_packed"]), (&Value::from(2), &Value::from(84)));
    assert_eq!(stat["bundle_bytes"].as_u64().unwrap(), 2 * stat["unique_bytes"].as_u64().unwrap());
    let gone = machine.run("rm app@1 app@2 app@3");
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stdout).contains("app@3: no such bundle"));
    // What was just used stays: somebody may be about to name it.
    assert_eq!(machine.json("gc --grace 0s")["objects"], 0);
    assert!(machine.complains("run app@1").contains("does not know the bundle app@1"));
    assert!(machine.complains("pull app@1 app").contains("does not know"));
    assert!(machine.complains("push nowhere app@1").contains("neither a directory nor a target"));
}

#[test]
fn only_what_was_signed_is_taken_where_that_is_asked_for() {
    let machine = Machine::new();
    machine.app("hello");
    machine.says("keygen key");
    machine.says("keygen other");
    assert_eq!(machine.path("key").metadata().unwrap().mode() & 0o777, 0o600);
    assert!(machine.complains("keygen key").contains("cannot write a new file"));
    machine.says("push app app@1 --entry serve.main --sign key");
    machine.says("push app app@2 --entry serve.main");
    assert_eq!(machine.says("run app@1 --require-signature key.pub"), "hello\n");
    for (name, key) in [("app@1", "other.pub"), ("app@2", "key.pub")] {
        machine.complains(&format!("run {name} --require-signature {key}"));
        machine.complains(&format!("pull {name} tree --require-signature {key}"));
    }
    assert!(!machine.path("tree").exists());
}

#[test]
fn damage_is_found_and_repaired_from_the_server() {
    let (server, machine) = (Machine::new(), Machine::new());
    let served = server.serve("");
    machine.app("hello");
    machine.says(&format!("push app app@1 --remote {}", served.url));
    let object = first(&machine.path("store/cas"), &|path| {
        fs::read(path).unwrap() == main_py("hello").as_bytes()
    });
    fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&object, main_py("jello")).unwrap();
    let verified = machine.run("verify");
    assert_eq!(verified.status.code(), Some(1));
    let repaired = machine.json(&format!("verify --remote {}", served.url));
    assert_eq!(
        (&repaired["repaired"], &repaired["missing"]),
        (&Value::from(1), &Value::from(Vec::<Value>::new()))
    );
    assert_eq!(fs::read_to_string(&object).unwrap(), main_py("hello"));
}

/// The first file below a directory that is wanted.
fn first(dir: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> PathBuf {
    let found = files(dir).into_iter().find(|path| is_wanted(path));
    found.unwrap_or_else(|| panic!("no such file"))
}

#[test]
fn a_server_with_a_token_and_a_read_only_one_say_so() {
    let (server, machine) = (Machine::new(), Machine::new());
    machine.app("hello");
    let read_only = server.serve("--read-only");
    let said = machine.complains(&format!("push app app@1 --remote {}", read_only.url));
    assert!(said.contains("read"), "{said}");
    drop(read_only);
    let mut command = server.command("serve --address 127.0.0.1:0 --token-env TOKEN");
    let mut child = command.env("TOKEN", "secret").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let served = Served { child, url: line.split_whitespace().next().unwrap().to_owned() };
    let push = format!("push app app@1 --remote {}", served.url);
    machine.complains(&push);
    let with = format!("{push} --token-env TOKEN");
    assert!(machine.complains(&with).contains("TOKEN is not set"));
    assert!(machine.command(&with).env("TOKEN", "secret").output().unwrap().status.success());
}

/// A number from a seed: tests that kill do it at the same points each time, as far as machines let them.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn a_client_that_is_killed_anywhere_leaves_nothing_broken() {
    let (server, one, other) = (Machine::new(), Machine::new(), Machine::new());
    let served = server.serve("");
    let remote = format!("--remote {}", served.url);
    let mut seed = 7;
    for round in 0..34 {
        one.app(&format!("hello {round}"));
        let push = format!("push app app@{round} {remote}");
        let pull = format!("pull app@{round} tree {remote} --force");
        for (machine, args) in [(&one, push.as_str()), (&other, &pull), (&one, "gc --grace 0s")] {
            let mut child =
                machine.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(next(&mut seed) % 60_000));
            child.kill().unwrap();
            child.wait().unwrap();
            machine.says(args);
        }
        assert_eq!(tree(&other.path("tree")), tree(&one.path("app")), "round {round}");
    }
    for machine in [&one, &other, &server] {
        let verified = machine.json("verify");
        assert_eq!(verified["damaged"], Value::from(Vec::<Value>::new()), "{verified}");
        assert_eq!(verified["missing"], Value::from(Vec::<Value>::new()), "{verified}");
    }
}

#[test]
fn sixteen_at_once_and_a_collector_lose_nothing() {
    let (server, machine) = (Machine::new(), Machine::new());
    let served = server.serve("");
    let remote = format!("--remote {}", served.url);
    for number in 0..8 {
        machine.app(&format!("hello {number}"));
        fs::rename(machine.path("app"), machine.path(&format!("app{number}"))).unwrap();
        machine.says(&format!("push app{number} old@{number} {remote}"));
    }
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for number in 0..8 {
            let (machine, remote) = (&machine, &remote);
            workers.push(scope.spawn(move || {
                for round in 0..3 {
                    machine.says(&format!("push app{number} app{number}@{round} {remote}"));
                }
            }));
            workers.push(scope.spawn(move || {
                for _ in 0..3 {
                    machine.says(&format!("pull old@{number} tree{number} {remote} --force"));
                }
            }));
        }
        let collector = scope.spawn(|| {
            for _ in 0..10 {
                machine.says("gc --grace 0s");
                server.says("gc --grace 0s");
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        collector.join().unwrap();
    });
    for number in 0..8 {
        let pulled = tree(&machine.path(&format!("tree{number}")));
        assert_eq!(pulled, tree(&machine.path(&format!("app{number}"))));
    }
    for machine in [&machine, &server] {
        let verified = machine.json("verify");
        assert_eq!(verified["damaged"], Value::from(Vec::<Value>::new()), "{verified}");
        assert_eq!(verified["missing"], Value::from(Vec::<Value>::new()), "{verified}");
    }
}

#[test]
fn a_target_is_pushed_and_runs() {
    let machine = Machine::new();
    let project = machine.path("project");
    fs::create_dir_all(project.join("app")).unwrap();
    fs::write(project.join(".buckconfig"), "").unwrap();
    let build = "python_library(name = 'lib', srcs = ['greet.py'])\n\
                 python_binary(name = 'main', main = 'main.py', deps = [':lib'])\n";
    fs::write(project.join("app/BUCK"), build).unwrap();
    fs::write(project.join("app/greet.py"), "def greet():\n    return 'hello from a target'\n")
        .unwrap();
    fs::write(project.join("app/main.py"), "from app.greet import greet\n\nprint(greet())\n")
        .unwrap();
    let mut command = machine.command("push //app:main app@1 -C project");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(machine.says("run app@1"), "hello from a target\n");
}
