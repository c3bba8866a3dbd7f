//! From files to a manifest in the store: listed, compared with what is known of them, read where that is needed. Reads
//! the tree that is packed; writes through `store`.

mod entry;

pub use entry::{FileStat, Rewrite, SourceEntry, SourceFile, SourceNode};
