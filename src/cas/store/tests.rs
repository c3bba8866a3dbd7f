//! Tests of the store: what goes in comes out, what is damaged does not.

use super::layout::SENTINEL;
use super::*;
use crate::cas::testing::store;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

fn path(store: &Store, digest: &Digest, twin: Twin) -> PathBuf {
    store.root().join(object(store.function(), twin, digest))
}

fn put(store: &Store, bytes: &[u8], is_executable: bool) -> Digest {
    let writer = store.writer(Durability::Batch).unwrap();
    let stored = writer.put(bytes, is_executable).unwrap();
    writer.commit().unwrap();
    stored.digest
}

#[test]
fn what_goes_in_comes_out_once_it_is_committed() {
    for durability in [Durability::None, Durability::Batch, Durability::Each] {
        let (_dir, store) = store();
        let writer = store.writer(durability).unwrap();
        let first = writer.put(b"text", false).unwrap();
        assert!(first.is_new && writer.has(&first.digest).unwrap());
        assert!(!writer.put(b"text", false).unwrap().is_new);
        assert_eq!(store.contains(&first.digest).unwrap(), durability != Durability::Batch);
        assert_eq!(writer.commit().unwrap(), Written { count: 1, bytes: 4 });
        assert_eq!(store.read(&first.digest).unwrap().unwrap(), b"text");
        let metadata = path(&store, &first.digest, Twin::Plain).metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o444, SENTINEL));
        drop(writer);
        assert_eq!(fs::read_dir(store.root().join("tmp")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(store.root().join("leases")).unwrap().count(), 0);
    }
}

#[test]
fn who_brings_what_is_missing_waits_for_no_collector() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let there = writer.put(b"text", false).unwrap().digest;
    let lease = writer.lease();
    assert!(lease.has(&there).unwrap() && !lease.has(&Digest::new([1; 32], 1)).unwrap());
    assert!(!store.root().join(SWEEP_LOCK).exists());
    // Who only asks does, since what is missing may be put back.
    assert!(!lease.keep(&Digest::new([1; 32], 1)).unwrap());
    assert!(store.root().join(SWEEP_LOCK).exists());
    age(&store, &there, FRESH + 10);
    assert!(lease.has(&there).unwrap());
    let used = path(&store, &there, Twin::Plain).metadata().unwrap().atime();
    assert!(used >= lease.start_ns() / 1_000_000_000, "it counts as used");
}

fn age(store: &Store, digest: &Digest, seconds: i64) {
    let used = std::time::SystemTime::now() - Duration::from_secs(seconds.unsigned_abs());
    let file = File::open(path(store, digest, Twin::Plain)).unwrap();
    file.set_times(fs::FileTimes::new().set_accessed(used)).unwrap();
}

#[test]
fn large_files_and_pieces_are_named_as_well() {
    let (dir, store) = store();
    let big = dir.path().join("big");
    fs::write(&big, vec![7; 5 << 20]).unwrap();
    let writer = store.writer(Durability::Batch).unwrap();
    let stored = writer.put_file(File::open(&big).unwrap(), &big, true).unwrap();
    assert!(!writer.put_file(File::open(&big).unwrap(), &big, true).unwrap().is_new);
    let mut receiver = writer.receiver(false).unwrap();
    receiver.write_all(b"ab").unwrap();
    receiver.write_all(b"c").unwrap();
    let abc = store.function().digest(b"abc");
    assert!(receiver.finish_as(abc).unwrap().is_new);
    let mut wrong = writer.receiver(false).unwrap();
    wrong.write_all(b"x").unwrap();
    assert!(wrong.finish_as(abc).unwrap_err().to_string().contains("instead of"));
    writer.commit().unwrap();
    assert_eq!(store.read(&stored.digest).unwrap().unwrap().len(), 5 << 20);
    let mode =
        path(&store, &stored.digest, Twin::Executable).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o555);
    assert_eq!(store.read(&abc).unwrap().unwrap(), b"abc");
}

#[test]
fn damage_is_found_and_put_aside() {
    let (_dir, store) = store();
    let digest = put(&store, b"right", false);
    let file = path(&store, &digest, Twin::Plain);
    // An edit in place, as through a hard link, of the same length.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, b"wrong").unwrap();
    assert!(!store.contains(&digest).unwrap());
    assert_eq!(store.read(&digest).unwrap(), None);
    assert_eq!(fs::read(store.root().join(QUARANTINE).join(digest.hex())).unwrap(), b"wrong");
    // The next writer puts it there again.
    assert_eq!(put(&store, b"right", false), digest);
    assert_eq!(store.read(&digest).unwrap().unwrap(), b"right");
    // Bits that turned without a trace in the inode are found when they are read.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, b"wrong").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let sentinel = std::time::UNIX_EPOCH + std::time::Duration::from_secs(SENTINEL.unsigned_abs());
    File::open(&file).unwrap().set_modified(sentinel).unwrap();
    assert!(store.contains(&digest).unwrap());
    assert_eq!(store.read(&digest).unwrap(), None);
    assert!(!store.contains(&digest).unwrap());
}

#[test]
fn a_touched_inode_with_the_right_bytes_is_left_to_whoever_touched_it() {
    let (dir, store) = store();
    let digest = put(&store, b"right", true);
    let file = path(&store, &digest, Twin::Executable);
    let linked = dir.path().join("linked");
    fs::hard_link(&file, &linked).unwrap();
    // What `chmod -x` in one tree does must not reach others.
    fs::set_permissions(&linked, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(store.contains(&digest).unwrap());
    let (ours, theirs) = (file.metadata().unwrap(), linked.metadata().unwrap());
    assert_eq!((ours.mode() & 0o7777, ours.mtime()), (0o555, SENTINEL));
    assert_eq!(theirs.mode() & 0o7777, 0o644);
    assert_ne!(ours.ino(), theirs.ino());
    File::open(&file).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    assert!(store.contains(&digest).unwrap());
    assert_eq!(file.metadata().unwrap().mtime(), SENTINEL);
    // A wrong claim about its size is nobody's damage.
    let claim = Digest::new(*digest.hash(), 6);
    assert!(!store.contains(&claim).unwrap());
    assert!(store.contains(&digest).unwrap());
}

#[test]
fn the_empty_content_is_always_there() {
    let (_dir, store) = store();
    let empty = store.function().digest(b"");
    assert_eq!(store.read(&empty).unwrap().unwrap(), b"");
    assert_eq!(put(&store, b"", true), empty);
    assert!(!path(&store, &empty, Twin::Executable).exists());
}

#[test]
fn another_function_or_layout_is_refused() {
    let (_dir, store) = store();
    assert!(Store::open(store.root(), DigestFunction::Sha256).is_ok());
    let error = Store::open(store.root(), DigestFunction::Blake3).unwrap_err();
    assert!(error.hint_text().unwrap().contains("--digest sha256"), "{error}");
    fs::write(store.root().join("VERSION"), "secateur-store 2\nsha256\n").unwrap();
    assert!(Store::open(store.root(), DigestFunction::Sha256).is_err());
}

#[test]
fn records_are_kept_and_listed() {
    let (_dir, store) = store();
    let action = store.function().digest(b"action");
    assert_eq!(store.action_result(&action).unwrap(), None);
    store.put_action_result(&action, b"result").unwrap();
    assert_eq!(store.action_result(&action).unwrap().unwrap(), b"result");
    let names: Vec<RefName> =
        ["team/app@1", "team@1", "team/app@2"].map(|text| RefName::new(text).unwrap()).into();
    for name in &names {
        store.put_reference(name, name.to_string().as_bytes()).unwrap();
    }
    let listed: Vec<String> = store.references().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["team@1", "team/app@1", "team/app@2"]);
    assert_eq!(store.reference(&names[0]).unwrap().unwrap(), b"team/app@1");
    assert!(
        store.remove_reference(&names[0]).unwrap() && !store.remove_reference(&names[0]).unwrap()
    );
    for bad in ["app", "@1", "app@", "../app@1", "a//b@1", "app@..", "app@a/b", "-x@1"] {
        assert!(RefName::new(bad).is_err(), "{bad}");
    }
}
