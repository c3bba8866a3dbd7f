//! Changes of the user's files: fixes as text, their proof, and how they are written and taken back. Only `apply` writes.

mod cascade;
mod change;
mod combine;
mod expect;
mod file;
mod offer;
mod prove;
mod sequence;
mod spelling;

pub use cascade::{Cascade, Wanted, cascade};
pub use change::{FileChange, Overlap, TextEdit, apply as apply_text};
pub use combine::Combined;
pub use offer::offers;
pub use prove::{Contents, Prover};
