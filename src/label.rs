//! Buck2's names for things: cells, packages and targets. Pure values; touches nothing.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A Buck package: a directory with a build file, named by cell and cell-relative path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageId {
    /// The cell's name (never an alias).
    pub cell: Arc<str>,
    /// `/`-separated path below the cell's root; empty for the root package.
    pub path: Arc<str>,
}

impl PackageId {
    /// Names the package `cell//path`.
    pub fn new(cell: impl Into<Arc<str>>, path: impl Into<Arc<str>>) -> Self {
        Self { cell: cell.into(), path: path.into() }
    }

    /// The label of the target `name` in this package.
    pub fn target(&self, name: impl Into<Arc<str>>) -> Label {
        Label { package: self.clone(), name: name.into() }
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cell)?;
        f.write_str("//")?;
        f.write_str(&self.path)
    }
}

/// A target label without sub-target: `cell//package:name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The package that defines the target.
    pub package: PackageId,
    /// The target's name within its package.
    pub name: Arc<str>,
}

impl Label {
    /// Splits `cell//package:name`; `None` if `text` is not in this full form. The cell of a Bazel repository has no name.
    pub fn parse_full(text: &str) -> Option<Self> {
        let (cell, rest) = text.split_once("//")?;
        let (path, name) = rest.split_once(':')?;
        if name.is_empty() {
            return None;
        }
        Some(PackageId::new(cell, path).target(name))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.fmt(f)?;
        f.write_str(":")?;
        f.write_str(&self.name)
    }
}
