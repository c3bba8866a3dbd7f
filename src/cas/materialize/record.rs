//! What a store remembers of a materialized tree: which directory it is, and what is in it. Touches the store's `trees/`.

use super::beneath::Identity;
use crate::cas::digest::Digest;
use crate::cas::store::{Durability, Store};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The directories that may have the destination's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where it is, for people.
    path: String,
    /// While directories change their names there are two: whichever is found is known.
    trees: Vec<Tree>,
}

/// A directory, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// Which directory.
    pub(super) identity: Identity,
    /// The root of what is in it, as `hash/size`.
    root: String,
    /// The root that it was on its way to: then any path may be as before or as after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    towards: Option<String>,
    /// Whether no link in it leads out of it.
    #[serde(default)]
    pub(super) is_closed: bool,
}

impl Tree {
    /// A tree that is whole.
    pub(super) fn whole(identity: Identity, root: Digest, is_closed: bool) -> Self {
        Self { identity, root: root.to_string(), towards: None, is_closed }
    }

    /// A tree that is being changed.
    pub(super) fn towards(&self, other: &Self) -> Self {
        Self { towards: Some(other.root.clone()), ..self.clone() }
    }

    /// What is in it, if it is whole.
    pub(super) fn root(&self) -> Option<Digest> {
        if self.towards.is_some() { None } else { self.last_root() }
    }

    /// What was in it when it was whole.
    pub(super) fn last_root(&self) -> Option<Digest> {
        self.root.parse().ok()
    }
}

impl Record {
    /// The record of the tree at a real path. One that cannot be read is none.
    pub(super) fn read(store: &Store, path: &Path) -> Result<Self> {
        let bytes = store.tree_record(&key(store, path))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// What is known of a directory.
    pub(super) fn tree(&self, identity: Identity) -> Option<&Tree> {
        self.trees.iter().find(|tree| tree.identity == identity)
    }

    /// Says which directories the path may be from now on.
    pub(super) fn write(
        store: &Store,
        path: &Path,
        trees: Vec<Tree>,
        durability: Durability,
    ) -> Result<()> {
        let record = Self { path: path.display().to_string(), trees };
        // A record holds texts and numbers only.
        let bytes = serde_json::to_vec(&record).unwrap_or_default();
        store.put_tree_record(&key(store, path), &bytes, durability)
    }
}

fn key(store: &Store, path: &Path) -> Digest {
    store.function().digest(path.as_os_str().as_bytes())
}
