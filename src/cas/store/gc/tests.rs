//! Tests of the collector: what is needed stays, whatever happens at the same time.

use super::*;
use crate::cas::digest::Digest;
use crate::cas::store::{Durability, RefName, Writer};
use crate::cas::testing::store;
use crate::cas::tree::{Directory, FileNode, Name, message_of};
use crate::progress::Silent;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use std::sync::atomic::{AtomicBool, Ordering};

const OPTIONS: CollectOptions = CollectOptions { quota: None, grace: 0, is_dry_run: false };

/// Writes a directory of one file, and gives its encoded record.
fn bundle(writer: &Writer, text: &str) -> (Digest, Vec<u8>) {
    let digest = writer.put(text.as_bytes(), false).unwrap().digest;
    let file = FileNode { name: Name::new("f").unwrap(), digest, is_executable: false };
    let directory = Directory::new(vec![file], vec![], vec![]).unwrap();
    let root = writer.put(&directory.encode(), false).unwrap().digest;
    let output = api::OutputDirectory {
        root_directory_digest: Some(message_of(&root)),
        ..Default::default()
    };
    let result = api::ActionResult { output_directories: vec![output], ..Default::default() };
    (root, result.encode_to_vec())
}

fn name(text: &str) -> RefName {
    RefName::new(text).unwrap()
}

/// Makes a directory and its files look as if nobody used them for a day, if they are still there.
fn age_directory(store: &Store, root: &Digest) {
    let day_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(24);
    let directory = store.directory(root).unwrap();
    let files = directory.iter().flat_map(Directory::files);
    for digest in files.map(|file| file.digest).chain([*root]) {
        let path = store.shard_dir(Twin::Plain, digest.hash()[0]).join(digest.hex());
        if let Ok(file) = File::open(path) {
            file.set_times(fs::FileTimes::new().set_accessed(day_ago)).unwrap();
        }
    }
}

/// Makes all contents and records look as if nobody used them for a day.
fn age(store: &Store) {
    let day_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(24);
    for dir in ["cas", "cas-x"] {
        for path in files_below(&store.root().join(dir)).unwrap() {
            let times = fs::FileTimes::new().set_accessed(day_ago);
            File::open(path).unwrap().set_times(times).unwrap();
        }
    }
    for dir in ["ac", "refs"] {
        for path in files_below(&store.root().join(dir)).unwrap() {
            File::open(path).unwrap().set_modified(day_ago).unwrap();
        }
    }
}

#[test]
fn what_a_record_leads_to_stays() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let (root, record) = bundle(&writer, "kept");
    let loose = writer.put(b"loose", false).unwrap().digest;
    writer.commit().unwrap();
    drop(writer);
    store.put_reference(&name("app@1"), &record).unwrap();
    // Just used: nothing goes.
    assert_eq!(store.collect(&OPTIONS, &Silent).unwrap().objects, 0);
    age(&store);
    let dry = store.collect(&CollectOptions { is_dry_run: true, ..OPTIONS }, &Silent).unwrap();
    assert_eq!((dry.objects, dry.bytes, dry.kept_objects), (1, 5, 2));
    assert!(store.contains(&loose).unwrap());
    age(&store);
    assert_eq!(store.collect(&OPTIONS, &Silent).unwrap(), dry);
    assert!(!store.contains(&loose).unwrap());
    assert_eq!(store.directory(&root).unwrap().unwrap().files().len(), 1);
    // Without its name it goes, too.
    store.remove_reference(&name("app@1")).unwrap();
    age(&store);
    assert_eq!(store.collect(&OPTIONS, &Silent).unwrap().objects, 2);
}

#[test]
fn a_living_lease_keeps_what_was_used_under_it() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let used = writer.put(b"used", false).unwrap().digest;
    let unused = writer.put(b"unused", false).unwrap().digest;
    writer.commit().unwrap();
    drop(writer);
    age(&store);
    let lease = store.lease().unwrap();
    assert!(lease.keep(&used).unwrap());
    assert_eq!(store.collect(&OPTIONS, &Silent).unwrap().objects, 1);
    assert!(lease.keep(&used).unwrap() && !lease.keep(&unused).unwrap());
}

#[test]
fn dead_leases_and_what_they_wrote_go() {
    let (_dir, store) = store();
    let dead = store.root().join("leases/1-0-dead");
    fs::write(&dead, "").unwrap();
    fs::create_dir(store.root().join("tmp/1-0-dead")).unwrap();
    fs::write(store.root().join("tmp/1-0-dead/0"), "half").unwrap();
    let writer = store.writer(Durability::Batch).unwrap();
    let pending = writer.put(b"pending", false).unwrap().digest;
    assert_eq!(store.collect(&OPTIONS, &Silent).unwrap().dead_leases, 1);
    assert!(!dead.exists() && !store.root().join("tmp/1-0-dead").exists());
    writer.commit().unwrap();
    assert!(store.contains(&pending).unwrap());
}

#[test]
fn under_a_quota_the_least_recently_used_results_go_and_names_stay() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let text = |letter: &str| letter.repeat(1000);
    let (_, named) = bundle(&writer, &text("n"));
    let (old_root, old) = bundle(&writer, &text("o"));
    let (new_root, new) = bundle(&writer, &text("u"));
    writer.commit().unwrap();
    drop(writer);
    store.put_reference(&name("app@1"), &named).unwrap();
    let action = |text: &str| store.function().digest(text.as_bytes());
    store.put_action_result(&action("old"), &old).unwrap();
    store.put_action_result(&action("new"), &new).unwrap();
    age(&store);
    // It is read: so it was used.
    store.action_result(&action("new")).unwrap();
    let quota = CollectOptions { quota: Some(2500), ..OPTIONS };
    let collected = store.collect(&quota, &Silent).unwrap();
    assert_eq!((collected.dropped_results, collected.objects, collected.above_quota), (1, 2, 0));
    assert!(!store.contains(&old_root).unwrap() && store.contains(&new_root).unwrap());
    assert_eq!(store.action_result(&action("old")).unwrap(), None);
    age(&store);
    let collected = store.collect(&CollectOptions { quota: Some(10), ..OPTIONS }, &Silent).unwrap();
    assert_eq!((collected.dropped_results, collected.objects), (1, 2));
    assert_eq!(collected.above_quota, collected.kept_bytes - 10);
    assert_eq!(store.references().unwrap().len(), 1);
}

#[test]
fn a_collection_that_was_stopped_loses_nothing() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let (root, record) = bundle(&writer, "kept");
    writer.commit().unwrap();
    drop(writer);
    store.put_reference(&name("app@1"), &record).unwrap();
    let hex = root.hex();
    let place = store.shard_dir(Twin::Plain, root.hash()[0]).join(&hex);
    fs::create_dir(store.root().join(TRASH)).unwrap();
    fs::rename(&place, store.root().join(TRASH).join(format!("cas-{hex}"))).unwrap();
    store.collect(&OPTIONS, &Silent).unwrap();
    assert!(store.directory(&root).unwrap().is_some());
}

/// Four writers use contents that were garbage a moment ago, while a collector takes garbage away.
#[test]
fn writers_and_collectors_at_once_lose_nothing() {
    let (_dir, store) = store();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.collect(&OPTIONS, &Silent).unwrap();
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..25 {
                        let text = format!("garbage {thread} {round}");
                        let old = store.writer(Durability::None).unwrap();
                        let (root, _) = bundle(&old, &text);
                        drop(old);
                        age_directory(store, &root);
                        let writer = store.writer(Durability::None).unwrap();
                        let (again, record) = bundle(&writer, &text);
                        writer.commit().unwrap();
                        let name = name(&format!("app-{thread}@{round}"));
                        store.put_reference(&name, &record).unwrap();
                        drop(writer);
                        assert_eq!(root, again);
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(std::thread::Result::is_ok) && collector.join().is_ok());
    });
    let verified = store.verify(&Silent).unwrap();
    assert!(verified.damaged.is_empty() && verified.missing.is_empty(), "{verified:?}");
    assert_eq!(store.references().unwrap().len(), 100);
}

#[test]
fn verify_names_what_is_damaged_and_what_is_missing() {
    let (_dir, store) = store();
    let writer = store.writer(Durability::None).unwrap();
    let (root, record) = bundle(&writer, "kept");
    writer.commit().unwrap();
    store.put_reference(&name("app@1"), &record).unwrap();
    let sound = store.verify(&Silent).unwrap();
    assert_eq!((sound.objects, sound.damaged.len(), sound.missing.len()), (2, 0, 0));
    let file = store.function().digest(b"kept");
    let path = store.shard_dir(Twin::Plain, file.hash()[0]).join(file.hex());
    fs::remove_file(&path).unwrap();
    fs::write(&path, "bad!").unwrap();
    let verified = store.verify(&Silent).unwrap();
    assert_eq!(verified.damaged, [file.hex()]);
    assert_eq!(verified.missing.into_iter().collect::<Vec<_>>(), [(file, "app@1".to_owned())]);
    assert!(store.contains(&root).unwrap());
}
