//! secateur reads the build files of a Buck2 repository and the imports of its Python sources into one graph, and finds
//! what the graph does not need: unused dependencies, dead modules, dead targets, each with evidence.
//!
//! Data flows through the rooms below in this order, and a room may use only those before it; `tests/tidy.rs` holds the
//! whole table.
//!
//! | room | holds |
//! |---|---|
//! | [`label`], [`source`], [`digest`], [`error`], [`progress`] | the words that everybody uses |
//! | [`cache`] | values by digest, kept between runs |
//! | [`workspace`] | project root, cells, `.buckconfig`, `secateur.toml`, the tree of files |
//! | [`buck`] | build files, evaluated: targets, and the literal each dependency was written as |
//! | [`python`] | facts of one source: imports, dynamic loads, strings, comments |
//! | [`graph`] | targets, modules, owners and uses in one graph |
//! | [`finding`] | what a check says |
//! | [`checks`] | one check a file |
//! | [`cost`] | what each dependency costs, and what a change saves |
//! | [`codemod`] | fixes in batches: owners, patches, scripts, which of them break a build |
//! | [`cas`] | content-addressed store, manifests, materialized trees, any Remote Execution API server |
//! | [`bundle`] | executables as bundles: what goes in, what it starts, what a name stands for |
//! | [`report`] | one format a file |
//! | [`cli`] | arguments, subcommands, exit codes |
//!
//! Below [`cli`] nothing prints, reads the environment, or knows the clock. What cannot be told is a value: it lowers
//! confidence and never counts as unused.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests make files and fail loudly"
    )
)]

pub mod buck;
pub mod bundle;
pub mod cache;
pub mod cas;
pub mod checks;
pub mod cli;
pub mod codemod;
pub mod cost;
mod depth;
pub mod digest;
pub mod edits;
pub mod error;
pub mod finding;
pub mod graph;
pub mod label;
pub mod progress;
pub mod python;
pub mod report;
pub mod since;
pub mod source;
mod suggestion;
pub mod tui;
pub mod workspace;
