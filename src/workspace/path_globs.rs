//! Globs over project paths, as `secateur.toml` has them. Pure; touches nothing.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::source::ProjectPath;

/// Patterns anchored at the project root; `*` stays within a directory, `**` does not.
#[derive(Clone, Default)]
pub struct PathGlobs {
    patterns: Vec<String>,
    set: GlobSet,
}

/// What was compiled says nothing more.
impl fmt::Debug for PathGlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.patterns.fmt(f)
    }
}

impl PathGlobs {
    /// Compiles patterns; the error says which is no glob.
    pub fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
        }
        let set = set.build()?;
        Ok(Self { patterns, set })
    }

    /// The program's own patterns; a test holds that they compile.
    pub(super) fn of_static(patterns: &[&str]) -> Self {
        let patterns = patterns.iter().map(|pattern| (*pattern).to_owned());
        Self::new(patterns.collect()).unwrap_or_default()
    }

    /// The patterns as written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a pattern matches the file.
    pub fn matches(&self, path: &ProjectPath) -> bool {
        !self.set.is_empty() && self.set.is_match(path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_and_stars_stay_within_a_directory() {
        let globs = PathGlobs::of_static(&["*.toml", "**/*.sh", "third_party/**"]);
        for path in ["a.toml", "x.sh", "a/b/x.sh", "third_party/a/b"] {
            assert!(globs.matches(&ProjectPath::new(path)), "{path}");
        }
        for path in ["a/b.toml", "x.sha", "a/third_party/b"] {
            assert!(!globs.matches(&ProjectPath::new(path)), "{path}");
        }
    }
}
