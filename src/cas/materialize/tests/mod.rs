//! Tests of materializing: trees are what their manifests say, by every method, and what is not ours stays.

mod faults;
mod hostile;
mod updates;

use super::*;
use crate::cas::store::{SENTINEL, Store, Writer};
use crate::cas::testing;
use crate::cas::tree::{Directory, DirectoryNode, FileNode, Name, SymlinkNode};
use crate::progress::Silent;
use options::Faults;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What<'a> {
    Text(&'a str),
    Program(&'a str),
    Link(&'a str),
    Nothing,
}
use What::{Link, Nothing, Program, Text};

/// A store, and a place for destinations.
struct Bench {
    dir: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let (dir, store) = testing::store();
        Self { dir, store }
    }

    fn dest(&self) -> PathBuf {
        self.dir.path().join("dest")
    }

    /// Stores a tree; [`Nothing`] is an empty directory.
    fn tree(&self, entries: &[(&str, What<'_>)]) -> Digest {
        let writer = self.store.writer(Durability::None).unwrap();
        let root = put(&writer, entries);
        writer.commit().unwrap();
        root
    }

    /// Stores bytes.
    fn put(&self, bytes: &[u8], is_executable: bool) -> Digest {
        let writer = self.store.writer(Durability::None).unwrap();
        let stored = writer.put(bytes, is_executable).unwrap();
        writer.commit().unwrap();
        stored.digest
    }

    fn whole(&self, root: Digest, options: &Options) -> Result<Placed> {
        let lease = self.store.lease().unwrap();
        let manifest = Manifest::load(&self.store, root, &options.limits)?;
        materialize(&lease, &manifest, &self.dest(), options, &Silent)
    }

    fn update(&self, root: Digest, options: &Options) -> Result<Placed> {
        let lease = self.store.lease().unwrap();
        update(&lease, root, &self.dest(), options, &Silent)
    }

    /// The store's file of a content.
    fn object(&self, digest: &Digest, is_executable: bool) -> PathBuf {
        let dir = if is_executable { "cas-x" } else { "cas" };
        let hex = digest.hex();
        self.store.root().join(dir).join("sha256").join(&hex[..2]).join(hex)
    }

    /// Nothing is left beside the destination.
    fn assert_clean(&self) {
        let names = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> =
            names.filter(|name| name.to_string_lossy().starts_with(".caf-")).collect();
        assert_eq!(left, [""; 0]);
    }
}

fn put(writer: &Writer, entries: &[(&str, What<'_>)]) -> Digest {
    let (mut files, mut links) = (Vec::new(), Vec::new());
    let mut below: BTreeMap<&str, Vec<(&str, What<'_>)>> = BTreeMap::new();
    for &(path, what) in entries {
        let name = || Name::new(path).unwrap();
        match (path.split_once('/'), what) {
            (Some((dir, rest)), _) => below.entry(dir).or_default().push((rest, what)),
            (None, Text(text) | Program(text)) => {
                let is_executable = matches!(what, Program(_));
                let digest = writer.put(text.as_bytes(), is_executable).unwrap().digest;
                files.push(FileNode { name: name(), digest, is_executable });
            }
            (None, Link(target)) => links.push(SymlinkNode { name: name(), target: target.into() }),
            (None, Nothing) => drop(below.entry(path).or_default()),
        }
    }
    let directories = below.into_iter().map(|(name, entries)| DirectoryNode {
        name: Name::new(name).unwrap(),
        digest: put(writer, &entries),
    });
    let directory = Directory::new(files, directories.collect(), links).unwrap();
    writer.put(&directory.encode(), false).unwrap().digest
}

/// All that a tree is: kinds, modes, times, contents.
fn snapshot(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let what = if metadata.is_dir() {
                dirs.push(path.clone());
                "directory".to_owned()
            } else if metadata.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                fs::read_to_string(&path).unwrap()
            };
            let time = (metadata.mtime() - SENTINEL, metadata.mtime_nsec());
            let mode = if metadata.is_symlink() { 0 } else { metadata.mode() & 0o7777 };
            let path = path.strip_prefix(root).unwrap().display().to_string();
            found.insert(path, format!("{mode:o} {time:?} {what}"));
        }
    }
    found
}

/// What [`snapshot`] finds in a tree of these entries.
fn expected(entries: &[(&str, What<'_>)]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (path, what) in entries {
        for (at, _) in path.match_indices('/') {
            all.insert(path[..at].to_owned(), "755 (0, 0) directory".to_owned());
        }
        let text = match what {
            Text(text) => format!("444 (0, 0) {text}"),
            Program(text) => format!("555 (0, 0) {text}"),
            Link(target) => format!("0 (0, 0) -> {target}"),
            Nothing => "755 (0, 0) directory".to_owned(),
        };
        all.insert((*path).to_owned(), text);
    }
    all
}

fn options() -> Options {
    Options { durability: Durability::None, ..Options::default() }
}

fn by(method: Method) -> Options {
    Options { method, ..options() }
}

/// The system's answer at a point.
fn answer(at: Point, error: Errno) -> Options {
    let faults = Faults::new(move |point| if point == at { Err(error) } else { Ok(()) });
    Options { faults, ..options() }
}

const SAMPLE: &[(&str, What<'_>)] = &[
    ("app/__init__.py", Text("")),
    ("app/main.py", Text("print(1)")),
    ("app/deep/er/data", Text("data")),
    ("app/tool", Program("#!/bin/sh")),
    ("app/current", Link("deep/er")),
    ("copy.txt", Text("#!/bin/sh")),
    ("empty", Nothing),
    ("run", Program("")),
    ("again", Link("app/tool")),
];

#[test]
fn a_tree_is_the_same_by_every_method() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    for (method, durability) in [
        (Method::Auto, Durability::Batch),
        (Method::Auto, Durability::Each),
        (Method::Reflink, Durability::None),
        (Method::Hardlink, Durability::None),
        (Method::Copy, Durability::None),
    ] {
        let placed = bench.whole(root, &Options { durability, ..by(method) }).unwrap();
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE), "{method:?}");
        assert_eq!((placed.files, placed.directories, placed.links), (6, 4, 2), "{placed:?}");
        assert_eq!(placed.bytes, 8 + 4 + 9 + 9);
        assert_eq!(placed.reflinked + placed.hardlinked + placed.copied, 4, "{placed:?}");
        bench.assert_clean();
    }
}

#[test]
fn linked_files_are_the_stores_and_no_mode_is_shared() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    let placed = bench.whole(root, &by(Method::Hardlink)).unwrap();
    assert_eq!((placed.hardlinked, placed.shared_bytes), (4, 30));
    let script = bench.store.function().digest(b"#!/bin/sh");
    let inode = |path: PathBuf| path.metadata().unwrap().ino();
    // The store had the content with one mode, and got the other one.
    for (path, is_executable) in [("app/tool", true), ("copy.txt", false)] {
        assert_eq!(inode(bench.dest().join(path)), inode(bench.object(&script, is_executable)));
    }
    // Empty files would be one inode with too many links.
    assert_eq!(bench.dest().join("run").metadata().unwrap().nlink(), 1);
}

#[test]
fn what_a_file_system_cannot_do_is_done_otherwise() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    for error in [Errno::XDEV, Errno::MLINK, Errno::PERM, Errno::OPNOTSUPP] {
        let mut options = answer(Point::Link, error);
        options.method = Method::Hardlink;
        let placed = bench.whole(root, &options).unwrap();
        assert_eq!((placed.copied, placed.shared_bytes), (4, 0), "{error}");
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
    }
    let placed = bench.whole(root, &answer(Point::Clone, Errno::OPNOTSUPP)).unwrap();
    assert_eq!(placed.hardlinked, 4);
    for error in [Errno::INVAL, Errno::NOSYS] {
        assert_eq!(bench.whole(root, &answer(Point::Exchange, error)).unwrap().files, 6);
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
        bench.assert_clean();
    }
}

#[test]
fn directories_are_entered_alike_without_openat2() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    symlink("a", dir.path().join("link")).unwrap();
    let flags = rustix::fs::OFlags::DIRECTORY;
    let root = rustix::fs::open(dir.path(), flags, rustix::fs::Mode::empty()).unwrap();
    for (path, is_fine) in [
        ("", true),
        ("a", true),
        ("a/b", true),
        ("a/../a", false),
        ("..", false),
        ("/tmp", false),
        ("link", false),
        ("link/b", false),
        ("a/c", false),
    ] {
        assert_eq!(beneath::walk(&root, path).is_ok(), is_fine, "{path}");
        // `..` that stays within is fine for the system; no name of a manifest is one.
        if path != "a/../a" {
            assert_eq!(beneath::open_path(&root, path).is_ok(), is_fine, "{path}");
        }
    }
}

#[test]
fn what_is_not_ours_is_not_replaced() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    let said = |options: &Options| {
        let whole = bench.whole(root, options).unwrap_err().to_string();
        assert_eq!(whole, bench.update(root, options).unwrap_err().to_string());
        whole
    };
    fs::create_dir(bench.dest()).unwrap();
    fs::write(bench.dest().join("thesis"), "years of work").unwrap();
    assert!(said(&options()).contains("is not empty, and was not made from this store"));
    fs::remove_file(bench.dest().join("thesis")).unwrap();
    // An empty directory is nobody's.
    bench.whole(root, &options()).unwrap();
    fs::write(bench.dest().join("app/notes"), "mine").unwrap();
    let error = bench.whole(root, &options()).unwrap_err();
    assert!(error.to_string().ends_with("changed since: app/notes"), "{error}");
    assert!(error.hint_text().unwrap().contains("--force"));
    assert_eq!(fs::read_to_string(bench.dest().join("app/notes")).unwrap(), "mine");
    let forced = Options { force: true, ..options() };
    assert_eq!(bench.whole(root, &forced).unwrap().previous_root, Some(root));
    assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
    fs::remove_dir_all(bench.dest()).unwrap();
    fs::write(bench.dest(), "a file").unwrap();
    assert!(said(&options()).contains("is not empty"));
    bench.update(root, &forced).unwrap();
    assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
    bench.assert_clean();
}

#[test]
fn bytecode_that_python_wrote_is_in_nobodys_way() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    bench.whole(root, &options()).unwrap();
    fs::create_dir(bench.dest().join("app/__pycache__")).unwrap();
    fs::write(bench.dest().join("app/__pycache__/main.cpython-311.pyc"), "old").unwrap();
    bench.whole(root, &options()).unwrap();
    assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
}

#[test]
fn destinations_that_cannot_be_are_refused() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    let lease = bench.store.lease().unwrap();
    let refused =
        |dest: &Path| update(&lease, root, dest, &options(), &Silent).unwrap_err().to_string();
    let within = "must not lie in each other";
    assert!(refused(bench.store.root()).contains(within));
    assert!(refused(&bench.store.root().join("new/dest")).contains(within));
    assert!(refused(bench.dir.path()).contains(within));
    assert!(refused(Path::new("/")).contains("the root of the disk"));
    symlink("nowhere", bench.dest()).unwrap();
    assert!(refused(&bench.dest()).contains("leads nowhere"));
    // A link that leads somewhere stays, and what it leads to is the destination.
    fs::create_dir(bench.dir.path().join("nowhere")).unwrap();
    update(&lease, root, &bench.dest(), &options(), &Silent).unwrap();
    assert!(bench.dest().is_symlink());
    assert_eq!(snapshot(&bench.dir.path().join("nowhere")), expected(SAMPLE));
}

#[test]
fn a_content_that_is_missing_or_damaged_is_named_before_anything_happens() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    bench.whole(root, &options()).unwrap();
    let other = bench.tree(&[("data", Text("data")), ("new", Text("new"))]);
    let new = bench.store.function().digest(b"new");
    let object = bench.object(&new, false);
    fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&object, "NEW").unwrap();
    rustix::fs::utimensat(
        rustix::fs::CWD,
        &object,
        &rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec { tv_sec: SENTINEL, tv_nsec: 0 },
            last_modification: rustix::fs::Timespec { tv_sec: SENTINEL, tv_nsec: 0 },
        },
        rustix::fs::AtFlags::empty(),
    )
    .unwrap();
    let verified = Options { verify: true, ..options() };
    for run in [Bench::whole, Bench::update] {
        let error = run(&bench, other, &verified).unwrap_err();
        assert!(error.to_string().starts_with(&new.to_string()), "{error}");
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
        bench.assert_clean();
    }
}

#[test]
fn users_without_rights_can_do_all_of_this() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Where `nobody` can neither run this program nor become himself, there is nothing to see.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let nobody = |arguments: &[&str]| {
        std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(std::env::current_exe().unwrap())
            .args(arguments)
            .env("TMPDIR", dir.path())
            .output()
    };
    match nobody(&["--list"]) {
        Ok(listed) if listed.status.success() => {}
        _ => return,
    }
    let ran = nobody(&["cas::materialize::", "--test-threads=2"]).unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && !said.contains(" 0 passed"), "{said}");
}
