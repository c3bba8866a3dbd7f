//! Executables as bundles: what goes into one, what stays out, what it starts, what its name stands for, and who says so.
//! Reads the trees that are packed; writes only a scratch directory for bytecode.
//!
//! Whoever pushes goes this way, and `cas::pack` does the rest:
//!
//! 1. Entries: a directory is listed by `cas::pack::walk` with [`ignore::Ignore`] to skip what is left out; a target of the
//!    graph is laid out by [`target::lay_out`].
//! 2. [`pyc::compile`], if an interpreter was named.
//! 3. [`prepare`] hangs on each file what is done to it on its way: bytecode in one form, the guard against secrets. Neither is
//!    done again for a file that does not change.
//! 4. [`record::Record`] is what the name stands for, with its [`entry::EntryPoint`] and, by [`sign`], a signature.

pub mod entry;
pub mod ignore;
pub mod pyc;
pub mod record;
pub mod secrets;
pub mod sign;
pub mod target;

use crate::cas::pack::{SourceEntry, SourceNode};
use crate::error::Result;

/// Has bytecode normalized and, if there is a guard, files looked into while the entries are packed.
///
/// # Errors
/// The guard knows a file for a secret by its name.
pub fn prepare(entries: &mut Vec<SourceEntry>, guard: Option<&secrets::Guard>) -> Result<()> {
    // A cache of bytecode is there if something is in it.
    let is_cache = |path: &str| path == "__pycache__" || path.ends_with("/__pycache__");
    entries.retain(|entry| !(matches!(entry.node, SourceNode::Directory) && is_cache(&entry.path)));
    pyc::attach(entries);
    guard.map_or(Ok(()), |guard| guard.attach(entries))
}
