//! Where a setting's value came from. Pure; touches nothing.

use crate::source::ProjectPath;

/// The source of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of `secateur.toml`, counted from 1.
    File {
        /// The file.
        path: ProjectPath,
        /// The line.
        line: u32,
    },
    /// A `--config` option.
    CommandLine,
    /// The preset named by `[project] preset`.
    Preset,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::CommandLine => f.write_str("command line"),
            Self::Preset => f.write_str("preset"),
        }
    }
}

/// One setting as `secateur config --show-origin` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OriginRow {
    /// The dotted key.
    pub(super) key: String,
    /// The value as TOML.
    pub(super) value: String,
    /// Where it came from.
    pub(super) origin: Origin,
}
