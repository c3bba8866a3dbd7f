//! Reads a whole store, and says what is damaged and what is missing. What is damaged goes into quarantine.

use super::gc::hash_of;
use super::layout::failed;
use super::{Store, hash_file};
use crate::cas::digest::Digest;
use crate::error::Result;
use crate::progress::Progress;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

/// What a store is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Contents that were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Hashes of contents that were damaged, in hexadecimal digits, sorted. They are in quarantine now.
    pub damaged: Vec<String>,
    /// Contents that a record leads to and the store lacks, with one such record for each.
    pub missing: BTreeMap<Digest, String>,
}

impl Store {
    /// Reads every content, and looks for everything that records lead to.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Verified> {
        let files = self.object_files()?;
        progress.start("reading", Some(files.len()));
        let checked = files.par_iter().map(|path| {
            progress.step();
            self.check(path)
        });
        let mut verified = Verified::default();
        for (path, checked) in files.iter().zip(checked.collect::<Result<Vec<Checked>>>()?) {
            match checked {
                Checked::Gone => {}
                Checked::Sound(bytes) => {
                    verified.objects += 1;
                    verified.bytes += bytes;
                }
                Checked::Damaged => verified
                    .damaged
                    .extend(path.file_name().map(|name| name.to_string_lossy().into())),
            }
        }
        verified.damaged.sort();
        verified.missing = self.missing()?;
        Ok(verified)
    }

    fn check(&self, path: &Path) -> Result<Checked> {
        let Some(hash) = hash_of(path) else { return Ok(Checked::Gone) };
        let Ok(file) = File::open(path) else { return Ok(Checked::Gone) };
        let digest = hash_file(self.function, file).map_err(|error| failed("read", path, error))?;
        if *digest.hash() == hash {
            return Ok(Checked::Sound(digest.size()));
        }
        self.reject(&Digest::new(hash, digest.size()))?;
        Ok(Checked::Damaged)
    }

    fn missing(&self) -> Result<BTreeMap<Digest, String>> {
        let mut missing = BTreeMap::new();
        for record in self.records()? {
            // A record that was removed meanwhile needs nothing.
            let closure = self.closure(&fs::read(&record.path).unwrap_or_default())?;
            for digest in closure {
                if !self.contains(&digest)? {
                    missing.entry(digest).or_insert_with(|| record.shown.clone());
                }
            }
        }
        Ok(missing)
    }
}

enum Checked {
    /// It went meanwhile, or is none of ours.
    Gone,
    Sound(u64),
    Damaged,
}
