//! Lines of CODEOWNERS that speak of nothing but files that go. Pure functions of text.

use crate::source::ProjectPath;
use std::collections::BTreeSet;

/// Where the file may lie; the first that is there counts. The first three are GitHub's, in its order, the last is GitLab's.
pub const LOCATIONS: [&str; 4] =
    [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The text without lines whose pattern is the path of one of these files; `None` if there is no such line.
pub(super) fn without(text: &str, gone: &BTreeSet<&ProjectPath>) -> Option<String> {
    let speaks_of_gone = |line: &str| {
        let pattern = line.split_whitespace().next().unwrap_or("");
        // Without a slash it means files of that name in any directory.
        let path = pattern.contains('/').then(|| pattern.trim_start_matches('/'));
        path.is_some_and(|path| gone.iter().any(|gone| gone.as_str() == path))
    };
    let kept: String = text.split_inclusive('\n').filter(|line| !speaks_of_gone(line)).collect();
    (kept.len() < text.len()).then_some(kept)
}
