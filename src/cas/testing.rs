//! What the tests of bundles share: trees in memory, stores in temporary directories.

use super::digest::{Digest, DigestFunction};
use super::store::Store;
use super::tree::{Directories, Directory, DirectoryNode, FileNode, Manifest, Name};
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Directories in memory, which notes what is read.
#[derive(Default)]
pub(crate) struct Shelf {
    directories: FxHashMap<Digest, Arc<Directory>>,
    reads: RefCell<Vec<Digest>>,
}

impl Shelf {
    /// Puts a directory on the shelf under its own digest.
    pub(crate) fn put(&mut self, directory: Directory) -> Digest {
        let digest = DigestFunction::Sha256.digest(&directory.encode());
        self.put_as(digest, directory);
        digest
    }

    /// Puts a directory on the shelf under a digest that may be another's.
    pub(crate) fn put_as(&mut self, digest: Digest, directory: Directory) {
        self.directories.insert(digest, Arc::new(directory));
    }

    /// A tree of these paths and texts; gives its root.
    pub(crate) fn tree(&mut self, files: &[(&str, &str)]) -> Digest {
        let mut here = Vec::new();
        let mut below: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (path, text) in files {
            match path.split_once('/') {
                Some((dir, rest)) => below.entry(dir).or_default().push((rest, text)),
                None => here.push(FileNode {
                    name: Name::new(path).unwrap(),
                    digest: DigestFunction::Sha256.digest(text.as_bytes()),
                    is_executable: false,
                }),
            }
        }
        let directories = below.into_iter().map(|(name, files)| DirectoryNode {
            name: Name::new(name).unwrap(),
            digest: self.tree(&files),
        });
        let directories = directories.collect();
        self.put(Directory::new(here, directories, Vec::new()).unwrap())
    }

    /// The directories that were read, in this order.
    pub(crate) fn reads(&self) -> Vec<Digest> {
        self.reads.borrow().clone()
    }
}

impl Directories for Shelf {
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>> {
        self.reads.borrow_mut().extend(digests);
        let found = digests.iter().map(|digest| {
            self.directories.get(digest).cloned().ok_or_else(|| Error::new("not on the shelf"))
        });
        found.collect()
    }
}

/// A new store that goes with the test.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store"), DigestFunction::Sha256).unwrap();
    (dir, store)
}

/// A manifest of a shelf within the usual limits.
pub(crate) fn manifest(shelf: &Shelf, root: Digest) -> Result<Manifest> {
    Manifest::load(shelf, root, &super::tree::Limits::default())
}

/// Bytes that do not compress, the same everywhere: `splitmix64`.
pub(crate) fn pseudo_random(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(size).collect()
}
