//! What a record keeps alive: every content that its action result leads to. Reads the store only.
//!
//! Records may have been written by anybody's client, so messages are read as they come; what bundles demand of their
//! directories is not demanded here.

use super::Store;
use crate::cas::digest::Digest;
use crate::cas::tree::digest_of;
use crate::error::Result;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use rustc_hash::FxHashSet;

impl Store {
    /// What an encoded `ActionResult` leads to.
    pub(crate) fn closure(&self, record: &[u8]) -> Result<FxHashSet<Digest>> {
        let mut closure = FxHashSet::default();
        let Ok(result) = api::ActionResult::decode(record) else { return Ok(closure) };
        let files = result.output_files.iter().map(|file| file.digest.as_ref());
        let logs = [result.stdout_digest.as_ref(), result.stderr_digest.as_ref()];
        closure.extend(files.chain(logs).filter_map(|digest| digest_of(digest).ok()));
        for directory in &result.output_directories {
            if let Ok(digest) = digest_of(directory.tree_digest.as_ref()) {
                self.add_tree(digest, &mut closure)?;
            }
            if let Ok(digest) = digest_of(directory.root_directory_digest.as_ref()) {
                self.add_directories(vec![digest], &mut closure)?;
            }
        }
        Ok(closure)
    }

    /// A `Tree` message, and the files in its directories, which are not contents themselves.
    fn add_tree(&self, digest: Digest, closure: &mut FxHashSet<Digest>) -> Result<()> {
        closure.insert(digest);
        let tree = self.read(&digest)?.and_then(|bytes| api::Tree::decode(&*bytes).ok());
        let directories = tree.iter().flat_map(|tree| tree.root.iter().chain(&tree.children));
        closure.extend(directories.flat_map(files_of));
        Ok(())
    }

    fn add_directories(
        &self,
        mut todo: Vec<Digest>,
        closure: &mut FxHashSet<Digest>,
    ) -> Result<()> {
        while let Some(digest) = todo.pop() {
            if !closure.insert(digest) {
                continue;
            }
            // What one that is not there leads to is not known.
            let bytes = self.read(&digest)?;
            let directory = bytes.and_then(|bytes| api::Directory::decode(&*bytes).ok());
            let Some(directory) = directory else { continue };
            closure.extend(files_of(&directory));
            let below = directory.directories.iter().map(|node| node.digest.as_ref());
            todo.extend(below.filter_map(|digest| digest_of(digest).ok()));
        }
        Ok(())
    }
}

fn files_of(directory: &api::Directory) -> impl Iterator<Item = Digest> {
    directory.files.iter().filter_map(|file| digest_of(file.digest.as_ref()).ok())
}
