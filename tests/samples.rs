//! The sample repositories give exactly the findings that stand in their `expected.txt`.

use crate::situations::{difference, lint, show};
use crate::support::repository;
use std::collections::BTreeSet;

fn check(sample: &str) {
    let root = repository().join("sample-repos").join(sample);
    let expected = std::fs::read_to_string(root.join("expected.txt")).unwrap();
    let expected: BTreeSet<String> = expected
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let found = lint(&root).findings.iter().map(show).collect();
    let difference = difference(&expected, &found);
    assert!(difference.is_empty(), "\n{difference}");
}

#[test]
fn ml_monorepo_gives_its_findings() {
    check("ml-monorepo");
}

#[test]
fn fbcode_export_gives_its_findings() {
    check("fbcode-export");
}
