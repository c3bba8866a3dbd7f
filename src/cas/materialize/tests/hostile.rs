//! Tests of manifests that somebody wrote who means harm: each is refused with its reason, and nothing outside is touched.

use super::*;
use crate::cas::tree::message_of;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use std::sync::atomic::{AtomicBool, Ordering};

/// A message with these files, directories and links, in this order.
fn message(files: &[(&str, Digest)], dirs: &[(&str, Digest)], links: &[(&str, &str)]) -> Vec<u8> {
    let files = files.iter().map(|(name, digest)| api::FileNode {
        name: (*name).to_owned(),
        digest: Some(message_of(digest)),
        ..Default::default()
    });
    let directories = dirs.iter().map(|(name, digest)| api::DirectoryNode {
        name: (*name).to_owned(),
        digest: Some(message_of(digest)),
    });
    let symlinks = links.iter().map(|(name, target)| api::SymlinkNode {
        name: (*name).to_owned(),
        target: (*target).to_owned(),
        ..Default::default()
    });
    let directory = api::Directory {
        files: files.collect(),
        directories: directories.collect(),
        symlinks: symlinks.collect(),
        ..Default::default()
    };
    directory.encode_to_vec()
}

/// What all ways to the disk say of a manifest, and that they touched nothing.
fn refusal(bench: &Bench, root: Digest, limits: Limits) -> String {
    let outside = bench.dir.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    let good = bench.tree(SAMPLE);
    bench.update(good, &options()).unwrap();
    let all = || {
        let names = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        (names, snapshot(&bench.dest()), snapshot(&outside))
    };
    let before = all();
    let options = Options { limits, ..options() };
    let error = bench.whole(root, &options).unwrap_err().to_string();
    assert_eq!(bench.update(root, &options).unwrap_err().to_string(), error);
    let checked = Options { check: true, ..options };
    assert_eq!(bench.update(root, &checked).unwrap_err().to_string(), error);
    assert_eq!(all(), before);
    bench.assert_clean();
    error
}

#[test]
fn each_trick_is_refused_with_its_reason() {
    let bench = Bench::new();
    let x = bench.put(b"x", false);
    let empty = bench.put(&message(&[], &[], &[]), false);
    let leaf = bench.put(&message(&[("f", x)], &[], &[]), false);
    let up = bench.put(&message(&[], &[], &[("up", "../../outside")]), false);
    let mut unknown = message(&[("a", x)], &[], &[]);
    unknown.extend([15 << 3, 1]);
    let wrong_size = Digest::new(*x.hash(), 2);
    let ten_gigabytes = Digest::new(*x.hash(), 10 << 30);
    for (bytes, reason) in [
        (message(&[("..", x)], &[], &[]), "\"..\" leads elsewhere"),
        (message(&[], &[("..", leaf)], &[]), "\"..\" leads elsewhere"),
        (message(&[(".", x)], &[], &[]), "\".\" leads elsewhere"),
        (message(&[("", x)], &[], &[]), "is empty"),
        (message(&[("../outside/f", x)], &[], &[]), "has a slash"),
        (message(&[("/etc/passwd", x)], &[], &[]), "has a slash"),
        (message(&[("a\0b", x)], &[], &[]), "has a NUL byte"),
        (message(&[("a", x), ("a", x)], &[], &[]), "\"a\" is there twice"),
        (message(&[("a", x)], &[("a", leaf)], &[]), "\"a\" is there twice"),
        (message(&[("a", x)], &[], &[("a", "b")]), "\"a\" is there twice"),
        // A link, and a directory of the same name that would be written through it.
        (message(&[], &[("a", leaf)], &[("a", "../outside")]), "\"a\" is there twice"),
        (message(&[("b", x), ("a", x)], &[], &[]), "\"a\" is out of order"),
        (message(&[], &[], &[("a", "/etc")]), "leads out of the bundle"),
        (message(&[], &[], &[("a", "../outside")]), "leads out of the bundle"),
        (message(&[], &[], &[("a", "b/../../outside")]), "leads out of the bundle"),
        (message(&[], &[("d", up)], &[]), "leads out of the bundle"),
        (message(&[], &[], &[("a", "b\0c")]), "NUL byte in its target"),
        (unknown, "not in canonical form"),
        (b"\xff\xff".to_vec(), "it is no directory"),
        (message(&[("a", wrong_size)], &[], &[]), "is not in the store"),
        (message(&[("a", ten_gigabytes)], &[], &[]), "is not in the store"),
        (message(&[], &[("a", Digest::new(*empty.hash(), 10 << 30))], &[]), "above the limit"),
        (message(&[], &[("a", Digest::new([7; 32], 5))], &[]), "is not in the store"),
        (message(&[], &[("a", Digest::new(*leaf.hash(), 1))], &[]), "is not in the store"),
    ] {
        let root = bench.put(&bytes, false);
        let said = refusal(&bench, root, Limits::default());
        assert!(said.contains(reason), "{said} instead of {reason}");
    }
    let cased = bench.put(&message(&[("A", x), ("a", x)], &[], &[]), false);
    let limits = Limits { allow_case_collisions: false, ..Limits::default() };
    assert!(refusal(&bench, cased, limits).contains("differ in case only"));
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let bench = Bench::new();
    let big = bench.put(&vec![0; 1 << 16], false);
    let mut wide = bench.put(&message(&[("f", big)], &[], &[]), false);
    let mut deep = wide;
    for _ in 0..40 {
        wide = bench.put(&message(&[], &[("a", wide), ("b", wide)], &[]), false);
    }
    assert!(refusal(&bench, wide, Limits::default()).contains("more than 5000000 entries"));
    for _ in 0..200 {
        deep = bench.put(&message(&[], &[("a", deep)], &[]), false);
    }
    assert!(refusal(&bench, deep, Limits::default()).contains("more than 128 directories deep"));
    let few = Limits { bytes: 1 << 15, ..Limits::default() };
    let one = bench.put(&message(&[("f", big)], &[], &[]), false);
    assert!(refusal(&bench, one, few).contains("more than 32768 bytes"));
    // What a caller's limits let through is held to the options'.
    let manifest = Manifest::load(&bench.store, one, &Limits::default()).unwrap();
    let strict = Options { limits: few, ..options() };
    let lease = bench.store.lease().unwrap();
    assert!(materialize(&lease, &manifest, &bench.dest(), &strict, &Silent).is_err());
}

#[test]
fn a_forged_cycle_is_damage() {
    let bench = Bench::new();
    // The one way to a cycle is a directory whose bytes are not what its name says.
    let honest = message(&[], &[], &[]);
    let root = bench.put(&message(&[], &[("pad", bench.put(&honest, false))], &[]), false);
    let cycle = message(&[], &[("pad", root)], &[]);
    let object = bench.object(&root, false);
    fs::remove_file(&object).unwrap();
    fs::write(&object, cycle).unwrap();
    assert!(refusal(&bench, root, Limits::default()).contains("is not in the store"));
}

#[test]
fn a_directory_that_becomes_a_link_while_it_is_made_is_not_followed() {
    let bench = Bench::new();
    let root = bench.tree(&[("a/f", Text("1")), ("b/f", Text("2")), ("b/l", Link("f"))]);
    let outside = bench.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let (above, target, is_done) =
        (bench.dir.path().to_owned(), outside.clone(), AtomicBool::new(false));
    // Between the making of two directories, and before the links are made.
    for when in [Point::Directory, Point::Symlink] {
        let (above, target) = (above.clone(), target.clone());
        let is_done = AtomicBool::new(is_done.load(Ordering::SeqCst));
        let faults = Faults::new(move |point| {
            let staged = fs::read_dir(&above).unwrap().map(|entry| entry.unwrap().path());
            let staged = staged.filter(|path| path.join("new").exists());
            for stage in staged {
                let name = if when == Point::Directory { "a" } else { "b" };
                let victim = stage.join("new").join(name);
                if point == when && victim.is_dir() && !is_done.swap(true, Ordering::SeqCst) {
                    fs::rename(&victim, stage.join("aside")).unwrap();
                    symlink(&target, &victim).unwrap();
                }
            }
            Ok(())
        });
        let result = bench.whole(root, &Options { faults, ..options() });
        if when == Point::Directory {
            assert!(result.unwrap_err().to_string().contains("dest/a: cannot enter"));
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        bench.assert_clean();
    }
}

#[test]
fn a_directory_that_becomes_a_link_while_it_is_updated_is_not_followed() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(&[("a/f", Text("1"))]), bench.tree(&[("a/f", Text("2"))]));
    let outside = bench.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("f"), "precious").unwrap();
    bench.update(one, &options()).unwrap();
    let swap = |dest: &Path| {
        fs::rename(dest.join("a"), dest.join("aside")).unwrap();
        symlink(&outside, dest.join("a")).unwrap();
    };
    // While it runs, and before.
    let (dest, target) = (bench.dest(), outside.clone());
    let is_done = AtomicBool::new(false);
    let faults = Faults::new(move |point| {
        if point == Point::Rename && !is_done.swap(true, Ordering::SeqCst) {
            fs::rename(dest.join("a"), dest.join("aside")).unwrap();
            symlink(&target, dest.join("a")).unwrap();
        }
        Ok(())
    });
    let error = bench.update(two, &Options { faults, ..options() }).unwrap_err();
    assert!(error.to_string().contains("dest/a/f: cannot put in place"), "{error}");
    assert!(bench.update(two, &options()).unwrap_err().to_string().ends_with(": a"));
    fs::remove_file(bench.dest().join("a")).unwrap();
    bench.update(one, &Options { force: true, ..options() }).unwrap();
    swap(&bench.dest());
    assert!(bench.update(two, &options()).unwrap_err().to_string().ends_with(": a"));
    bench.update(two, &Options { force: true, ..options() }).unwrap();
    assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "precious");
    assert_eq!(fs::read_to_string(bench.dest().join("a/f")).unwrap(), "2");
}
