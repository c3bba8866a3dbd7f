//! crate
pub mod buck;
pub mod checks;
pub mod error;
pub mod finding;
pub mod graph;
pub mod label;
pub mod progress;
pub mod python;
pub mod source;
pub mod workspace;
pub mod cli;
pub mod report;
