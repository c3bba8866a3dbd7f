//! Changes of the user's files: fixes as text, their proof, and how they are written and taken back. Only `apply`,
//! `undo` and `records` write, through `disk`.

mod apply;
mod cascade;
mod change;
mod codeowners;
mod combine;
mod comment;
mod disk;
mod expect;
mod file;
mod journal;
mod keep;
mod offer;
mod plan;
mod prove;
mod read_back;
mod records;
mod refusal;
mod sequence;
mod spelling;
mod switch;
mod undo;

pub use apply::{BatchInfo, apply};
pub use cascade::{Cascade, Wanted, cascade, changes};
pub use change::{FileChange, Overlap, TextEdit, apply as apply_text};
pub use codeowners::LOCATIONS as CODEOWNERS;
pub use combine::Combined;
pub use journal::{Batch, BatchId, BatchState, batches};
pub use offer::offers;
pub use prove::{Contents, Prover};
pub use records::{Records, RecordsLock, read_record};
pub use refusal::{ApplyError, Reason, Refused};
pub use undo::{finish, undo};
