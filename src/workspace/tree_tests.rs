//! Tests of `tree` and `walk`.

use super::super::testing::{Project, packages, path, problems};
use super::*;
use crate::workspace::Workspace;

fn names(names: &[Box<str>]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

fn files(tree: &Tree) -> Vec<&str> {
    tree.files().map(ProjectPath::as_str).collect()
}

#[test]
fn files_are_sorted_by_whole_path_and_version_control_is_skipped() {
    let workspace = Project::new(&[
        ("a/x", ""),
        ("a-b/x", ""),
        ("a.c", ""),
        (".git/config", ""),
        ("a/.hg/x", ""),
        ("a/.sl/x", ""),
        (".gitignore", "a\n"),
    ])
    .open();
    let expected = [".buckconfig", ".gitignore", "a-b/x", "a.c", "a/x"];
    assert_eq!(files(&workspace.tree), expected);
    assert!(workspace.tree.is_file(&path("a/x")) && !workspace.tree.is_file(&path("a")));
    assert_eq!(names(&workspace.tree.dir(&ProjectPath::root()).unwrap().dirs), ["a", "a-b"]);
}

#[test]
fn ignored_entries_do_not_exist() {
    let workspace = Project::new(&[
        (".buckconfig", "[project]\nignore = **/gen, *.tmp, out/\n"),
        ("a/gen/BUCK", ""),
        ("x.tmp", ""),
        ("a/x.tmp", ""),
        ("out/BUCK", ""),
        ("a/BUCK", ""),
    ])
    .open();
    assert_eq!(files(&workspace.tree), [".buckconfig", "a/BUCK", "a/x.tmp"]);
    assert!(workspace.tree.dir(&path("out")).is_none());
}

#[test]
fn packages_own_files_up_to_the_next_build_file_within_their_cell() {
    let workspace = Project::new(&[
        (".buckconfig", "[cells]\nroot = .\nc = a/c\n"),
        ("a/BUCK", ""),
        ("a/b/f", ""),
        ("a/b/sub/BUCK", ""),
        ("a/c/f", ""),
        ("f", ""),
    ])
    .open();
    let owner = |at| workspace.tree.package_of(&path(at)).map(|p| p.dir.as_str().to_owned());
    assert_eq!(owner("a/b/f").as_deref(), Some("a"));
    assert_eq!(owner("a").as_deref(), Some("a"));
    assert_eq!(owner("a/b/new/dir/f").as_deref(), Some("a"));
    assert_eq!(owner("a/b/sub/f").as_deref(), Some("a/b/sub"));
    assert_eq!(owner("a/c/f"), None);
    assert_eq!(owner("f"), None);
}

#[test]
fn a_directory_named_like_a_build_file_is_a_problem_and_the_next_candidate_counts() {
    let project = Project::new(&[("a/BUCK", ""), ("b/BUCK/x", ""), ("b/f", "")]);
    project.write("a/BUCK.v2/x", "");
    let workspace = project.open();
    assert_eq!(packages(&workspace), ["root//a"]);
    assert_eq!(
        problems(&workspace),
        ["a/BUCK.v2", "b/BUCK"].map(|p| format!("{p}:0: a directory has the name of a build file"))
    );
}

#[test]
fn links_are_recorded_and_never_entered() {
    let project = Project::new(&[("real/m.bzl", ""), ("real/BUCK", ""), ("shim/BUCK", "")]);
    project.link("shim/tools", "../real");
    project.link("shim/file.py", "../real/m.bzl");
    project.link("shim/loop", "loop");
    project.link("shim/up", "..");
    project.link("shim/out", "/");
    project.link("real/again", "m.bzl");
    let workspace = project.open();
    let Workspace { tree, files, .. } = &workspace;
    let dir = tree.dir(&path("shim")).unwrap();
    assert_eq!(names(&dir.files), ["BUCK", "file.py"]);
    assert_eq!(names(&dir.links), ["loop", "out", "tools", "up"]);
    assert_eq!(packages(&workspace), ["root//real", "root//shim"]);
    assert_eq!(tree.real_path(&path("shim/tools/m.bzl")), Some(path("real/m.bzl")));
    assert_eq!(tree.real_path(&path("shim/tools/again")), Some(path("real/m.bzl")));
    assert_eq!(tree.real_path(&path("shim/file.py")), Some(path("real/m.bzl")));
    assert_eq!(tree.real_path(&path("shim/up/shim/BUCK")), Some(path("shim/BUCK")));
    assert_eq!(tree.real_path(&path("shim/loop")), None);
    assert_eq!(tree.real_path(&path("shim/out/etc")), None);
    assert_eq!(tree.real_path(&path("shim/BUCK")), Some(path("shim/BUCK")));
    assert!(files.exists(&path("shim/tools/m.bzl")));
    assert_eq!(tree.symlinks().count(), 6);
    assert_eq!(problems(&workspace), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn odd_names_are_problems() {
    use std::os::unix::ffi::OsStrExt;
    let project = Project::new(&[]);
    let name = std::ffi::OsStr::from_bytes(b"a\xff.py");
    std::fs::write(project.root().join(name), "").unwrap();
    let socket = std::os::unix::net::UnixListener::bind(project.root().join("s")).unwrap();
    let workspace = project.open();
    drop(socket);
    assert_eq!(
        problems(&workspace),
        ["a\u{fffd}.py:0: the name is not UTF-8", "s:0: neither a file nor a directory"]
    );
}

#[test]
fn an_overlay_equals_the_walk_after_the_same_change() {
    let project = Project::new(&[
        (".buckconfig", "[cells]\nroot = .\nc = c\n[project]\nignore = out\n"),
        ("a/BUCK", ""),
        ("a/x.py", ""),
        ("a/sub/BUCK", ""),
        ("a/sub/y.py", ""),
        ("c/f", ""),
        ("gone/deep/f", ""),
    ]);
    let before = project.open();
    let _ = super::super::package_files(&before.tree, &before.tree.packages()[0]);
    let created = ["a/sub/n/BUCK", "out/BUCK", "c/z/BUCK", "top.py", "a/.git/x"].map(path);
    let deleted = ["a/sub/BUCK", "a/x.py", "gone/deep"].map(path);
    let overlay = before.tree.overlay(&created, &deleted, &before.cells);
    for made in &created {
        project.write(made.as_str(), "");
    }
    std::fs::remove_file(project.root().join("a/sub/BUCK")).unwrap();
    std::fs::remove_file(project.root().join("a/x.py")).unwrap();
    std::fs::remove_dir_all(project.root().join("gone/deep")).unwrap();
    let after = project.open();
    assert_eq!(overlay.dirs, after.tree.dirs);
    assert_eq!(overlay.packages(), after.tree.packages());
    for package in overlay.packages() {
        let listings =
            [&overlay, &after.tree].map(|tree| super::super::package_files(tree, package));
        assert_eq!(listings[0], listings[1], "{}", package.id);
    }
}

#[test]
fn the_walk_is_the_same_at_any_thread_count() {
    let mut entries: Vec<(String, &str)> = Vec::new();
    for n in 0..200 {
        entries.push((format!("d{}/e{}/BUCK", n % 7, n), ""));
    }
    let entries: Vec<(&str, &str)> = entries.iter().map(|(path, text)| (&**path, *text)).collect();
    let project = Project::new(&entries);
    let first = project.open();
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| project.open());
        assert_eq!(again.tree.dirs, first.tree.dirs);
        assert_eq!(again.tree.packages(), first.tree.packages());
    }
}
