//! Digests of contents, and of all that a value depends on. Pure values; touches nothing.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// How many bytes it has.
    pub const SIZE: usize = 32;

    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }

    /// A digest that was written down.
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

/// Any part of it is as good as the whole.
impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let part = self.0.first_chunk().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(part));
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from(self.0).to_hex())
    }
}

/// The digest of several parts. Each goes in with its length, so that none runs into the next.
#[derive(Clone, Debug)]
pub struct Parts(blake3::Hasher);

impl Parts {
    /// Begins with what the digest is for: the same parts mean another thing elsewhere.
    pub fn new(purpose: &str) -> Self {
        let mut parts = Self(blake3::Hasher::new());
        parts.add(purpose);
        parts
    }

    /// Adds a part.
    pub fn add(&mut self, part: impl AsRef<[u8]>) -> &mut Self {
        let part = part.as_ref();
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// Adds a digest.
    pub fn add_digest(&mut self, digest: &Digest) -> &mut Self {
        self.add(digest.as_bytes())
    }

    /// Adds a number: how many parts follow, or which of several cases this is.
    pub fn add_number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// The digest of all of them.
    pub fn finish(&self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| {
            let mut all = Parts::new("test");
            parts.iter().for_each(|part| {
                all.add(part);
            });
            all.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }
}
