//! What is taken from a manifest that somebody else may have written. Pure values; touches nothing.

use super::name::{Refusal, leads_outside};

/// The most that a tree may have. A manifest of some bytes can expand to any number of paths, since directories are
/// shared: so these are checked by counting before anything is written.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files, directories and links, each time they are there.
    pub entries: u64,
    /// Directories on the way to an entry.
    pub depth: usize,
    /// Bytes of all files, each time they are there.
    pub bytes: u64,
    /// Bytes of the distinct directories' encodings.
    pub manifest_bytes: u64,
    /// Which links are taken.
    pub links: LinkPolicy,
    /// Whether two names of a directory may differ in case only.
    pub allow_case_collisions: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 5_000_000,
            depth: 128,
            bytes: 1 << 40,
            manifest_bytes: 1 << 30,
            links: LinkPolicy::default(),
            allow_case_collisions: true,
        }
    }
}

/// Which symbolic links are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkPolicy {
    /// Those that stay in the tree.
    #[default]
    Inside,
    /// Any.
    Any,
}

impl LinkPolicy {
    /// Refuses a link that lies `depth` directories below the root of its tree, if it leads where it must not.
    pub fn check(self, name: &str, target: &str, depth: usize) -> Result<(), Refusal> {
        if self == Self::Any || !leads_outside(target, depth) {
            return Ok(());
        }
        let reason = "leads out of the bundle";
        Err(Refusal::Link { name: name.to_owned(), target: target.to_owned(), reason })
    }
}
