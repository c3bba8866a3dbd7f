//! One file of values: who wrote it, a table of what is where, the values. Pure functions of bytes.

use crate::digest::Digest;
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says what the file is, and in which form.
const MAGIC: &[u8; 16] = b"secateur cache 1";
/// How many bytes tell whose file it is: the magic, and the build.
pub(super) const SIGNATURE: usize = MAGIC.len() + Digest::SIZE;
/// Before the table come the signature, the table's length, and its sum.
const HEAD: usize = SIGNATURE + 8 + 8;
/// Key, offset, length, sum, age.
const ROW: usize = Digest::SIZE + 8 + 8 + 8 + 4;
/// A value that was not asked for while packs were merged this many times goes.
const MAX_AGE: u32 = 4;
/// The largest values are those of whole runs, with some megabytes each; a cache keeps dozens.
pub(super) const MAX_BYTES: usize = 256 << 20;

/// A pack in memory.
#[derive(Debug)]
pub(super) struct Pack {
    /// The name of its file.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Where its table ends, whose rows are sorted by key.
    end: usize,
    /// Which rows were asked for.
    used: Vec<AtomicBool>,
}

/// A value.
pub(super) struct Slot<'p> {
    pub(super) key: Digest,
    /// How many times packs were merged since it was asked for.
    pub(super) age: u32,
    pub(super) body: &'p [u8],
}

impl Pack {
    /// A file of this build whose table is as it was written.
    pub(super) fn open(name: String, bytes: Vec<u8>, build: Digest) -> Option<Self> {
        let length = table(&bytes, build)?.len();
        let used = std::iter::repeat_with(AtomicBool::default).take(length / ROW).collect();
        Some(Self { name, bytes, end: HEAD + length, used })
    }

    /// The bytes of the value with this key, if they are as they were written.
    pub(super) fn get(&self, key: &Digest) -> Option<&[u8]> {
        let at = find(self.rows(), key)?;
        let slot = self.slot(self.rows().get(at)?)?;
        self.used.get(at)?.store(true, Ordering::Relaxed);
        Some(slot.body)
    }

    /// All values that are as they were written; one that was asked for is young again.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot<'_>> {
        let rows = self.rows().iter().zip(&self.used);
        rows.filter_map(|(row, used)| {
            let slot = self.slot(row)?;
            let is_used = used.load(Ordering::Relaxed);
            Some(Slot { age: if is_used { 0 } else { slot.age.saturating_add(1) }, ..slot })
        })
    }

    fn rows(&self) -> &[[u8; ROW]] {
        self.bytes.get(HEAD..self.end).unwrap_or_default().as_chunks().0
    }

    fn slot(&self, row: &[u8; ROW]) -> Option<Slot<'_>> {
        let mut rest = row.as_slice();
        let key = Digest::from_bytes(take(&mut rest)?);
        let offset = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        let length = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        let expected = u64::from_le_bytes(take(&mut rest)?);
        let age = u32::from_le_bytes(take(&mut rest)?);
        let body = self.bytes.get(offset..offset.checked_add(length)?)?;
        (sum(body) == expected).then_some(Slot { key, age, body })
    }
}

/// The position of the row with a key. Digests are spread evenly, so that each lies near its share of the rows.
fn find(rows: &[[u8; ROW]], key: &Digest) -> Option<usize> {
    let key = key.as_bytes().as_slice();
    let (share, _) = key.split_first_chunk()?;
    let share = u128::from(u64::from_be_bytes(*share));
    let guess = (share * rows.len() as u128) >> u64::BITS;
    let (before, after) = rows.split_at_checked(guess as usize)?;
    let is_behind = |row: &&[u8; ROW]| row.get(..Digest::SIZE) >= Some(key);
    let at = match before.iter().rev().take_while(is_behind).count() {
        0 => before.len() + after.iter().take_while(|row| !is_behind(row)).count(),
        count => before.len() - count,
    };
    rows.get(at)?.starts_with(key).then_some(at)
}

/// The table of a pack, if all up to its end is as it was written.
fn table(bytes: &[u8], build: Digest) -> Option<&[u8]> {
    let mut rest = bytes;
    let is_ours = take::<16>(&mut rest)? == *MAGIC && take(&mut rest)? == *build.as_bytes();
    let length = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
    let expected = u64::from_le_bytes(take(&mut rest)?);
    let table = rest.get(..length)?;
    (is_ours && sum(table) == expected).then_some(table)
}

/// Puts values together, each with its key and age: what is young first, as much as there is room for.
pub(super) fn write(mut values: Vec<(Digest, u32, &[u8])>, build: Digest) -> Vec<u8> {
    values.sort_by_key(|(key, age, _)| (*age, *key));
    let mut room = MAX_BYTES;
    values.retain(|(_, age, body)| {
        let fits = *age <= MAX_AGE && body.len() + ROW <= room;
        room -= if fits { body.len() + ROW } else { 0 };
        fits
    });
    values.sort_by_key(|(key, ..)| *key);
    let mut table = Vec::with_capacity(values.len() * ROW);
    let mut offset = HEAD + values.len() * ROW;
    for (key, age, body) in &values {
        table.extend_from_slice(key.as_bytes());
        table.extend_from_slice(&(offset as u64).to_le_bytes());
        table.extend_from_slice(&(body.len() as u64).to_le_bytes());
        table.extend_from_slice(&sum(body).to_le_bytes());
        table.extend_from_slice(&age.to_le_bytes());
        offset += body.len();
    }
    let mut bytes = Vec::with_capacity(offset);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(build.as_bytes());
    bytes.extend_from_slice(&(table.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&sum(&table).to_le_bytes());
    bytes.extend_from_slice(&table);
    for (.., body) in &values {
        bytes.extend_from_slice(body);
    }
    bytes
}

/// Tells bytes that were damaged from those that were not.
fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}
