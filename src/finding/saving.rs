//! What a change saves, as a value. Pure; touches nothing.

use super::size::Size;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// What a change saves over all roots. Shows as `saves 12 targets in 3 programs, 48 kB; 17 rebuilds in the last 500 commits`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Saving {
    /// Roots whose closure shrinks: programs, tests, and targets that nothing depends on.
    pub roots: usize,
    /// Of these, programs and tests.
    pub programs: usize,
    /// Targets that leave the closure of at least one root.
    pub targets: usize,
    /// Pairs of a root and a target that leaves its closure.
    pub target_roots: usize,
    /// Targets that no root reaches any more.
    pub unreached: usize,
    /// Source files that leave the closure of at least one root.
    pub sources: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Bytes that leave a closure, summed over the roots.
    pub byte_roots: u64,
    /// Pairs of a root and a target that enters its closure.
    pub entered: usize,
    /// What it would have saved lately; null without a history.
    pub rebuilds: Option<Rebuilds>,
}

/// Builds that recent commits would not have caused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rebuilds {
    /// Pairs of a commit and a root, such that the commit changed a file in the root's closure before the change, and none
    /// after it.
    pub avoided: usize,
    /// The commits that were looked at.
    pub commits: usize,
}

impl fmt::Display for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.targets, self.sources) {
            (0, 0) => f.write_str("saves nothing: other ways lead to all of it")?,
            (0, sources) => write!(f, "saves {}", count(sources, "source"))?,
            (targets, _) => write!(f, "saves {}", count(targets, "target"))?,
        }
        if self.roots > 0 {
            let what = if self.programs == self.roots { "program" } else { "root" };
            write!(f, " in {}, {}", count(self.roots, what), Size(self.bytes))?;
        }
        if self.entered > 0 {
            write!(f, "; adds {} to closures", count(self.entered, "target"))?;
        }
        match self.rebuilds {
            Some(Rebuilds { avoided, commits }) if avoided > 0 => {
                let last =
                    if commits == 1 { "commit".to_owned() } else { format!("{commits} commits") };
                write!(f, "; {} in the last {last}", count(avoided, "rebuild"))
            }
            _ => Ok(()),
        }
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
