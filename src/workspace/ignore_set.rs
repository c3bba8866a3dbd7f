//! `[project] ignore`: which paths of a cell do not exist for Buck2. Pure; touches nothing.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The ignored paths of one cell, after `buck2_common::ignores::ignore_set`.
#[derive(Clone, Debug, Default)]
pub(super) struct IgnoreSet {
    /// Paths from the cell's root; what lies below them is ignored too.
    paths: Vec<String>,
    globs: GlobSet,
}

impl IgnoreSet {
    /// Reads the comma-separated list. The messages are for patterns that are no globs; they are left out.
    pub(super) fn parse(list: &str, is_root_cell: bool) -> (Self, Vec<String>) {
        let mut set = Self::default();
        let mut globs = GlobSetBuilder::new();
        let mut messages = Vec::new();
        if is_root_cell {
            set.paths.push("buck-out".to_owned());
        }
        for pattern in list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            let pattern = pattern.trim_end_matches('/');
            if !pattern.contains(['*', '?', '{', '[']) {
                set.paths.push(pattern.to_owned());
                continue;
            }
            match GlobBuilder::new(pattern).literal_separator(true).build() {
                Ok(glob) => {
                    globs.add(glob);
                }
                Err(error) => messages.push(error.to_string()),
            }
        }
        match globs.build() {
            Ok(globs) => set.globs = globs,
            Err(error) => messages.push(error.to_string()),
        }
        (set, messages)
    }

    /// Whether `path`, relative to the cell's root, is ignored.
    pub(super) fn matches(&self, path: &str) -> bool {
        let is_below = |dir: &String| {
            path.strip_prefix(dir.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths.iter().any(is_below) || (!self.globs.is_empty() && self.globs.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_buck2() {
        let list = "**/*.java , some/dir/**, one/*, \n    recursive, trailing/,, .git";
        let (set, messages) = IgnoreSet::parse(list, true);
        assert_eq!(messages, [""; 0]);
        let ignored = [
            "some/long/path/Class.java",
            "some/dir/x",
            "one/two",
            "recursive",
            "recursive/two/three",
            "trailing/BUCK",
            "buck-out/gen/x",
            ".git/config",
        ];
        for path in ignored {
            assert!(set.matches(path), "{path}");
        }
        for path in ["one/two/three", "recursively", "a/recursive", "a/.git", "some/dir"] {
            assert!(!set.matches(path), "{path}");
        }
    }

    #[test]
    fn only_the_root_cell_ignores_buck_out() {
        assert!(!IgnoreSet::parse("", false).0.matches("buck-out/x"));
    }

    #[test]
    fn a_broken_glob_is_told_and_the_rest_holds() {
        let (set, messages) = IgnoreSet::parse("a[, b", false);
        assert_eq!(messages.len(), 1);
        assert!(set.matches("b/c"));
    }
}
