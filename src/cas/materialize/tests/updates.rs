//! Tests of updates: only what differs is touched, what others changed stays, and what Python remembers does not mislead it.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[test]
fn only_what_differs_is_touched() {
    let bench = Bench::new();
    let before = bench.tree(SAMPLE);
    let mut entries = SAMPLE.to_vec();
    entries[1] = ("app/main.py", Text("print(2)"));
    entries[3] = ("app/tool", Text("#!/bin/sh"));
    let after = bench.tree(&entries);
    assert_eq!(bench.update(before, &options()).unwrap().files, 6);
    let inode = |path: &str| bench.dest().join(path).metadata().unwrap().ino();
    let untouched = [inode("app/deep/er/data"), inode("app/deep"), inode("app"), inode("run")];
    let placed = bench.update(after, &options()).unwrap();
    assert_eq!((placed.files, placed.directories, placed.removed), (2, 0, 0), "{placed:?}");
    assert_eq!(placed.previous_root, Some(before));
    assert_eq!(snapshot(&bench.dest()), expected(&entries));
    assert_eq!(untouched, ["app/deep/er/data", "app/deep", "app", "run"].map(inode));
    let nothing = Placed { previous_root: Some(after), ..Placed::default() };
    assert_eq!(bench.update(after, &options()).unwrap(), nothing);
    let checked = Options { check: true, verify: true, ..options() };
    assert_eq!(bench.update(after, &checked).unwrap(), nothing);
    bench.assert_clean();
}

#[test]
fn what_was_placed_is_remembered_with_what_its_links_may() {
    let bench = Bench::new();
    let (inside, any) = (LinkPolicy::Inside, LinkPolicy::Any);
    let of = |links| placed_root(&bench.store, &bench.dest(), links).unwrap();
    assert_eq!(of(any), None);
    let closed = bench.tree(&[("a", Text("1")), ("l", Link("a"))]);
    bench.update(closed, &options()).unwrap();
    assert_eq!((of(inside), of(any)), (Some(closed), Some(closed)));
    let open = bench.tree(&[("a", Text("1")), ("d/x", Text("1")), ("e/l", Link("/etc"))]);
    let lenient = Options { limits: Limits { links: any, ..Limits::default() }, ..options() };
    bench.update(open, &lenient).unwrap();
    assert_eq!((of(inside), of(any)), (None, Some(open)));
    // What does not differ is not judged: the link is there still.
    let edited = bench.tree(&[("a", Text("1")), ("d/x", Text("2")), ("e/l", Link("/etc"))]);
    bench.update(edited, &options()).unwrap();
    assert_eq!(of(inside), None);
    bench.update(closed, &Options { check: true, ..options() }).unwrap();
    assert_eq!(of(inside), Some(closed));
    // A tree on its way, and another directory of that name.
    let faulty = Options {
        faults: Faults::new(|point| match point {
            Point::Rename => Err(rustix::io::Errno::IO),
            _ => Ok(()),
        }),
        ..lenient
    };
    bench.update(edited, &faulty).unwrap_err();
    assert_eq!(of(any), None);
    fs::remove_dir_all(bench.dest()).unwrap();
    fs::create_dir(bench.dest()).unwrap();
    assert_eq!(of(any), None);
}

#[test]
fn any_tree_becomes_any_other() {
    let bench = Bench::new();
    let names = prop::sample::select(vec!["a", "b", "__pycache__", "a.py"]);
    let path = prop::collection::vec(names, 1..4).prop_map(|names| names.join("/"));
    let what = prop::sample::select(vec![
        Text("1"),
        Text("2"),
        Text(""),
        Program("1"),
        Link("a"),
        Link("b"),
        Nothing,
    ]);
    let tree = prop::collection::btree_map(path, what, 0..12);
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(tree.clone(), tree, any::<bool>(), any::<bool>()), |(one, other, check, copy)| {
            let method = if copy { Method::Copy } else { Method::Auto };
            let options = Options { check, ..by(method) };
            let _ = fs::remove_dir_all(bench.dest());
            for tree in [one, other] {
                // What lies below something that is no directory is not there.
                let entries: Vec<(&str, What<'_>)> = tree
                    .iter()
                    .filter(|(path, _)| {
                        path.match_indices('/').all(|(at, _)| {
                            tree.get(&path[..at]).is_none_or(|what| *what == Nothing)
                        })
                    })
                    .map(|(path, what)| (path.as_str(), *what))
                    .collect();
                bench.update(bench.tree(&entries), &options).unwrap();
                prop_assert_eq!(snapshot(&bench.dest()), expected(&entries));
            }
            Ok(())
        })
        .unwrap();
}

/// Does something to the first tree, and gives what an update to the second says, with and without force.
fn after(spoil: impl Fn(&Path), is_kept: impl Fn(&Path) -> bool) -> String {
    const BEFORE: &[(&str, What<'_>)] = &[
        ("same", Text("same")),
        ("a.txt", Text("1")),
        ("go/file", Text("2")),
        ("l", Link("a.txt")),
    ];
    const AFTER: &[(&str, What<'_>)] =
        &[("same", Text("same")), ("a.txt", Text("3")), ("new", Text("4")), ("l", Link("new"))];
    let bench = Bench::new();
    let (before, after) = (bench.tree(BEFORE), bench.tree(AFTER));
    bench.update(before, &by(Method::Copy)).unwrap();
    spoil(&bench.dest());
    let spoilt = snapshot(&bench.dest());
    let error = bench.update(after, &by(Method::Copy)).unwrap_err();
    assert!(error.hint_text().unwrap().contains("--force"));
    assert_eq!(snapshot(&bench.dest()), spoilt);
    assert!(is_kept(&bench.dest()));
    bench.update(after, &Options { force: true, ..by(Method::Copy) }).unwrap();
    assert_eq!(snapshot(&bench.dest()), expected(AFTER));
    bench.assert_clean();
    error.to_string().rsplit(": ").next().unwrap().to_owned()
}

fn overwrite(path: &Path, text: &str) {
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    fs::write(path, text).unwrap();
}

#[test]
fn what_others_did_is_kept_without_force() {
    let read = |path: &'static str, text: &'static str| {
        move |dest: &Path| fs::read_to_string(dest.join(path)).unwrap() == text
    };
    let said = after(|dest| overwrite(&dest.join("a.txt"), "x"), read("a.txt", "x"));
    assert_eq!(said, "a.txt");
    let said = after(|dest| overwrite(&dest.join("new"), "x"), read("new", "x"));
    assert_eq!(said, "new");
    let said = after(|dest| overwrite(&dest.join("go/mine"), "x"), read("go/mine", "x"));
    assert_eq!(said, "go/mine");
    let replace = |dest: &Path| {
        fs::remove_file(dest.join("a.txt")).unwrap();
        fs::create_dir(dest.join("a.txt")).unwrap();
        fs::write(dest.join("a.txt/mine"), "x").unwrap();
    };
    assert_eq!(after(replace, read("a.txt/mine", "x")), "a.txt");
    let relink = |dest: &Path| {
        fs::remove_file(dest.join("l")).unwrap();
        symlink("same", dest.join("l")).unwrap();
    };
    assert_eq!(after(relink, read("l", "same")), "l");
}

#[test]
fn what_is_in_nobodys_way_stays() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(&[("a/b", Text("1"))]), bench.tree(&[("a/b", Text("2"))]));
    bench.update(one, &options()).unwrap();
    fs::write(bench.dest().join("a/mine"), "x").unwrap();
    fs::create_dir_all(bench.dest().join("mine/too")).unwrap();
    for (root, check) in [(two, false), (one, true), (two, true)] {
        bench.update(root, &Options { check, ..options() }).unwrap();
        assert_eq!(fs::read_to_string(bench.dest().join("a/mine")).unwrap(), "x");
        assert!(bench.dest().join("mine/too").exists());
    }
    assert_eq!(fs::read_to_string(bench.dest().join("a/b")).unwrap(), "2");
}

#[test]
fn no_bytecode_outlives_its_source() {
    let bench = Bench::new();
    let one = bench.tree(&[("p/a.py", Text("1")), ("p/b.py", Text("1")), ("q/c.py", Text("1"))]);
    let two = bench.tree(&[("p/a.py", Text("2")), ("p/b.py", Text("1"))]);
    for check in [false, true] {
        bench.update(one, &options()).unwrap();
        for path in ["p/__pycache__/a", "p/__pycache__/b", "q/__pycache__/c"] {
            let path = bench.dest().join(format!("{path}.cpython-311.pyc"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "bytecode").unwrap();
        }
        bench.update(two, &Options { check, ..options() }).unwrap();
        assert!(!bench.dest().join("p/__pycache__/a.cpython-311.pyc").exists());
        assert_eq!(bench.dest().join("p/__pycache__/b.cpython-311.pyc").exists(), !check);
        assert!(!bench.dest().join("q").exists());
    }
}

#[test]
fn a_look_at_every_path_finds_what_an_update_does_not() {
    let bench = Bench::new();
    for method in [Method::Hardlink, Method::Copy] {
        let root = bench.tree(SAMPLE);
        bench.update(root, &by(method)).unwrap();
        fs::remove_dir_all(bench.dest().join("app/deep")).unwrap();
        fs::remove_file(bench.dest().join("again")).unwrap();
        let loose = fs::Permissions::from_mode(0o644);
        fs::set_permissions(bench.dest().join("app/main.py"), loose).unwrap();
        let checked = Options { check: true, ..by(method) };
        let placed = bench.update(root, &checked).unwrap();
        assert_eq!((placed.files, placed.directories, placed.links), (2, 2, 1), "{placed:?}");
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
        overwrite(&bench.dest().join("app/deep/er/data"), "mine");
        let error = bench.update(root, &checked).unwrap_err();
        assert!(error.to_string().ends_with(": app/deep/er/data"), "{error}");
        let forced = Options { force: true, ..checked };
        // Through a link the edit reached the store: the content is put aside, and has to come again.
        if method == Method::Hardlink {
            assert!(bench.update(root, &forced).unwrap_err().to_string().contains("put aside"));
            bench.tree(SAMPLE);
        }
        bench.update(root, &forced).unwrap();
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
    }
}

#[test]
fn without_the_old_tree_or_its_record_nothing_is_lost() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(SAMPLE), bench.tree(&[("app/main.py", Text("print(2)"))]));
    bench.update(one, &options()).unwrap();
    fs::write(bench.dest().join("mine"), "x").unwrap();
    fs::remove_file(bench.object(&one, false)).unwrap();
    bench.update(two, &options()).unwrap();
    assert_eq!(fs::read_to_string(bench.dest().join("mine")).unwrap(), "x");
    assert_eq!(fs::read_to_string(bench.dest().join("app/main.py")).unwrap(), "print(2)");
    assert!(!bench.dest().join("run").exists());
    // Another directory of the same name is not known, nor is one whose record is gone or cannot be read.
    let records = bench.store.root().join("trees");
    let record = fs::read_dir(records).unwrap().next().unwrap().unwrap().path();
    fs::write(record, "{").unwrap();
    assert!(bench.update(two, &options()).unwrap_err().to_string().contains("not made from"));
}

#[test]
fn a_tree_that_moved_is_not_taken_for_another() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(SAMPLE), bench.tree(&[("new", Text("1"))]));
    bench.update(one, &options()).unwrap();
    fs::rename(bench.dest(), bench.dir.path().join("moved")).unwrap();
    fs::create_dir(bench.dest()).unwrap();
    fs::write(bench.dest().join("mine"), "x").unwrap();
    assert!(bench.update(two, &options()).unwrap_err().to_string().contains("is not empty"));
}

#[test]
fn many_at_once_leave_one_whole_tree() {
    let bench = Bench::new();
    let other = [("app/main.py", Text("print(2)")), ("new", Text("n"))];
    let roots = [bench.tree(SAMPLE), bench.tree(&other)];
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (bench, roots) = (&bench, &roots);
            scope.spawn(move || {
                for turn in 0..6 {
                    let root = roots[(number + turn) % 2];
                    let check = turn % 3 == 0;
                    bench.update(root, &Options { check, ..options() }).unwrap();
                }
            });
        }
    });
    let found = snapshot(&bench.dest());
    assert!(found == expected(SAMPLE) || found == expected(&other), "{found:?}");
    bench.assert_clean();
}
