//! Changes written to projects and taken back: byte for byte, or not at all.

use crate::support::Project;
use proptest::prelude::*;
use secateur::cli::Exit;
use secateur::edits::{self, ApplyError, BatchInfo, BatchState, FileChange, Reason};
use secateur::source::ProjectPath;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user that owns nothing; root may write everywhere.
const NOBODY: u32 = 65534;

/// What stands below a directory, but for the journal: modes, and bytes or targets of links.
pub fn snapshot(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    fn visit(root: &Path, dir: &Path, found: &mut BTreeMap<String, (u32, Vec<u8>)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let bytes = if name == ".secateur" {
                continue;
            } else if metadata.is_dir() {
                visit(root, &path, found);
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(name, (metadata.permissions().mode(), bytes));
        }
    }
    let mut found = BTreeMap::new();
    visit(root, root, &mut found);
    found
}

pub fn change(path: &str, before: &str, after: Option<&str>) -> FileChange {
    let after = after.map(|after| after.as_bytes().to_vec());
    FileChange { path: ProjectPath::new(path), before: before.as_bytes().to_vec(), after }
}

fn info() -> BatchInfo {
    BatchInfo { title: "a test".to_owned(), remove_empty_dirs: true }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn apply(project: &Project, changes: &[FileChange]) -> Result<String, ApplyError> {
    let batch = edits::apply(&project.path(""), changes, &info())?;
    Ok(batch.map_or(String::new(), |batch| batch.id.to_string()))
}

fn reasons(error: ApplyError) -> Vec<(String, Reason)> {
    let ApplyError::Refused(files) = error else { panic!("{error}") };
    files.into_iter().map(|file| (file.path.to_string(), file.reason)).collect()
}

const TWO: &str = "//- a/BUCK\nold\n//- b/c/x.py\npass\n";

#[test]
fn changes_are_written_and_taken_back() {
    let project = Project::new(TWO);
    mode(&project.path("a/BUCK"), 0o440);
    let old = snapshot(&project.path(""));
    let changes = [change("a/BUCK", "old\n", Some("new\n")), change("b/c/x.py", "pass\n", None)];
    assert_eq!(apply(&project, &changes).unwrap(), "0001");
    let new = snapshot(&project.path(""));
    assert_eq!(new["a/BUCK"], (0o100_440, b"new\n".to_vec()));
    assert_eq!(new.len(), 3, "{new:?}");
    assert_eq!(fs::read_to_string(project.path(".secateur/.gitignore")).unwrap(), "*\n");
    let list = project.secateur("undo --list").out;
    assert_eq!(list, "0001  applied   1 edited, 1 deleted  a test\n");
    let undone = project.secateur("undo --format json");
    assert_eq!(
        undone.out,
        "{\"schema_version\":1,\"batches\":[{\"batch\":\"0001\",\"state\":\"undone\",\"title\":\"a test\",\"edited\":[\"a/BUCK\"],\"deleted\":[\"b/c/x.py\"]}]}\n"
    );
    assert_eq!(snapshot(&project.path("")), old);
    let again = project.secateur("undo");
    assert_eq!((again.exit, again.out.as_str()), (Exit::Failed, ""));
    assert!(again.err.starts_with("error: there is nothing to undo\n"), "{}", again.err);
    assert!(project.secateur("undo 1").err.contains("batch 0001 was undone already"));
    assert!(project.secateur("undo 7").err.contains("there is no batch `7`"));
    assert!(project.secateur("undo --finish").err.contains("nothing to finish"));
}

#[test]
fn a_directory_stays_unless_told_and_unless_empty() {
    let project = Project::new("//- a/x.py\n//- b/x.py\n//- b/y.py\n");
    let gone = |path| change(path, "", None);
    apply(&project, &[gone("b/x.py")]).unwrap();
    assert!(project.path("b").exists());
    let keep = BatchInfo { remove_empty_dirs: false, ..info() };
    edits::apply(&project.path(""), &[gone("a/x.py")], &keep).unwrap();
    assert!(project.path("a").exists());
}

#[test]
fn what_changed_since_is_named_and_nothing_is_written() {
    let project = Project::new(TWO);
    project.add("gone", "");
    fs::remove_file(project.path("gone")).unwrap();
    let old = snapshot(&project.path(""));
    let changes = [
        change("b/c/x.py", "other\n", Some("x")),
        change("a/BUCK", "old\n", Some("new\n")),
        change("gone", "", None),
        change("../out", "", None),
        change(".git/config", "", None),
    ];
    let expected = [
        ("../out", Reason::Outside),
        (".git/config", Reason::Gone),
        ("b/c/x.py", Reason::Changed),
        ("gone", Reason::Gone),
    ];
    let expected = expected.map(|(path, reason)| (path.to_owned(), reason));
    assert_eq!(reasons(apply(&project, &changes).unwrap_err()), expected);
    assert_eq!(snapshot(&project.path("")), old);
    assert!(!project.path(".secateur").exists());
    assert_eq!(apply(&project, &[change("a/BUCK", "old\n", Some("old\n"))]).unwrap(), "");
}

#[test]
fn undo_refuses_where_a_file_changed_since_and_restores_nothing() {
    let project = Project::new(TWO);
    let changes = [change("a/BUCK", "old\n", Some("1")), change("b/c/x.py", "pass\n", Some("2"))];
    apply(&project, &changes).unwrap();
    apply(&project, &[change("a/BUCK", "1", Some("3"))]).unwrap();
    let refused = project.secateur("undo 0001").err;
    assert!(refused.contains("\n  a/BUCK: batch 0002 changed it as well\n"), "{refused}");
    assert!(refused.contains("hint: undo the later batch first: secateur undo 0002"), "{refused}");
    project.add("b/c/x.py", "mine");
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
    let refused = project.secateur("undo");
    assert_eq!(refused.exit, Exit::Failed);
    assert!(refused.err.contains("\n  b/c/x.py: has changed since\n"), "{}", refused.err);
    assert_eq!(fs::read_to_string(project.path("a/BUCK")).unwrap(), "1");
    project.add("b/c/x.py", "2");
    mode(&project.path("b/c/x.py"), 0o755);
    assert_eq!(project.secateur("undo").exit, Exit::Failed, "permissions are the user's too");
    mode(&project.path("b/c/x.py"), 0o644);
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
}

#[test]
fn links_are_followed_inside_the_project_and_refused_outside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("BUCK"), "old\n").unwrap();
    let project = Project::new(TWO);
    symlink("../a/BUCK", project.path("b/link")).unwrap();
    symlink("a", project.path("dir")).unwrap();
    symlink(outside.path(), project.path("out")).unwrap();
    symlink(outside.path().join("BUCK"), project.path("a/out")).unwrap();
    for path in ["out/BUCK", "a/out"] {
        let refused = reasons(apply(&project, &[change(path, "old\n", Some("x"))]).unwrap_err());
        assert_eq!(refused, [(path.to_owned(), Reason::Outside)]);
    }
    let twice =
        [change("b/link", "old\n", Some("new\n")), change("dir/BUCK", "old\n", Some("x\n"))];
    let refused = reasons(apply(&project, &twice).unwrap_err());
    assert_eq!(refused, [("a/BUCK".to_owned(), Reason::Twice)]);
    let old = snapshot(&project.path(""));
    let same =
        [change("b/link", "old\n", Some("new\n")), change("dir/BUCK", "old\n", Some("new\n"))];
    apply(&project, &same).unwrap();
    assert_eq!(fs::read_to_string(project.path("a/BUCK")).unwrap(), "new\n");
    assert!(project.path("b/link").is_symlink());
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
    apply(&project, &[change("b/link", "old\n", None)]).unwrap();
    assert!(!project.path("b/link").is_symlink() && project.path("a/BUCK").exists());
    assert_eq!(project.secateur("undo").exit, Exit::Clean);
    assert_eq!(snapshot(&project.path("")), old);
}

#[test]
fn a_journal_that_leads_elsewhere_or_is_damaged_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let project = Project::new(TWO);
    symlink(outside.path(), project.path(".secateur")).unwrap();
    let changes = [change("a/BUCK", "old\n", Some("new\n"))];
    assert!(apply(&project, &changes).unwrap_err().to_string().contains("is no directory"));
    fs::remove_file(project.path(".secateur")).unwrap();
    apply(&project, &changes).unwrap();
    fs::rename(project.path("a"), outside.path().join("a")).unwrap();
    symlink(outside.path().join("a"), project.path("a")).unwrap();
    assert!(project.secateur("undo").err.contains("a/BUCK: has changed since"));
    fs::remove_file(project.path("a")).unwrap();
    fs::rename(outside.path().join("a"), project.path("a")).unwrap();
    project.add(".secateur/journal/0001/contents", "old\nnow\n");
    let damaged = project.secateur("undo").err;
    assert!(
        damaged.contains(".secateur/journal/0001: the contents of a/BUCK are damaged"),
        "{damaged}"
    );
}

#[test]
fn two_processes_do_not_write_at_once() {
    let project = Project::new(TWO);
    apply(&project, &[change("a/BUCK", "old\n", Some("new\n"))]).unwrap();
    let lock = fs::File::options().write(true).open(project.path(".secateur/lock")).unwrap();
    lock.lock().unwrap();
    let busy = "another secateur is changing files";
    assert!(project.secateur("undo").err.contains(busy));
    let error = apply(&project, &[change("a/BUCK", "new\n", Some("x"))]).unwrap_err();
    assert!(error.to_string().contains(busy), "{error}");
    assert_eq!(project.secateur("undo --list").exit, Exit::Clean, "a list only reads");
}

#[test]
fn an_interrupted_batch_comes_before_all_else() {
    let project = Project::new(TWO);
    let changes = [change("a/BUCK", "old\n", Some("1")), change("b/c/x.py", "pass\n", None)];
    apply(&project, &changes).unwrap();
    for (state, command, result) in [
        ("applying", "undo --finish", BatchState::Applied),
        ("undoing", "undo --finish", BatchState::Undone),
        ("applying", "undo", BatchState::Undone),
        ("undoing", "undo", BatchState::Undone),
    ] {
        project.add("a/BUCK", "old\n");
        project.add(".secateur/journal/0001/state", state);
        let error = apply(&project, &[change("a/BUCK", "old\n", Some("x"))]).unwrap_err();
        assert!(error.to_string().contains("interrupted: some files may be old"), "{error}");
        assert_eq!(project.secateur(command).exit, Exit::Clean, "{state} {command}");
        assert_eq!(edits::batches(&project.path("")).unwrap()[0].state, result);
        let is_old = result == BatchState::Undone;
        assert_eq!(fs::read_to_string(project.path("a/BUCK")).unwrap() == "old\n", is_old);
        assert_eq!(project.path("b/c/x.py").exists(), is_old);
        if !is_old {
            assert_eq!(project.secateur("undo").exit, Exit::Clean);
        }
    }
}

/// Runs in a process of its own, as a user who may not write everywhere.
#[test]
fn child_applies_where_it_may_not_write() {
    let Some(root) = std::env::var_os("SECATEUR_TEST_DENIED") else { return };
    let changes = [
        change("a/BUCK", "old\n", Some("new\n")),
        change("b/x.py", "pass\n", None),
        change("shut/y.py", "pass\n", None),
    ];
    let error = edits::apply(Path::new(&root), &changes, &info()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("shut/y.py: cannot be deleted: Permission denied"), "{text}");
    let edits = [change("a/BUCK", "old\n", Some("x")), change("shut/y.py", "pass\n", Some("x"))];
    let text = edits::apply(Path::new(&root), &edits, &info()).unwrap_err().to_string();
    assert!(text.starts_with("shut/y.py: cannot be written: Permission denied"), "{text}");
    assert!(edits::batches(Path::new(&root)).unwrap().is_empty());
}

#[test]
fn where_the_disk_refuses_all_stays_old() {
    let project = Project::new("//- a/BUCK\nold\n//- b/x.py\npass\n//- shut/y.py\npass\n");
    for path in ["", "a", "b", "a/BUCK", "b/x.py", "shut/y.py"] {
        mode(&project.path(path), 0o777);
        std::os::unix::fs::chown(project.path(path), Some(NOBODY), None).ok();
    }
    mode(&project.path("shut"), 0o555);
    let old = snapshot(&project.path(""));
    let dir = tempfile::tempdir().unwrap();
    mode(dir.path(), 0o755);
    let program = dir.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = |uid: Option<u32>| {
        let mut command = Command::new(&program);
        command.env("SECATEUR_TEST_DENIED", project.path(""));
        command.args(["--exact", "apply::child_applies_where_it_may_not_write"]).current_dir("/");
        uid.map(|uid| command.uid(uid));
        command.output()
    };
    let output = run(Some(NOBODY)).or_else(|_| run(None)).unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    assert_eq!(snapshot(&project.path("")), old);
    mode(&project.path("shut"), 0o755);
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        "[a-zé\n]{0,40}".prop_map(String::into_bytes),
        "([a-z]{0,9}\r\n){0,4}[a-z]{0,3}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn files() -> impl Strategy<Value = BTreeMap<String, (Vec<u8>, u32, Option<Vec<u8>>)>> {
    let path = "(a|b c|d/e|é/日本)/[a-z é'\"$*-]{0,12}\\.(py|bzl)";
    let mode = prop_oneof![Just(0o644), Just(0o755), Just(0o444), Just(0o600), Just(0o4711)];
    proptest::collection::btree_map(path, (texts(), mode, proptest::option::of(texts())), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn undo_takes_back_what_apply_did(files in files(), remove_empty_dirs: bool) {
        let project = Project::new("");
        let mut changes = Vec::new();
        for (path, (before, bits, after)) in &files {
            project.add(path, "");
            fs::write(project.path(path), before).unwrap();
            mode(&project.path(path), *bits);
            let (path, before, after) = (ProjectPath::new(path.as_str()), before.clone(), after.clone());
            changes.push(FileChange { path, before, after });
        }
        let old = snapshot(&project.path(""));
        let info = BatchInfo { remove_empty_dirs, ..info() };
        let batch = edits::apply(&project.path(""), &changes, &info).unwrap();
        let new = snapshot(&project.path(""));
        for (path, (_, bits, after)) in &files {
            let found = new.get(path).map(|(bits, bytes)| (bits & 0o7777, bytes.clone()));
            prop_assert_eq!(found, after.clone().map(|after| (*bits, after)));
        }
        if batch.is_some() {
            edits::undo(&project.path(""), None).unwrap();
        }
        prop_assert_eq!(snapshot(&project.path("")), old);
    }
}
