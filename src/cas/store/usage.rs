//! What a store holds, and what it was good for. Reads the store; writes `counters`.

use super::layout::{QUARANTINE, failed};
use super::records::{files_below, peek};
use super::{Durability, Store, writer};
use crate::error::Result;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Contents; one that is executable at one place and not at another counts twice.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Damaged contents that were put aside.
    pub quarantined: u64,
    /// Action results.
    pub results: u64,
}

/// What was done with a store since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Files that were packed.
    pub files_packed: u64,
    /// Those whose contents had to be read.
    pub files_read: u64,
    /// Bytes that were placed in trees.
    pub bytes_pulled: u64,
    /// Those that came from a server.
    pub bytes_fetched: u64,
}

const COUNTERS: &str = "counters.json";

impl Store {
    /// Counts what there is.
    pub fn usage(&self) -> Result<Usage> {
        let files = self.object_files()?;
        // One that went meanwhile has no bytes.
        let bytes = files
            .par_iter()
            .map(|path| fs::symlink_metadata(path).map_or(0, |metadata| metadata.len()));
        Ok(Usage {
            objects: files.len() as u64,
            bytes: bytes.sum(),
            quarantined: files_below(&self.root.join(QUARANTINE))?.len() as u64,
            results: files_below(&self.root.join("ac"))?.len() as u64,
        })
    }

    /// What was counted so far; nothing if that cannot be read.
    pub fn counters(&self) -> Result<Counters> {
        let bytes = peek(&self.root.join(COUNTERS))?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Counts more.
    pub fn count(&self, more: &Counters) -> Result<()> {
        let _lock = self.lock("counters.lock")?;
        let old = self.counters()?;
        let sum = Counters {
            files_packed: old.files_packed + more.files_packed,
            files_read: old.files_read + more.files_read,
            bytes_pulled: old.bytes_pulled + more.bytes_pulled,
            bytes_fetched: old.bytes_fetched + more.bytes_fetched,
        };
        let path = self.root.join(COUNTERS);
        let bytes = serde_json::to_vec(&sum).unwrap_or_default();
        writer::replace_as(&path, &bytes, Durability::None)
            .map_err(|error| failed("write", &path, error))
    }
}
