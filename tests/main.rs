//! All integration tests in one binary: a module a feature, so that they link once.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests make files and fail loudly"
)]

mod apply;
mod bad_input;
mod baseline;
mod buildozer;
mod cache;
mod caf;
mod casd;
mod cli;
mod closure;
mod cost;
mod crash;
mod culprits;
mod determinism;
mod differential;
mod docs;
mod edits;
mod exits;
mod fixes;
mod formats;
mod graph_from;
mod graph_values;
mod hostile;
mod hostile_files;
mod integration;
mod interactive;
mod journey;
mod keeps;
mod mutation;
mod permissions;
mod proofs;
mod samples;
mod sapling;
mod seeded;
mod since;
mod situations;
mod support;
mod suppression;
mod tidy;
mod tui;
mod untracked;
mod verify;

#[test]
fn no_test_file_is_forgotten() {
    let this = include_str!("main.rs");
    for file in support::files_below("tests") {
        let Some(name) = file.strip_prefix("tests/").and_then(|file| file.strip_suffix(".rs"))
        else {
            continue;
        };
        let module = name.strip_suffix("/mod").unwrap_or(name);
        if module != "main" && !module.contains('/') {
            assert!(this.contains(&format!("mod {module};")), "{file} belongs into tests/main.rs");
        }
    }
}
