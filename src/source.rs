//! Places in the user's files: project-relative paths, byte spans, line numbers. Pure values; touches nothing.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A file or directory of the project: `/`-separated, relative to the project root, UTF-8, without `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProjectPath(Arc<str>);

impl ProjectPath {
    /// Wraps a path that is already project-relative and normal.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self(path.into())
    }

    /// The project root itself.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// The path as text; empty for the project root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `self/rest`, with `.` and `..` in `rest` resolved; `None` if it would leave the project.
    pub fn join(&self, rest: &str) -> Option<Self> {
        let mut parts: Vec<&str> = self.0.split('/').filter(|part| !part.is_empty()).collect();
        for part in rest.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                _ => parts.push(part),
            }
        }
        Some(Self(parts.join("/").into()))
    }

    /// The directory that holds this path; `None` for the project root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        Some(match self.0.rsplit_once('/') {
            Some((parent, _)) => Self::new(parent),
            None => Self::root(),
        })
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// The part of this path below `dir`, or `None` if it lies elsewhere.
    pub fn below(&self, dir: &Self) -> Option<&str> {
        if dir.0.is_empty() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(&*dir.0)?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ProjectPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A half-open range of bytes in one file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// As a range that slices text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A span in a named file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub path: ProjectPath,
    /// The bytes.
    pub span: Span,
}

/// Turns byte offsets of one text into lines and columns.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Indexes `text`; a line ends at `\n`, so CRLF files count right.
    pub fn new(text: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes());
        // Lines of code have some thirty characters.
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        starts.push(0);
        starts.extend(newlines.map(|at| at as u32 + 1));
        Self { starts }
    }

    /// The line that holds `offset`, counted from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// Line and column of `offset`, both counted from 1; the column counts characters of `text`.
    pub fn line_column(&self, text: &str, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1] as usize;
        let before = text.get(start..offset as usize).unwrap_or("");
        (line, before.chars().count() as u32 + 1)
    }

    /// The bytes of `line` (counted from 1) without its line end.
    pub fn span_of_line(&self, text: &str, line: u32) -> Span {
        let start = self.starts[line as usize - 1];
        let end = self.starts.get(line as usize).map_or(text.len() as u32, |next| next - 1);
        let end = if text[start as usize..end as usize].ends_with('\r') { end - 1 } else { end };
        Span { start, end }
    }

    /// The text of `line` (counted from 1) without its line end; `None` if there is no such line.
    pub fn text_of_line<'t>(&self, text: &'t str, line: u32) -> Option<&'t str> {
        let start = *self.starts.get(line.checked_sub(1)? as usize)?;
        // After the last line end comes no other line.
        if start as usize == text.len() {
            return None;
        }
        text.get(self.span_of_line(text, line).range())
    }
}

/// Something that could not be read or understood; never fatal, always counted and listable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The file it happened in.
    pub path: ProjectPath,
    /// Line counted from 1, or 0 when the whole file is meant.
    pub line: u32,
    /// What stopped, as the reports group it.
    pub kind: ProblemKind,
    /// What happened, as a lower-case fragment without a full stop.
    pub message: String,
}

impl Problem {
    /// Whether targets or dependencies may be missing because of it. A placeholder for a name or load keeps the rest.
    pub fn costs_targets(&self) -> bool {
        match self.kind {
            ProblemKind::Unreadable
            | ProblemKind::Syntax
            | ProblemKind::Statement
            | ProblemKind::Limit => true,
            ProblemKind::Load | ProblemKind::UnknownName | ProblemKind::Config => false,
        }
    }
}

/// The classes of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProblemKind {
    /// The file could not be read, or is no text.
    Unreadable,
    /// A syntax error.
    Syntax,
    /// A `load` whose file or symbol is not there; placeholders stand in for it.
    Load,
    /// A name that nothing defines; a placeholder stands in for it.
    UnknownName,
    /// A statement that failed when it was evaluated.
    Statement,
    /// A build file, or a file that it loads, was stopped because it ran too long, too deep or too large.
    Limit,
    /// A configuration file with a mistake in it.
    Config,
}

impl ProblemKind {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Syntax => "syntax",
            Self::Load => "load",
            Self::UnknownName => "unknown-name",
            Self::Statement => "statement",
            Self::Limit => "limit",
            Self::Config => "config",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_resolves_dots_and_refuses_to_leave_the_project() {
        let base = ProjectPath::new("a/b");
        assert_eq!(base.join("../c/./d").unwrap().as_str(), "a/c/d");
        assert_eq!(base.join("../..").unwrap(), ProjectPath::root());
        assert_eq!(base.join("../../.."), None);
    }

    #[test]
    fn below_respects_component_boundaries() {
        let path = ProjectPath::new("lib/x.py");
        assert_eq!(path.below(&ProjectPath::new("lib")), Some("x.py"));
        assert_eq!(path.below(&ProjectPath::new("li")), None);
        assert_eq!(path.below(&ProjectPath::root()), Some("lib/x.py"));
    }

    #[test]
    fn lines_count_characters_and_drop_carriage_returns() {
        let text = "a\r\nbé:x\n";
        let index = LineIndex::new(text);
        assert_eq!(index.line_column(text, 6), (2, 3));
        assert_eq!(&text[index.span_of_line(text, 1).range()], "a");
        assert_eq!(index.line(text.len() as u32), 3);
    }
}
