//! The files that findings point to, and where their lines begin. Reads through the function it is given.

use super::SourceText;
use crate::source::{LineIndex, ProjectPath};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The file that was asked for last; findings of one file stand together.
pub(super) struct Sources<'a> {
    read: SourceText<'a>,
    last: Option<(ProjectPath, Option<Source>)>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(read: SourceText<'a>) -> Self {
        Self { read, last: None }
    }

    pub(super) fn get(&mut self, path: &ProjectPath) -> Option<&Source> {
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            self.last = Some((path.clone(), (self.read)(path).map(Source::new)));
        }
        self.last.as_ref().and_then(|(_, source)| source.as_ref())
    }
}

/// A file as it is on disk.
pub(super) struct Source {
    text: String,
    lines: LineIndex,
}

/// A place between two characters. All count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    /// In characters; a byte order mark is none.
    pub(super) column: u32,
    /// In bytes of the line as it is on disk.
    pub(super) byte_column: u32,
}

impl Source {
    fn new(text: String) -> Self {
        let lines = LineIndex::new(&text);
        Self { text, lines }
    }

    /// The text of a line, counted from 1, without byte order mark and line end.
    pub(super) fn line(&self, line: u32) -> Option<&str> {
        let text = self.lines.text_of_line(&self.text, line)?;
        Some(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
    }

    /// The text between two bytes; `None` where there is none.
    pub(super) fn slice(&self, start: u32, end: u32) -> Option<&str> {
        self.text.get(start as usize..end as usize)
    }

    /// Where a byte of the file is.
    pub(super) fn position(&self, offset: u32) -> Position {
        let (line, column) = self.lines.line_column(&self.text, offset);
        let start = self.text.get(..offset as usize).and_then(|before| before.rfind('\n'));
        let start = start.map_or(0, |newline| newline as u32 + 1);
        let mark = u32::from(line == 1 && offset > 0 && self.text.starts_with(BYTE_ORDER_MARK));
        Position { line, column: column - mark, byte_column: offset - start + 1 }
    }

    /// The column in bytes of a column in characters; the same where the line is not there.
    pub(super) fn byte_column(&self, line: u32, column: u32) -> u32 {
        let Some(text) = self.line(line) else { return column };
        let has_mark = line == 1 && self.text.starts_with(BYTE_ORDER_MARK);
        let mark = if has_mark { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let mut offsets = text.char_indices().map(|(at, _)| at);
        let at = offsets.nth(column.saturating_sub(1) as usize).unwrap_or(text.len());
        (at + mark) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_bytes_are_counted_apart() {
        let source = Source::new("\u{feff}aé\r\né:x\n".to_owned());
        let position = |line, column, byte_column| Position { line, column, byte_column };
        assert_eq!(source.position(0), position(1, 1, 1));
        assert_eq!(source.position(4), position(1, 2, 5));
        assert_eq!(source.position(11), position(2, 3, 4));
        assert_eq!(source.position(13), position(3, 1, 1));
        assert_eq!(source.line(1), Some("aé"));
        assert_eq!((source.byte_column(1, 3), source.byte_column(2, 2)), (7, 3));
        assert_eq!((source.byte_column(2, 99), source.byte_column(9, 4)), (5, 4));
    }
}
