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

/// The contents that a record leads to, and those of them that the store lacks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closure {
    /// All of them.
    pub(crate) contents: FxHashSet<Digest>,
    /// Directories and trees that could not be read, so that what they lead to is not known.
    pub(crate) unread: Vec<Digest>,
}

impl Store {
    /// What an encoded `ActionResult` leads to.
    pub(crate) fn closure(&self, record: &[u8]) -> Result<Closure> {
        let mut closure = Closure::default();
        let Ok(result) = api::ActionResult::decode(record) else { return Ok(closure) };
        let files = result.output_files.iter().map(|file| file.digest.as_ref());
        let logs = [result.stdout_digest.as_ref(), result.stderr_digest.as_ref()];
        for digest in files.chain(logs).filter_map(|digest| digest_of(digest).ok()) {
            closure.contents.insert(digest);
        }
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
    fn add_tree(&self, digest: Digest, closure: &mut Closure) -> Result<()> {
        closure.contents.insert(digest);
        let tree = self.read(&digest)?.and_then(|bytes| api::Tree::decode(&*bytes).ok());
        let Some(tree) = tree else {
            closure.unread.push(digest);
            return Ok(());
        };
        for directory in tree.root.iter().chain(&tree.children) {
            let files =
                directory.files.iter().filter_map(|file| digest_of(file.digest.as_ref()).ok());
            closure.contents.extend(files);
        }
        Ok(())
    }

    fn add_directories(&self, mut todo: Vec<Digest>, closure: &mut Closure) -> Result<()> {
        while let Some(digest) = todo.pop() {
            if !closure.contents.insert(digest) {
                continue;
            }
            let directory =
                self.read(&digest)?.and_then(|bytes| api::Directory::decode(&*bytes).ok());
            let Some(directory) = directory else {
                closure.unread.push(digest);
                continue;
            };
            let files =
                directory.files.iter().filter_map(|file| digest_of(file.digest.as_ref()).ok());
            closure.contents.extend(files);
            todo.extend(
                directory
                    .directories
                    .iter()
                    .filter_map(|node| digest_of(node.digest.as_ref()).ok()),
            );
        }
        Ok(())
    }
}
