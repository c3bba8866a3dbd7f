//! Garbage collection: what no record leads to goes, and under a quota the records that were not used for the longest time
//! go first. Runs beside readers and writers; touches the store only.
//!
//! A content is safe if a record leads to it, or if it was used since the oldest living [`super::Lease`] began, or within the
//! grace. Leases are looked at first, then records, then contents: so whoever begins later has just used what it found.

use super::layout::{Twin, failed, shard};
use super::records::{Record, files_below};
use super::{FRESH, Store};
use crate::cas::digest::{Digest, Hash, hex};
use crate::error::Result;
use crate::progress::Progress;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::fs::{FlockOperation, flock};
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What may go.
#[derive(Clone, Copy, Debug)]
pub struct CollectOptions {
    /// Bytes that the store may have afterwards; without it only what nothing leads to goes.
    pub quota: Option<u64>,
    /// Seconds for which a content stays after its last use, although no record leads to it.
    pub grace: i64,
    /// Whether nothing is changed.
    pub is_dry_run: bool,
}

/// An hour: longer than clients wait between asking for what a server lacks and saying what it is for.
pub const GRACE: i64 = 3600;

/// What a collection did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Contents that went.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Contents that stay.
    pub kept_objects: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// Action results that went, to stay within the quota.
    pub dropped_results: u64,
    /// Bytes above the quota that only names keep.
    pub above_quota: u64,
    /// Leases of processes that are gone.
    pub dead_leases: u64,
}

/// A content's file.
struct Object {
    hash: Hash,
    twin: Twin,
    size: u64,
    used: i64,
}

impl Store {
    /// Takes away what nobody needs. One collection runs at a time; a second one waits.
    pub fn collect(&self, options: &CollectOptions, progress: &dyn Progress) -> Result<Collected> {
        let _only = self.lock("collector.lock")?;
        self.restore_trash()?;
        let mut collected = Collected::default();
        let cutoff = self.cutoff(options, &mut collected)?;
        let (kept, dropped) = self.mark(options, cutoff, &mut collected, progress)?;
        if !options.is_dry_run {
            dropped.iter().try_for_each(|record| {
                fs::remove_file(&record.path).map_err(|error| failed("remove", &record.path, error))
            })?;
        }
        progress.start("collecting", Some(256));
        let sweeps = (0..=u8::MAX).into_par_iter().map(|shard| {
            progress.step();
            self.sweep(shard, &kept, cutoff, options.is_dry_run)
        });
        for swept in sweeps.collect::<Result<Vec<Collected>>>()? {
            collected.objects += swept.objects;
            collected.bytes += swept.bytes;
            collected.kept_objects += swept.kept_objects;
            collected.kept_bytes += swept.kept_bytes;
        }
        if let Some(quota) = options.quota {
            collected.above_quota = collected.kept_bytes.saturating_sub(quota);
        }
        Ok(collected)
    }

    pub(super) fn lock(&self, name: &str) -> Result<File> {
        let path = self.root.join(name);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|error| failed("lock", &path, error))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| failed("lock", &path, error))?;
        Ok(file)
    }

    /// The moment, in seconds since 1970, before which a content was not used by anybody who is still there. Removes what
    /// dead processes left.
    fn cutoff(&self, options: &CollectOptions, collected: &mut Collected) -> Result<i64> {
        let lease = self.lease()?;
        let now = lease.start_ns() / 1_000_000_000;
        let mut cutoff = now - options.grace;
        let mut living = FxHashSet::default();
        for path in files_below(&self.root.join("leases"))? {
            let Ok(file) = File::open(&path) else { continue };
            let is_dead = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_dead {
                collected.dead_leases += 1;
                if !options.is_dry_run {
                    let _ = fs::remove_file(&path);
                }
            } else if let (Ok(metadata), Some(name)) = (file.metadata(), path.file_name()) {
                cutoff = cutoff.min(metadata.mtime());
                living.insert(name.to_owned());
            }
        }
        if !options.is_dry_run {
            self.remove_left_behind(&living, now)?;
        }
        Ok(cutoff - FRESH)
    }

    /// What dead writers were writing.
    fn remove_left_behind(&self, living: &FxHashSet<OsString>, now: i64) -> Result<()> {
        let tmp = self.root.join("tmp");
        for entry in fs::read_dir(&tmp).map_err(|error| failed("list", &tmp, error))?.flatten() {
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            // A lease gets its name before its writer makes a directory: so a directory without one is left behind. A
            // file is a lease that had no name yet, or an old one.
            let is_dead = if is_dir {
                !living.contains(&entry.file_name())
                    && !self.root.join("leases").join(entry.file_name()).exists()
            } else {
                entry.metadata().is_ok_and(|metadata| metadata.mtime() < now - GRACE)
            };
            if is_dead {
                // Whatever cannot be removed now is left for the next collection.
                let _ = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
        Ok(())
    }

    /// What records lead to, without those that have to go for the quota's sake.
    fn mark(
        &self,
        options: &CollectOptions,
        cutoff: i64,
        collected: &mut Collected,
        progress: &dyn Progress,
    ) -> Result<(FxHashSet<Hash>, Vec<Record>)> {
        let records = self.records()?;
        progress.start("marking", Some(records.len()));
        let closures = records.par_iter().map(|record| {
            progress.step();
            // A record that was removed meanwhile keeps nothing.
            let bytes = fs::read(&record.path).unwrap_or_default();
            self.closure(&bytes)
        });
        let closures: Vec<FxHashSet<Digest>> = closures.collect::<Result<_>>()?;
        let dropped = match options.quota {
            Some(quota) => self.over_quota(quota, cutoff, &records, &closures)?,
            None => FxHashSet::default(),
        };
        collected.dropped_results = dropped.len() as u64;
        let mut kept = FxHashSet::default();
        let mut gone = Vec::new();
        for (at, (record, closure)) in records.into_iter().zip(closures).enumerate() {
            if dropped.contains(&at) {
                gone.push(record);
            } else {
                kept.extend(closure.iter().map(|digest| *digest.hash()));
            }
        }
        Ok((kept, gone))
    }

    /// The action results that go, those first that were not used for the longest time. Names stay: somebody gave them.
    fn over_quota(
        &self,
        quota: u64,
        cutoff: i64,
        records: &[Record],
        closures: &[FxHashSet<Digest>],
    ) -> Result<FxHashSet<usize>> {
        let mut holders: FxHashMap<Hash, usize> = FxHashMap::default();
        for digest in closures.iter().flatten() {
            *holders.entry(*digest.hash()).or_default() += 1;
        }
        let mut total = 0;
        let mut sizes: FxHashMap<Hash, u64> = FxHashMap::default();
        for shard in 0..=u8::MAX {
            for object in self.objects(shard)? {
                let stays = object.used >= cutoff;
                if stays || holders.contains_key(&object.hash) {
                    total += object.size;
                }
                if !stays {
                    *sizes.entry(object.hash).or_default() += object.size;
                }
            }
        }
        let mut order: Vec<usize> = (0..records.len()).filter(|at| !records[*at].is_name).collect();
        order.sort_by_key(|at| (records[*at].used, &records[*at].path));
        let mut dropped = FxHashSet::default();
        for at in order {
            if total <= quota || records[at].used >= cutoff {
                break;
            }
            dropped.insert(at);
            for digest in &closures[at] {
                let Some(count) = holders.get_mut(digest.hash()) else { continue };
                *count -= 1;
                if *count == 0 {
                    total -= sizes.get(digest.hash()).copied().unwrap_or(0);
                }
            }
        }
        Ok(dropped)
    }

    /// The files of one shard, plain ones first.
    fn objects(&self, shard: u8) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for twin in [Twin::Plain, Twin::Executable] {
            for path in files_below(&self.shard_dir(twin, shard))? {
                let Some(hash) = hash_of(&path) else { continue };
                // It went meanwhile.
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                objects.push(Object { hash, twin, size: metadata.size(), used: metadata.atime() });
            }
        }
        Ok(objects)
    }

    fn shard_dir(&self, twin: Twin, first: u8) -> PathBuf {
        self.root.join(shard(self.function, twin, first))
    }

    fn sweep(
        &self,
        shard: u8,
        kept: &FxHashSet<Hash>,
        cutoff: i64,
        is_dry_run: bool,
    ) -> Result<Collected> {
        let mut swept = Collected::default();
        let (garbage, stays): (Vec<Object>, Vec<Object>) = self
            .objects(shard)?
            .into_iter()
            .partition(|object| object.used < cutoff && !kept.contains(&object.hash));
        swept.kept_objects = stays.len() as u64;
        swept.kept_bytes = stays.iter().map(|object| object.size).sum();
        if garbage.is_empty() {
            return Ok(swept);
        }
        // Who misses a content waits for this lock, and looks again: it may be about to be put back.
        let _lock = if is_dry_run { None } else { Some(self.lock(super::SWEEP_LOCK)?) };
        for object in garbage {
            if is_dry_run || self.remove(&object, cutoff)? {
                swept.objects += 1;
                swept.bytes += object.size;
            } else {
                swept.kept_objects += 1;
                swept.kept_bytes += object.size;
            }
        }
        Ok(swept)
    }

    /// Removes a content unless somebody used it meanwhile; whether it is gone.
    fn remove(&self, object: &Object, cutoff: i64) -> Result<bool> {
        let hex = hex(&object.hash);
        let path = self.shard_dir(object.twin, object.hash[0]).join(&hex);
        let trash = self.root.join(TRASH);
        let aside = trash.join(format!("{}-{hex}", object.twin.directory()));
        fs::create_dir_all(&trash).map_err(|error| failed("make", &trash, error))?;
        if fs::rename(&path, &aside).is_err() {
            return Ok(true);
        }
        let metadata =
            fs::symlink_metadata(&aside).map_err(|error| failed("look at", &aside, error))?;
        if metadata.atime() >= cutoff {
            fs::rename(&aside, &path).map_err(|error| failed("put back", &path, error))?;
            return Ok(false);
        }
        fs::remove_file(&aside).map_err(|error| failed("remove", &aside, error))?;
        Ok(true)
    }

    /// Puts back what a collection that was stopped had moved aside; whether it may go is asked again.
    fn restore_trash(&self) -> Result<()> {
        for aside in files_below(&self.root.join(TRASH))? {
            let name = aside.file_name().and_then(|name| name.to_str()).unwrap_or("");
            let place = [Twin::Executable, Twin::Plain].into_iter().find_map(|twin| {
                let hex = name.strip_prefix(twin.directory())?.strip_prefix('-')?;
                Some(self.shard_dir(twin, hash_of(Path::new(hex))?[0]).join(hex))
            });
            if let Some(path) = place {
                fs::rename(&aside, &path).map_err(|error| failed("put back", &path, error))?;
            }
        }
        Ok(())
    }
}

/// Where contents lie between being taken out of their place and being deleted.
const TRASH: &str = "trash";

/// The hash that a file is named by.
pub(super) fn hash_of(path: &Path) -> Option<Hash> {
    let name = path.file_name()?.to_str()?;
    Digest::of_hex(name, 0).map(|digest| *digest.hash())
}

#[cfg(test)]
mod tests;
