//! The same input gives the same bytes, however many threads read it, and however often.

use crate::situations::{fixtures, unpack};
use crate::support::{repository, secateur};
use std::path::Path;

const COMMANDS: [&str; 4] =
    ["lint --format json", "lint", "graph --of targets", "graph --of modules"];

/// Runs a command once with one thread and compares runs with others.
fn compare(root: &Path, command: &str, threads: &[usize]) {
    let one = secateur(root, &format!("-j 1 {command}"));
    assert_eq!(one.err, "", "{command}");
    for threads in threads {
        let many = secateur(root, &format!("-j {threads} {command}"));
        assert_eq!(one, many, "{command} with {threads} threads in {}", root.display());
    }
}

#[test]
fn samples_give_the_same_at_any_number_of_threads() {
    for sample in ["ml-monorepo", "fbcode-export"] {
        let root = repository().join("sample-repos").join(sample);
        COMMANDS.iter().for_each(|command| compare(&root, command, &[1, 2, 3, 8]));
    }
}

#[test]
fn situations_give_the_same_at_any_number_of_threads() {
    for fixture in fixtures() {
        let (root, _) = unpack(&fixture);
        compare(root.path(), "lint --format json", &[2, 8]);
        compare(root.path(), "graph --of modules", &[8]);
    }
}
