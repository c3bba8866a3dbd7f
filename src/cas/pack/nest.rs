//! From paths to directories, bottom up. Writes through `store`.

use crate::cas::digest::Digest;
use crate::cas::store::Writer;
use crate::cas::tree::{
    Directory, DirectoryNode, FileNode, Limits, Manifest, Name, Refusal, SymlinkNode, join,
};
use crate::error::{Error, Result};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands at a path once its content is stored.
pub(super) enum Node {
    File { digest: Digest, is_executable: bool },
    Link(String),
    Directory,
}

/// A directory that is being filled.
#[derive(Default)]
struct Nest {
    files: Vec<FileNode>,
    links: Vec<SymlinkNode>,
    below: BTreeMap<String, Self>,
}

/// A directory that is done, with all distinct ones below it.
struct Done {
    digest: Digest,
    directories: FxHashMap<Digest, Arc<Directory>>,
    order: Vec<Digest>,
}

/// Stores the directories that hold these paths.
pub(super) fn nest(
    nodes: Vec<(String, Node)>,
    writer: &Writer,
    limits: &Limits,
) -> Result<Manifest> {
    let mut root = Nest::default();
    for (path, node) in nodes {
        root.add(&path, node).map_err(|refusal| refused(&path, &refusal))?;
    }
    let done = root.store(writer, "")?;
    Manifest::of_directories(done.digest, done.directories, done.order, limits)
}

fn refused(path: &str, refusal: &Refusal) -> Error {
    Error::new(format!("cannot be packed: {refusal}")).at(path.to_owned())
}

impl Nest {
    fn add(&mut self, path: &str, node: Node) -> std::result::Result<(), Refusal> {
        let mut dirs: Vec<&str> = path.split('/').collect();
        let name = dirs.pop().unwrap_or("");
        let mut here = self;
        for dir in dirs {
            if !here.below.contains_key(dir) {
                here.below.insert(Name::new(dir)?.as_str().to_owned(), Self::default());
            }
            let Some(below) = here.below.get_mut(dir) else { return Ok(()) };
            here = below;
        }
        let valid = Name::new(name)?;
        match node {
            Node::File { digest, is_executable } => {
                here.files.push(FileNode { name: valid, digest, is_executable });
            }
            Node::Link(target) => here.links.push(SymlinkNode { name: valid, target }),
            Node::Directory => {
                here.below.entry(name.to_owned()).or_default();
            }
        }
        Ok(())
    }

    fn store(self, writer: &Writer, path: &str) -> Result<Done> {
        let below: Vec<(String, Self)> = self.below.into_iter().collect();
        let store = |(name, nest): (String, Self)| {
            let path = join(path, &name);
            let node = Name::new(&name).map_err(|refusal| refused(&path, &refusal))?;
            Ok((node, nest.store(writer, &path)?))
        };
        let below: Vec<(Name, Done)> = below.into_par_iter().map(store).collect::<Result<_>>()?;
        let nodes = below
            .iter()
            .map(|(name, done)| DirectoryNode { name: name.clone(), digest: done.digest });
        let directory = Directory::new(self.files, nodes.collect(), self.links)
            .map_err(|refusal| refused(path, &refusal))?;
        let digest = writer.put(&directory.encode(), false)?.digest;
        let mut done = Done { digest, directories: FxHashMap::default(), order: vec![digest] };
        done.directories.insert(digest, Arc::new(directory));
        for (_, other) in below {
            let Done { directories: mut theirs, order, .. } = other;
            for digest in order {
                if let Some(directory) = theirs.remove(&digest)
                    && done.directories.insert(digest, directory).is_none()
                {
                    done.order.push(digest);
                }
            }
        }
        Ok(done)
    }
}
