//! The first sixteen bytes of a `.pyc` (PEP 552). Pure; touches nothing.

use siphasher::sip::{SipHasher13, SipHasher24};
use std::hash::Hasher as _;

/// Bytes of a header since Python 3.7.
pub(super) const LENGTH: usize = 16;

/// Bit of the flags: what follows is a hash, not a time and a size.
const HASH_BASED: u32 = 0b01;
/// Bit of the flags: the interpreter compares the hash with the source.
const CHECK_SOURCE: u32 = 0b10;

/// How a `.pyc` says what it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validation {
    /// By time (seconds, modulo 2^32) and size (modulo 2^32).
    Timestamp {
        /// Seconds of the source's last change.
        mtime: u32,
        /// Bytes of the source.
        size: u32,
    },
    /// By a hash of the source.
    Hash(u64),
}

/// Which interpreter a `.pyc` is for, and what it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) magic: Magic,
    pub(super) validation: Validation,
}

impl Header {
    /// Reads a header; `None` if it is cut off, is of an interpreter that is not known, or has flags that no interpreter takes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let magic = Magic::new(bytes.get(..4)?.try_into().ok()?)?;
        let flags = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        let hash = u64::from_le_bytes(bytes.get(8..LENGTH)?.try_into().ok()?);
        let validation = match flags {
            0 => Validation::Timestamp { mtime: hash as u32, size: (hash >> 32) as u32 },
            _ if flags & HASH_BASED != 0 && flags & !(HASH_BASED | CHECK_SOURCE) == 0 => {
                Validation::Hash(hash)
            }
            _ => return None,
        };
        Some(Self { magic, validation })
    }

    /// The header of a `.pyc` that the interpreter takes without looking at the source.
    pub(super) fn unchecked(magic: Magic, hash: u64) -> [u8; LENGTH] {
        let mut header = [0; LENGTH];
        let (start, digest) = header.split_at_mut(8);
        let (number, flags) = start.split_at_mut(4);
        number.copy_from_slice(&magic.0);
        flags.copy_from_slice(&HASH_BASED.to_le_bytes());
        digest.copy_from_slice(&hash.to_le_bytes());
        header
    }
}

/// The number that tells versions of bytecode apart (`Lib/importlib/_bootstrap_external.py` lists them), with the two bytes
/// `\r\n` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Magic([u8; 4]);

/// The first number of the interpreters that have headers of sixteen bytes: 3.7a4.
const FIRST: u16 = 3392;
/// The first numbers of 3.8, of 3.11, and of what comes after the last version that this was tried with.
const PYTHON_3_8: u16 = 3400;
const PYTHON_3_11: u16 = 3450;
const UNTRIED: u16 = 3700;

impl Magic {
    /// The magic of a `CPython` that has headers of sixteen bytes.
    pub(super) fn new(bytes: [u8; 4]) -> Option<Self> {
        let magic = Self(bytes);
        (bytes.ends_with(b"\r\n") && (FIRST..10_000).contains(&magic.number())).then_some(magic)
    }

    /// Its bytes.
    pub(super) fn bytes(self) -> [u8; 4] {
        self.0
    }

    fn number(self) -> u16 {
        u16::from_le_bytes([self.0[0], self.0[1]])
    }

    /// What `_imp.source_hash` of the interpreter says of a source (`Python/import.c`): a keyed `SipHash`, since 3.11 the one with
    /// fewer rounds (`_Py_KeyedHash`, `Python/pyhash.c`).
    pub(super) fn source_hash(self, source: &[u8]) -> u64 {
        let key = u64::from(u32::from_le_bytes(self.0));
        if self.number() < PYTHON_3_11 {
            let mut hasher = SipHasher24::new_with_keys(key, 0);
            hasher.write(source);
            hasher.finish()
        } else {
            let mut hasher = SipHasher13::new_with_keys(key, 0);
            hasher.write(source);
            hasher.finish()
        }
    }

    /// How its code objects are written; `None` for versions that are newer than this program.
    pub(super) fn layout(self) -> Option<Layout> {
        let number = self.number();
        let old = |numbers| Layout { numbers, before_name: 6, after_name: 1, tables: 1 };
        if number < PYTHON_3_8 {
            Some(old(5))
        } else if number < PYTHON_3_11 {
            Some(old(6))
        } else {
            let new = Layout { numbers: 5, before_name: 5, after_name: 2, tables: 2 };
            (number < UNTRIED).then_some(new)
        }
    }
}

/// The fields of a code object in their order (`w_complex_object`, `Python/marshal.c`): so many numbers, so many objects, the
/// name of the source, so many objects, the first line's number, so many objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) numbers: usize,
    pub(super) before_name: usize,
    pub(super) after_name: usize,
    pub(super) tables: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn magic(number: u16) -> Magic {
        let [low, high] = number.to_le_bytes();
        Magic::new([low, high, b'\r', b'\n']).unwrap()
    }

    /// What `_imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), b"x = 1\n")` gave in each.
    #[test]
    fn sources_are_hashed_as_interpreters_do() {
        for (number, expected) in [
            (3394, "20329d810db227ea"),
            (3413, "1506f08f32bf3ff3"),
            (3425, "f1d665a9e50fdffa"),
            (3439, "d94aade28c8cbebf"),
            (3495, "4c0372aa93f75252"),
            (3531, "1522561917f5df08"),
            (3571, "e786e2893651120e"),
        ] {
            let hash = magic(number).source_hash(b"x = 1\n").to_le_bytes();
            assert_eq!(crate::cas::digest::hex(&hash), expected, "{number}");
        }
    }

    #[test]
    fn headers_are_read_and_written() {
        let written = Header::unchecked(magic(3495), 7);
        let read = Header { magic: magic(3495), validation: Validation::Hash(7) };
        assert_eq!(Header::read(&written), Some(read));
        let stamp = b"\xa7\x0d\x0d\x0a\0\0\0\0\x01\x02\0\0\x03\0\0\0";
        let read = Header::read(stamp).unwrap();
        assert_eq!(read.validation, Validation::Timestamp { mtime: 0x201, size: 3 });
    }

    #[test]
    fn what_no_interpreter_takes_is_none() {
        for bytes in [
            &b""[..],
            b"\xa7\x0d\x0d\x0a\0\0\0\0\x01\x02\0\0\x03\0\0",
            // Flags that are not defined, and "check the source" without a hash.
            b"\xa7\x0d\x0d\x0a\x04\0\0\0\0\0\0\0\0\0\0\0",
            b"\xa7\x0d\x0d\x0a\x02\0\0\0\0\0\0\0\0\0\0\0",
            // Python 3.6, and another ending.
            b"\x33\x0d\x0d\x0a\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xa7\x0d\x0a\x0a\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(Header::read(bytes), None, "{bytes:?}");
        }
    }
}
