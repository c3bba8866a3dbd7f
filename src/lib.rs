//! crate
pub mod buck;
pub mod error;
pub mod label;
pub mod progress;
pub mod source;
pub mod workspace;
