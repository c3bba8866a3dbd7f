//! The files of a cache: one for what each run had to add, merged when there are many. The only file of `cache` that touches
//! the disk.
#![expect(clippy::disallowed_methods, reason = "the one file that reads and writes the cache")]

use super::pack::{MAX_BYTES, Pack};
use crate::digest::Digest;
use rayon::prelude::*;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

const ENDING: &str = ".pack";
/// From this many packs on they become one.
const MANY: usize = 8;

/// All packs that this build can read; what was written last comes first.
pub(super) fn read_packs(dir: &Path, build: Digest) -> Vec<Pack> {
    let read = |name: String| {
        let bytes = fs::read(dir.join(&name)).ok()?;
        Pack::open(name, bytes, build)
    };
    names(dir).into_par_iter().rev().filter_map(read).collect()
}

/// The names of all packs, whoever wrote them; sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ENDING)).collect();
    names.sort();
    names
}

/// Whether the next pack takes the place of those before.
pub(super) fn should_merge(packs: &[Pack]) -> bool {
    packs.len() + 1 >= MANY || packs.iter().map(|pack| pack.bytes.len()).sum::<usize>() > MAX_BYTES
}

/// Writes a pack that comes after those `known`, and takes away those that it replaces, and what no build like this can read.
pub(super) fn write_pack(
    dir: &Path,
    bytes: &[u8],
    known: &[Pack],
    replaced: &[Pack],
) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let there = names(dir);
    let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(dir)?;
    file.write_all(bytes)?;
    let number = there.iter().filter_map(|name| number(name)).max().map_or(0, |last| last + 1);
    // Another process may take the same number at the same time, and puts down something else under it.
    let digest = Digest::of(bytes).to_string();
    let name = format!("{number:08}-{}{ENDING}", digest.get(..16).unwrap_or_default());
    file.persist(dir.join(&name)).map_err(|error| error.error)?;
    let is_known = |name: &String| known.iter().any(|pack| pack.name == *name);
    let is_replaced = |name: &String| replaced.iter().any(|pack| pack.name == *name);
    for old in there.iter().filter(|old| **old != name) {
        if is_replaced(old) || !is_known(old) && is_foreign(&dir.join(old), bytes) {
            fs::remove_file(dir.join(old)).ok();
        }
    }
    Ok(())
}

fn number(name: &str) -> Option<u64> {
    name.split_once('-')?.0.parse().ok()
}

/// Whether a pack was written by another build, or is none.
fn is_foreign(path: &Path, ours: &[u8]) -> bool {
    let mut head = [0; super::pack::SIGNATURE];
    let read = fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut head));
    read.is_err() || ours.get(..super::pack::SIGNATURE) != Some(head.as_slice())
}
