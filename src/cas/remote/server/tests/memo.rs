//! Trees that were looked at a moment ago are believed, but only for as long as they are whole.

use super::*;
use crate::cas::store::{CollectOptions, FRESH};
use crate::progress::Silent;
use prost::Message;
use std::fs::{self, File, FileTimes};

/// A bundle of one file, of which the server was asked already.
struct Bundle {
    action: Digest,
    result: Vec<u8>,
    root: Digest,
    file: Digest,
}

impl Bed {
    async fn is_given(&self, bundle: &Bundle) -> bool {
        match self.result(&bundle.action).await {
            Ok(_) => true,
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound);
                false
            }
        }
    }

    fn put_bundle(&self, text: &str) -> Bundle {
        let file = self.put(text.as_bytes());
        let node = actions::file("f", &file);
        let root = api::Directory { files: vec![node], ..Default::default() };
        let root = self.put(&root.encode_to_vec());
        let output = api::OutputDirectory {
            root_directory_digest: Some(message_of(&root)),
            ..Default::default()
        };
        let result = api::ActionResult { output_directories: vec![output], ..Default::default() };
        let (action, result) = (self.digest(text.as_bytes()), result.encode_to_vec());
        self.store.put_action_result(&action, &result).unwrap();
        Bundle { action, result, root, file }
    }

    /// A bundle that is believed: the second in which it was written is over.
    async fn believed(&self) -> Bundle {
        let bundle = self.put_bundle("text");
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(self.is_given(&bundle).await);
        bundle
    }

    /// Seconds since a content was used.
    fn age(&self, digest: &Digest) -> u64 {
        let used = fs::metadata(self.path(digest)).unwrap().accessed().unwrap();
        used.elapsed().unwrap_or_default().as_secs()
    }

    /// Makes a content look as if it was not used for so long.
    fn set_age(&self, digest: &Digest, seconds: i64) {
        let used = SystemTime::now() - Duration::from_secs(seconds.unsigned_abs());
        let file = File::open(self.path(digest)).unwrap();
        file.set_times(FileTimes::new().set_accessed(used)).unwrap();
    }
}

#[tokio::test]
async fn a_tree_that_is_believed_is_not_looked_at() {
    let bed = Bed::new().await;
    let bundle = bed.believed().await;
    for digest in [bundle.root, bundle.file] {
        bed.set_age(&digest, 2 * FRESH);
    }
    assert!(bed.is_given(&bundle).await);
    assert!(bed.age(&bundle.root) > 600 && bed.age(&bundle.file) > 600);
    // Another one that has the directory in it is looked at as far as it is new.
    let below = api::DirectoryNode { name: "d".into(), digest: Some(message_of(&bundle.root)) };
    let root = api::Directory { directories: vec![below], ..Default::default() };
    let root = bed.put(&root.encode_to_vec());
    bed.set_age(&root, 2 * FRESH);
    let output = api::OutputDirectory {
        root_directory_digest: Some(message_of(&root)),
        ..Default::default()
    };
    let result = api::ActionResult { output_directories: vec![output], ..Default::default() };
    let action = bed.digest(b"other");
    bed.store.put_action_result(&action, &result.encode_to_vec()).unwrap();
    let shards = [&root, &bundle.root, &bundle.file].map(|digest| digest.hash()[0]);
    assert!(shards[1] != shards[0] && shards[2] != shards[0]);
    assert!(bed.result(&action).await.is_ok());
    assert!(bed.age(&root) < 600 && bed.age(&bundle.file) > 600);
}

#[tokio::test]
async fn what_is_going_to_be_believed_counts_as_used_for_as_long() {
    let bed = Bed::new().await;
    let bundle = bed.put_bundle("text");
    // Used a moment ago for everybody else, and no more when it will still be believed.
    for digest in [bundle.root, bundle.file] {
        bed.set_age(&digest, FRESH - 60);
    }
    assert!(bed.is_given(&bundle).await);
    assert!(bed.age(&bundle.root) < 60 && bed.age(&bundle.file) < 60);
}

#[tokio::test]
async fn what_others_take_away_is_believed_no_more() {
    let bed = Bed::new().await;
    let bundle = bed.believed().await;
    // Another process, with a store of its own over the same directory.
    let other = Store::open(bed.store.root(), bed.store.function()).unwrap();
    let collect = CollectOptions { quota: Some(0), grace: 0, is_dry_run: false };
    assert_eq!(other.collect(&collect, &Silent).unwrap().objects, 0, "it was just asked for");
    assert!(bed.is_given(&bundle).await);
    for digest in [bundle.root, bundle.file] {
        bed.set_age(&digest, 2 * FRESH);
    }
    fs::remove_dir_all(bed.store.root().join("ac")).unwrap();
    assert_eq!(other.collect(&collect, &Silent).unwrap().objects, 2);
    fs::create_dir(bed.store.root().join("ac")).unwrap();
    bed.store.put_action_result(&bundle.action, &bundle.result).unwrap();
    assert!(!bed.is_given(&bundle).await);

    let bundle = bed.believed().await;
    bed.damage_in_place(&bundle.file);
    assert_eq!(other.verify(&Silent).unwrap().damaged.len(), 1);
    assert!(!bed.is_given(&bundle).await);

    let bundle = bed.believed().await;
    fs::remove_file(bed.path(&bundle.file)).unwrap();
    assert!(!bed.is_given(&bundle).await);
}

#[tokio::test]
async fn what_turns_out_to_be_damaged_when_it_is_read_is_believed_no_more() {
    let bed = Bed::new().await;
    let bundle = bed.believed().await;
    bed.damage_in_place(&bundle.file);
    assert!(bed.is_given(&bundle).await);
    assert_eq!(code(bed.read(&download(bundle.file), 0, 0).await), Code::NotFound);
    assert!(!bed.is_given(&bundle).await);
}

#[tokio::test]
async fn what_is_lost_on_purpose_is_believed_no_more() {
    let faults = super::super::Faults::seeded(1);
    let faults = faults.with(super::super::faults::Trouble::Lose, 1000, 2);
    let bed = Bed::with(|options| options.faults = faults).await;
    let bundle = bed.believed().await;
    assert_eq!(code(bed.read(&download(bundle.file), 0, 0).await), Code::NotFound);
    assert!(!bed.is_given(&bundle).await);
}
