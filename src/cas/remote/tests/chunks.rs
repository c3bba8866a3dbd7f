//! Large contents of which only the new chunks travel.

use super::*;
use crate::cas::remote::chunks::{Chunking, parts};
use crate::cas::testing::pseudo_random;
use crate::cas::tree::{Directory, FileNode, Name};

/// Bytes of the content that is edited.
const HUGE: usize = 12 << 20;

/// What a few chunks may have, and everything besides.
const FEW: u64 = 4 << 20;

/// A tree of one file.
fn tree(store: &Store, name: &str, bytes: &[u8]) -> Manifest {
    let writer = store.writer(Durability::None).unwrap();
    let digest = writer.put(bytes, false).unwrap().digest;
    let file = FileNode { name: Name::new(name).unwrap(), digest, is_executable: true };
    let root = Directory::new(vec![file], vec![], vec![]).unwrap();
    let mut shelf = Shelf::default();
    let root_digest = shelf.put(root.clone());
    writer.put(&root.encode(), false).unwrap();
    writer.commit().unwrap();
    manifest(&shelf, root_digest).unwrap()
}

/// A content, and the same with 4 KiB inserted.
fn edit(seed: u64) -> (Vec<u8>, Vec<u8>) {
    let old = pseudo_random(seed, HUGE);
    let mut new = old.clone();
    new.splice(HUGE / 2..HUGE / 2, pseudo_random(seed + 1, 4096));
    (old, new)
}

impl Bench {
    /// Pulls what differs from a tree that was pulled.
    fn pull_edit(&self, remote: &Remote, old: &Manifest, new: &Manifest) -> Transfer {
        let (writer, limits) = (self.writer(), Limits::default());
        let pulled = remote.pull_difference(old.root(), new.root(), &writer, &limits, &Silent);
        pulled.unwrap().unwrap()
    }

    /// Puts a tree where it would be pulled to.
    fn place(&self, name: &str, bytes: &[u8]) -> Manifest {
        tree(&self.there, name, bytes)
    }

    /// Gives the server the chunks of a content, and not the content.
    fn serve_chunks(&self, bytes: &[u8]) {
        let chunks = Chunking::RECOMMENDED.cut(DigestFunction::Sha256, bytes).unwrap();
        let writer = self.served().writer(Durability::None).unwrap();
        for part in parts(&chunks[0], &chunks) {
            let (begin, size) = (part.offset as usize, part.digest.size() as usize);
            writer.put(&bytes[begin..begin + size], false).unwrap();
        }
        writer.commit().unwrap();
    }

    /// Whether the server has a tree, byte for byte.
    fn is_served(&self, manifest: &Manifest) -> bool {
        let served = self.served();
        manifest.contents().iter().all(|(digest, _)| served.read(digest).unwrap().is_some())
    }
}

#[test]
fn of_an_edited_content_the_new_chunks_travel() {
    let mut bench = Bench::new(|_| {});
    bench.options.compress = false;
    let (old, new) = edit(1);
    // In messages as before version 2.13, and as since then.
    for (chunks, streams_chunks) in [(true, true), (true, false), (false, true)] {
        bench.options.chunks = chunks;
        let mut remote = bench.connect();
        assert!(remote.capabilities.streams_chunks);
        remote.capabilities.streams_chunks = streams_chunks;
        assert_eq!(remote.capabilities().chunking, Some(Chunking::RECOMMENDED));
        let (old, new) = (tree(&bench.here, "a", &old), tree(&bench.here, "a", &new));
        // Nothing is known of it: it goes whole, and is not stored twice.
        let first = bench.push(&remote, &old).unwrap();
        assert!(first.wire_bytes > HUGE as u64 && first.blobs == 2, "{first:?}");
        assert_eq!(bench.served().usage().unwrap().objects, 2);
        let edited = bench.push(&remote, &new).unwrap();
        assert_eq!(edited.blobs, 2);
        assert!(bench.is_served(&new));
        bench.pull(&remote, old.root()).unwrap();
        let pulled = bench.pull_edit(&remote, &old, &new);
        assert_eq!(pulled.blobs, 2);
        assert!(bench.is_there(&new));
        for transfer in [edited, pulled] {
            assert_eq!(transfer.wire_bytes < FEW, chunks, "{transfer:?}");
            assert_eq!(transfer.bytes < FEW, chunks, "{transfer:?}");
        }
        bench = Bench::new(|_| {});
        bench.options.compress = false;
    }
}

#[test]
fn chunks_are_taken_from_the_same_path_or_the_same_name() {
    let bench = Bench::new(|_| {});
    let remote = bench.connect();
    let (old, new) = edit(3);
    let new = tree(&bench.served(), "a", &new);
    // Under another name it is not looked at.
    let other = bench.place("b", &old);
    assert!(bench.pull_edit(&remote, &other, &new).bytes > HUGE as u64);
    // Nothing in common: whole.
    let new = tree(&bench.served(), "a", &edit(4).1);
    let other = bench.place("a", &edit(5).0);
    let pulled = bench.pull_edit(&remote, &other, &new);
    assert!(pulled.bytes > HUGE as u64 && bench.is_there(&new));
    // In another directory.
    let below = |store: &Store, directory: &str, bytes: &[u8]| {
        let below = tree(store, "a", bytes);
        let node = crate::cas::tree::DirectoryNode {
            name: Name::new(directory).unwrap(),
            digest: below.root(),
        };
        let root = Directory::new(vec![], vec![node], vec![]).unwrap();
        let mut shelf = Shelf::default();
        for (_, directory) in below.directories() {
            shelf.put(directory.clone());
        }
        let digest = shelf.put(root.clone());
        let writer = store.writer(Durability::None).unwrap();
        writer.put(&root.encode(), false).unwrap();
        writer.commit().unwrap();
        manifest(&shelf, digest).unwrap()
    };
    let (old, edited) = edit(7);
    let new = below(&bench.served(), "v2", &edited);
    let old = below(&bench.there, "v1", &old);
    let pulled = bench.pull_edit(&remote, &old, &new);
    assert!(pulled.bytes < FEW && bench.is_there(&new), "{pulled:?}");
}

#[test]
fn trouble_with_chunks_is_only_more_bytes() {
    let once = |trouble: Trouble| Faults::seeded(1).with(trouble, 1000, 1);
    let unable = || Faults::seeded(1).without_chunks();
    let (old, new) = edit(9);
    // Chunks that are gone or damaged between the question and the splice; a server that says it can, and cannot.
    for faults in [once(Trouble::Lose), once(Trouble::Corrupt), unable()] {
        let mut bench = Bench::new(|_| {});
        bench.serve(|options| options.faults = faults);
        bench.serve_chunks(&old);
        let new = tree(&bench.here, "a", &new);
        let mut remote = bench.connect();
        remote.capabilities.chunking = Some(Chunking::RECOMMENDED);
        let pushed = bench.push(&remote, &new).unwrap();
        // A chunk, and then the whole.
        assert!(pushed.bytes > HUGE as u64 + 100_000 && pushed.blobs == 2, "{pushed:?}");
        assert!(bench.is_served(&new));
    }
    // A list of chunks that are not those of the content, or too few.
    for faults in [once(Trouble::Corrupt), once(Trouble::Truncate), unable()] {
        let mut bench = Bench::new(|_| {});
        let (old, new) = (bench.place("a", &old), tree(&bench.served(), "a", &new));
        bench.serve(|options| options.faults = faults);
        let mut remote = bench.connect();
        remote.capabilities.chunking = Some(Chunking::RECOMMENDED);
        let pulled = bench.pull_edit(&remote, &old, &new);
        assert!(pulled.bytes > HUGE as u64, "{pulled:?}");
        assert!(bench.is_there(&new));
    }
}

#[test]
fn a_chunk_that_is_lost_after_the_split_is_fetched_with_the_whole() {
    let mut bench = Bench::new(|_| {});
    let (old, new) = edit(11);
    let (old, new) = (bench.place("a", &old), tree(&bench.served(), "a", &new));
    let content = new.contents()[0].0;
    bench.serve(|options| options.faults = Faults::seeded(1).with(Trouble::Lose, 1000, 1));
    let remote = bench.connect();
    // The content and the root have met their fault; the chunks have not.
    let work = Work::new(&remote.line, &Silent);
    assert!(remote.split(&work, Chunking::RECOMMENDED, &content).is_err());
    assert!(bench.pull(&remote, new.root()).is_err());
    let pulled = bench.pull_edit(&remote, &old, &new);
    assert!(pulled.bytes > HUGE as u64, "{pulled:?}");
    assert!(bench.is_there(&new));
}

#[test]
fn a_server_that_cannot_cut_gets_everything_whole() {
    let bench = Bench::new(|options| options.faults = Faults::seeded(1).without_chunks());
    let remote = bench.connect();
    assert_eq!(remote.capabilities().chunking, None);
    let (old, new) = edit(13);
    let (old, new) = (tree(&bench.here, "a", &old), tree(&bench.here, "a", &new));
    let first = bench.push(&remote, &old).unwrap();
    assert_eq!((first.queried, bench.push(&remote, &new).unwrap().queried), (2, 2));
    bench.pull(&remote, old.root()).unwrap();
    assert!(bench.pull_edit(&remote, &old, &new).bytes > HUGE as u64);
    assert!(bench.is_there(&new));
}

#[test]
fn windows_hold_what_fits_in_memory() {
    use crate::cas::remote::assemble::{Here, WINDOW, window};
    use crate::cas::remote::chunks::Part;
    let digest = |number: u8| Digest::new([number; 32], WINDOW / 2);
    let chunks: Vec<Digest> = [1, 2, 2, 3, 9, 9, 4, 9].map(digest).to_vec();
    let here: Here = [(digest(9), Part::whole(&digest(9)))].into_iter().collect();
    let mut rest = chunks.as_slice();
    let mut windows = Vec::new();
    while !rest.is_empty() {
        let (all, lacking) = window(&mut rest, &here);
        windows.push((all.len(), lacking));
    }
    let expected =
        [(2, vec![digest(1), digest(2)]), (2, vec![digest(2), digest(3)]), (4, vec![digest(4)])];
    assert_eq!(windows, expected);
}
