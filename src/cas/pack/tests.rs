//! Tests of packing: the same tree gives the same root, and what did not change is not read.

use super::*;
use crate::cas::store::{Durability, Store};
use crate::cas::testing::store;
use crate::cas::tree::Entry;
use crate::progress::Silent;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A small tree whose files are old enough to be remembered.
fn tree(root: &Path) {
    fs::create_dir_all(root.join("pkg/empty")).unwrap();
    fs::write(root.join("pkg/__init__.py"), "").unwrap();
    fs::write(root.join("pkg/main.py"), "print('main')\n").unwrap();
    fs::write(root.join("run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("pkg/main.py", root.join("link")).unwrap();
}

fn pack_tree(store: &Store, root: &Path) -> Result<Packed> {
    let writer = store.writer(Durability::None)?;
    let entries = walk(root, OutsideLinks::Follow, &|_, _| false)?;
    let cache = StatCache::load(store, root);
    let packed = pack(entries, &writer, &cache, &Limits::default(), &Silent)?;
    writer.commit()?;
    Ok(packed)
}

/// Waits until what was written is not racily clean any more.
fn settle() {
    std::thread::sleep(Duration::from_millis(40));
}

#[test]
fn a_tree_is_packed_as_it_stands() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    let packed = pack_tree(&store, &root).unwrap();
    let entries = packed.manifest.entries();
    let shown: Vec<String> = entries
        .iter()
        .map(|(path, entry)| match entry {
            Entry::File { digest, is_executable } => {
                format!("{path} {} {is_executable}", digest.size())
            }
            Entry::Directory(_) => format!("{path}/"),
            Entry::Link(target) => format!("{path} -> {target}"),
        })
        .collect();
    let expected = [
        "link -> pkg/main.py",
        "pkg/",
        "pkg/__init__.py 0 false",
        "pkg/empty/",
        "pkg/main.py 14 false",
        "run 10 true",
    ];
    assert_eq!(shown, expected);
    // Whatever is in the manifest can be read back.
    let again = Manifest::load(&store, packed.manifest.root(), &Limits::default()).unwrap();
    assert_eq!(again.entries(), entries);
    assert_eq!(
        store.read(&packed.manifest.root()).unwrap().unwrap().len() as u64,
        packed.manifest.root().size()
    );
}

#[test]
fn only_what_changed_is_read_again() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    settle();
    let first = pack_tree(&store, &root).unwrap();
    assert_eq!(first.files_read, 3);
    let second = pack_tree(&store, &root).unwrap();
    assert_eq!((second.files_read, second.manifest.root()), (0, first.manifest.root()));
    // The same size and modification time, but another content: the inode's own time tells.
    let main = root.join("pkg/main.py");
    let time = fs::metadata(&main).unwrap().modified().unwrap();
    fs::write(&main, "print('MAIN')\n").unwrap();
    fs::File::options().write(true).open(&main).unwrap().set_modified(time).unwrap();
    let third = pack_tree(&store, &root).unwrap();
    assert_eq!(third.files_read, 1);
    assert_ne!(third.manifest.root(), first.manifest.root());
    fs::write(&main, "print('main')\n").unwrap();
    assert_eq!(pack_tree(&store, &root).unwrap().manifest.root(), first.manifest.root());
}

#[test]
fn a_file_that_was_just_written_is_not_trusted() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    let future = SystemTime::now() + Duration::from_secs(100);
    fs::File::options().write(true).open(root.join("run")).unwrap().set_modified(future).unwrap();
    settle();
    pack_tree(&store, &root).unwrap();
    assert_eq!(pack_tree(&store, &root).unwrap().files_read, 1);
}

#[test]
fn contents_that_the_store_lost_are_read_again() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    settle();
    let first = pack_tree(&store, &root).unwrap();
    let digest = store.function().digest(b"print('main')\n");
    let hex = digest.hex();
    fs::remove_file(store.root().join("cas/sha256").join(&hex[..2]).join(&hex)).unwrap();
    let second = pack_tree(&store, &root).unwrap();
    assert_eq!((second.files_read, second.manifest.root()), (1, first.manifest.root()));
    assert!(store.contains(&digest).unwrap());
}

#[test]
fn a_damaged_cache_is_an_empty_one() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    settle();
    let first = pack_tree(&store, &root).unwrap();
    let cache = fs::read_dir(store.root().join("stat")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&cache).unwrap();
    for damaged in [&bytes[..bytes.len() / 2], &bytes[1..], b"", &[&bytes[..], b"x"].concat()] {
        fs::write(&cache, damaged).unwrap();
        let again = pack_tree(&store, &root).unwrap();
        assert_eq!((again.files_read, again.manifest.root()), (3, first.manifest.root()));
    }
}

#[test]
fn links_that_lead_out_are_followed_kept_or_refused() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    fs::create_dir_all(&root).unwrap();
    fs::create_dir_all(dir.path().join("out/sub")).unwrap();
    fs::write(dir.path().join("out/sub/f.py"), "f").unwrap();
    symlink("../out", root.join("dir")).unwrap();
    symlink(dir.path().join("out/sub/f.py"), root.join("file.py")).unwrap();
    let paths: Vec<String> = walk(&root, OutsideLinks::Follow, &|_, _| false)
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(paths, ["dir", "dir/sub", "dir/sub/f.py", "file.py"]);
    let kept = walk(&root, OutsideLinks::Keep, &|_, _| false).unwrap();
    assert!(kept.iter().all(|entry| matches!(entry.node, SourceNode::Link(_))));
    let error = walk(&root, OutsideLinks::Refuse, &|_, _| false).unwrap_err();
    assert!(error.to_string().contains("leads out of the tree"), "{error}");
    pack_tree(&store, &root).unwrap();
    symlink("../tree", root.join("round")).unwrap();
    assert!(
        pack_tree(&store, &root).unwrap_err().to_string().contains("back to a directory above")
    );
    fs::remove_file(root.join("round")).unwrap();
    symlink("/nowhere/at/all", root.join("gone")).unwrap();
    let error = pack_tree(&store, &root).unwrap_err();
    assert!(error.to_string().contains("cannot follow the link to /nowhere/at/all"), "{error}");
}

#[test]
fn what_has_no_place_in_a_bundle_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let (dir, store) = store();
    let root = dir.path().join("tree");
    fs::create_dir_all(&root).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    assert!(pack_tree(&store, &root).unwrap_err().to_string().contains("socket: is neither"));
    drop(socket);
    fs::remove_file(root.join("socket")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::write(root.join(name), "").unwrap();
    assert!(pack_tree(&store, &root).unwrap_err().to_string().contains("not UTF-8"));
    assert!(pack_tree(&store, &dir.path().join("nowhere")).is_err());
}

#[derive(Debug)]
struct Upper(&'static str);

impl Rewrite for Upper {
    fn key(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn apply(&self, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        match self.0 {
            "drop" => Ok(None),
            "fail" => Err(Error::new("refused")),
            _ => Ok(Some(bytes.to_ascii_uppercase())),
        }
    }
}

#[test]
fn rewrites_are_done_once_for_each_key() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    tree(&root);
    settle();
    let packed = |how: &'static str| {
        let writer = store.writer(Durability::None).unwrap();
        let mut entries = walk(&root, OutsideLinks::Follow, &|_, _| false).unwrap();
        for entry in &mut entries {
            if let SourceNode::File(file) = &mut entry.node
                && entry.path.ends_with("main.py")
            {
                file.rewrite = Some(Arc::new(Upper(how)));
            }
        }
        let packed =
            pack(entries, &writer, &StatCache::load(&store, &root), &Limits::default(), &Silent)?;
        writer.commit()?;
        Ok::<_, Error>(packed)
    };
    let upper = packed("upper").unwrap();
    assert!(store.contains(&store.function().digest(b"PRINT('MAIN')\n")).unwrap());
    assert_eq!(packed("upper").unwrap().files_read, 0);
    let dropped = packed("drop").unwrap();
    assert_eq!((dropped.files_read, dropped.left_out), (1, vec!["pkg/main.py".to_owned()]));
    assert_ne!(dropped.manifest.root(), upper.manifest.root());
    let again = packed("drop").unwrap();
    assert_eq!((again.files_read, again.left_out.len()), (0, 1));
    assert!(packed("fail").is_err());
}

#[test]
fn a_path_that_is_there_twice_is_refused() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let file = |path: &str| SourceEntry {
        path: path.into(),
        node: SourceNode::Bytes { bytes: b"x".to_vec(), is_executable: false },
    };
    let cache = StatCache::default();
    for paths in [["a/b", "a/b"], ["a", "a/b"], ["../a", "b"], ["a//b", "/"]] {
        let result = pack(paths.map(file).into(), &writer, &cache, &Limits::default(), &Silent);
        assert!(result.is_err(), "{paths:?}");
    }
}
