//! What may stand in a directory of a bundle: names, link targets, and the reasons why others may not. Pure values; touches nothing.

use std::fmt;
use std::sync::Arc;

/// The name of a file, directory or link in its directory: one path segment that every system can hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// Bytes of the longest name that file systems take.
    pub const MAX_BYTES: usize = 255;

    /// Checks that a text is one path segment.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let refuse = |reason| Err(Refusal::Name { name: text.to_owned(), reason });
        match text {
            "" => refuse("is empty"),
            "." | ".." => refuse("leads elsewhere"),
            _ if text.contains('/') => refuse("has a slash"),
            _ if text.contains('\0') => refuse("has a NUL byte"),
            _ if text.len() > Self::MAX_BYTES => refuse("has more than 255 bytes"),
            _ => Ok(Self(Arc::from(text))),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes of the longest link target that file systems take.
const MAX_TARGET_BYTES: usize = 4095;

/// Checks that a text can be the target of a symbolic link at all.
pub(super) fn check_target(name: &str, target: &str) -> Result<(), Refusal> {
    let refuse =
        |reason| Err(Refusal::Link { name: name.to_owned(), target: target.to_owned(), reason });
    match target {
        "" => refuse("has no target"),
        _ if target.contains('\0') => refuse("has a NUL byte in its target"),
        _ if target.len() > MAX_TARGET_BYTES => refuse("has a target of more than 4095 bytes"),
        _ => Ok(()),
    }
}

/// Whether a link that lies `depth` directories below the root of its tree leads out of it, read without looking at the
/// disk: absolute, or with more `..` than directories at some point.
pub fn leads_outside(target: &str, depth: usize) -> bool {
    let mut depth = depth;
    target.starts_with('/')
        || target.split('/').any(|segment| match segment {
            "" | "." => false,
            ".." if depth == 0 => true,
            ".." => {
                depth -= 1;
                false
            }
            _ => {
                depth += 1;
                false
            }
        })
}

/// Why a manifest is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A name is no path segment.
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A link cannot be made, or leads out of the tree.
    Link {
        /// The link's name.
        name: String,
        /// Where it leads.
        target: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two entries of a directory have one name.
    Duplicate(String),
    /// Two entries of a directory differ in case only, which some file systems cannot hold.
    CaseCollision(String, String),
    /// Entries are not in the order of their bytes.
    Unsorted(String),
    /// A digest is not 64 hexadecimal digits and a size.
    Digest(String),
    /// The bytes are no `Directory` message.
    Malformed(String),
    /// The bytes are a `Directory` message, but not in the one form that its digest may name.
    NotCanonical,
    /// The message has properties that bundles don't carry: times, modes, owners.
    Properties(String),
    /// A directory's own bytes are more than anybody writes.
    TooLarge {
        /// What it says its size is.
        size: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// The tree has more entries than are taken.
    TooManyEntries(u64),
    /// The tree is deeper than is taken.
    TooDeep(usize),
    /// The files of the tree are larger than is taken, together.
    TooManyBytes(u64),
    /// A directory contains itself.
    Cycle(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, reason } => write!(f, "the name {name:?} {reason}"),
            Self::Link { name, target, reason } => {
                write!(f, "the link {name:?} to {target:?} {reason}")
            }
            Self::Duplicate(name) => write!(f, "the name {name:?} is there twice"),
            Self::CaseCollision(one, other) => {
                write!(f, "{one:?} and {other:?} differ in case only")
            }
            Self::Unsorted(name) => write!(f, "the name {name:?} is out of order"),
            Self::Digest(text) => write!(f, "{text:?} is no digest"),
            Self::Malformed(error) => write!(f, "it is no directory: {error}"),
            Self::NotCanonical => f.write_str("it is not in canonical form"),
            Self::Properties(name) => {
                write!(f, "{name:?} has properties, which bundles don't carry")
            }
            Self::TooLarge { size, limit } => {
                write!(f, "a directory of {size} bytes is above the limit of {limit}")
            }
            Self::TooManyEntries(limit) => write!(f, "it has more than {limit} entries"),
            Self::TooDeep(limit) => write!(f, "it is more than {limit} directories deep"),
            Self::TooManyBytes(limit) => write!(f, "its files have more than {limit} bytes"),
            Self::Cycle(path) => write!(f, "the directory {path:?} contains itself"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment() {
        let long = "x".repeat(256);
        for name in ["", ".", "..", "a/b", "/", "a\0", &long] {
            assert!(Name::new(name).is_err(), "{name:?}");
        }
        for name in ["a", "...", "-", "ä", ".hidden", "a b", &long[1..]] {
            assert_eq!(Name::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn links_lead_outside_by_their_text() {
        for (target, depth, outside) in [
            ("/etc/passwd", 3, true),
            ("..", 0, true),
            ("..", 1, false),
            ("a/../../b", 0, true),
            ("a/../b", 0, false),
            ("../x/../../y", 1, true),
            ("./a//b", 0, false),
        ] {
            assert_eq!(leads_outside(target, depth), outside, "{target} at {depth}");
        }
    }
}
