//! Manifests: Merkle trees of directories, their encoding, limits and differences. Pure; reads through [`Directories`].

mod diff;
mod directory;
mod limits;
mod manifest;
mod name;

pub use diff::{Change, Difference, diff};
pub use directory::{Directory, DirectoryNode, FileNode, MAX_DIRECTORY_BYTES, SymlinkNode};
pub(crate) use directory::{digest_of, message_of};
pub use limits::{Limits, LinkPolicy};
pub use manifest::{Directories, Entry, Manifest, Totals};
pub(crate) use manifest::{entries_of, join};
pub use name::{Name, Refusal, leads_outside};
