//! Bytes of a Python file to text: BOM, PEP 263 cookies, invalid bytes. Pure functions; touches nothing.

use std::borrow::Cow;

use ruff_text_size::TextRange;

use super::facts::FactProblem;
use crate::source::{LineIndex, ProblemKind, Span};

/// Decoded text, with the way back to the original bytes.
pub(super) struct Source<'b> {
    /// The text. A byte order mark stays in it; NUL became a space.
    pub text: Cow<'b, str>,
    /// Line starts of the text.
    pub lines: LineIndex,
    /// What could not be decoded.
    pub problems: Vec<FactProblem>,
    /// For each character that is longer in the text than in the file: where it ends in the text,
    /// and by how many bytes the text is ahead from there on.
    ahead: Vec<(u32, u32)>,
}

impl<'b> Source<'b> {
    /// Wraps text that is its own original.
    pub(super) fn from_text(text: Cow<'b, str>) -> Self {
        let lines = LineIndex::new(&text);
        Self { text, lines, problems: Vec::new(), ahead: Vec::new() }
    }

    /// Decodes as Python would: UTF-8 unless a cookie in the first two lines says otherwise.
    pub(super) fn decode(bytes: &'b [u8]) -> Self {
        let mut source = match encoding(bytes) {
            Encoding::Utf8 => Self::utf8(bytes, None),
            Encoding::Single(table) => Self::single_byte(bytes, table),
            Encoding::Unknown(name) => {
                Self::utf8(bytes, Some(format!("unsupported encoding {name:?}, read as UTF-8")))
            }
        };
        source.replace_nul();
        source
    }

    fn utf8(bytes: &'b [u8], trouble: Option<String>) -> Self {
        let mut source = match std::str::from_utf8(bytes) {
            Ok(text) => Self::from_text(Cow::Borrowed(text)),
            Err(_) => Self::lossy(bytes),
        };
        if let Some(message) = trouble {
            source.problem(1, message);
        }
        source
    }

    fn lossy(bytes: &'b [u8]) -> Self {
        let mut text = String::with_capacity(bytes.len() + 16);
        let mut ahead = Ahead::default();
        let mut first_bad = None;
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                first_bad.get_or_insert(text.len() as u32);
                text.push(char::REPLACEMENT_CHARACTER);
                let grown = char::REPLACEMENT_CHARACTER.len_utf8() - chunk.invalid().len();
                ahead.grow(text.len(), grown);
            }
        }
        let mut source = Self::from_text(Cow::Owned(text));
        source.ahead = ahead.0;
        let line = source.lines.line(first_bad.unwrap_or(0));
        source.problem(line, "invalid UTF-8".to_owned());
        source
    }

    fn single_byte(bytes: &'b [u8], table: fn(u8) -> char) -> Self {
        let mut text = String::with_capacity(bytes.len() + 16);
        let mut ahead = Ahead::default();
        for &byte in bytes {
            let decoded = table(byte);
            text.push(decoded);
            ahead.grow(text.len(), decoded.len_utf8() - 1);
        }
        Self { ahead: ahead.0, ..Self::from_text(Cow::Owned(text)) }
    }

    fn replace_nul(&mut self) {
        if let Some(at) = memchr::memchr(0, self.text.as_bytes()) {
            let line = self.lines.line(at as u32);
            self.problem(line, "NUL byte in source".to_owned());
            self.text = Cow::Owned(self.text.replace('\0', " "));
        }
    }

    fn problem(&mut self, line: u32, message: String) {
        self.problems.push(FactProblem { line, kind: ProblemKind::Unreadable, message });
    }

    /// The original bytes of a range of the text.
    pub(super) fn span(&self, range: TextRange) -> Span {
        Span::new(self.original(range.start().to_u32()), self.original(range.end().to_u32()))
    }

    fn original(&self, offset: u32) -> u32 {
        let passed = self.ahead.partition_point(|&(end, _)| end <= offset);
        let grown = passed.checked_sub(1).and_then(|last| self.ahead.get(last));
        offset - grown.map_or(0, |&(_, grown)| grown)
    }

    /// The way back: where an original offset lies in the text.
    pub(super) fn decoded(&self, original: u32) -> u32 {
        let passed = self.ahead.partition_point(|&(end, grown)| end - grown <= original);
        let grown = passed.checked_sub(1).and_then(|last| self.ahead.get(last));
        original + grown.map_or(0, |&(_, grown)| grown)
    }

    /// The text of a range; empty if the range is not one of this text.
    pub(super) fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or("")
    }
}

#[derive(Default)]
struct Ahead(Vec<(u32, u32)>);

impl Ahead {
    fn grow(&mut self, end: usize, by: usize) {
        if by > 0 {
            let before = self.0.last().map_or(0, |&(_, grown)| grown);
            self.0.push((end as u32, before + by as u32));
        }
    }
}

enum Encoding {
    Utf8,
    Single(fn(u8) -> char),
    Unknown(String),
}

/// PEP 263: a BOM means UTF-8, whatever the cookie says.
fn encoding(bytes: &[u8]) -> Encoding {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Encoding::Utf8;
    }
    let Some(name) = cookie(bytes) else { return Encoding::Utf8 };
    match name.to_ascii_lowercase().replace(['_', ' '], "-").as_str() {
        "utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii" | "u8" => Encoding::Utf8,
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "cp819" => {
            Encoding::Single(char::from)
        }
        "iso-8859-15" | "latin-9" | "latin9" => Encoding::Single(latin9),
        "cp1252" | "windows-1252" => Encoding::Single(cp1252),
        name if name.starts_with("utf-8-") || name.starts_with("latin-1-") => Encoding::Utf8,
        _ => Encoding::Unknown(name),
    }
}

fn cookie(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes.get(..bytes.len().min(1024))?.split(|&byte| byte == b'\n');
    let first = lines.next()?;
    cookie_of_line(first).or_else(|| {
        // Only a blank or comment line may stand above the cookie.
        let first = first.trim_ascii();
        (first.is_empty() || first.starts_with(b"#")).then(|| cookie_of_line(lines.next()?))?
    })
}

fn cookie_of_line(line: &[u8]) -> Option<String> {
    if !line.trim_ascii_start().starts_with(b"#") {
        return None;
    }
    let at = memchr::memmem::find(line, b"coding")? + "coding".len();
    let rest = line.get(at..)?.strip_prefix(b":").or_else(|| line.get(at..)?.strip_prefix(b"="))?;
    let name: String = rest
        .trim_ascii_start()
        .iter()
        .map(|&byte| char::from(byte))
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect();
    (!name.is_empty()).then_some(name)
}

fn latin9(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        0xa6 => 'Š',
        0xa8 => 'š',
        0xb4 => 'Ž',
        0xb8 => 'ž',
        0xbc => 'Œ',
        0xbd => 'œ',
        0xbe => 'Ÿ',
        _ => char::from(byte),
    }
}

/// Windows-1252; its five unassigned bytes are read as the control characters of Latin-1.
fn cp1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let high = byte.checked_sub(0x80).and_then(|index| HIGH.get(usize::from(index)));
    high.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruff_text_size::TextSize;

    fn span_of(source: &Source<'_>, needle: &str) -> Span {
        let at = source.text.find(needle).unwrap() as u32;
        source.span(TextRange::at(TextSize::new(at), TextSize::new(needle.len() as u32)))
    }

    #[test]
    fn spans_lead_back_to_the_bytes_of_any_encoding() {
        for bytes in [
            &b"# coding: latin-1\n# \xe9\xe8\nimport x\n"[..],
            b"#!/usr/bin/python\n# -*- coding: cp1252 -*-\ns = '\x80'\nimport x\n",
            b"# \xff\xfe\nimport x\n",
            b"\xef\xbb\xbf# \xc3\xa9\nimport x\n",
        ] {
            let source = Source::decode(bytes);
            assert_eq!(&bytes[span_of(&source, "import x").range()], b"import x");
        }
    }

    #[test]
    fn cookies_choose_the_encoding() {
        let source = Source::decode(b"# vim: set fileencoding=cp1252 :\n'\x80'");
        assert!(source.text.contains('€') && source.problems.is_empty());
        assert_eq!(Source::decode(b"x = 'coding: latin-1'\n# \xc3\xa9").problems, []);
        let shift_jis = Source::decode(b"# coding: shift_jis\nimport x");
        assert_eq!(
            shift_jis.problems[0].message,
            "unsupported encoding \"shift_jis\", read as UTF-8"
        );
    }

    #[test]
    fn nul_and_invalid_bytes_are_problems_with_a_line() {
        assert_eq!(Source::decode(b"a\n\0b").problems[0].line, 2);
        assert_eq!(Source::decode(b"a\n\xffb").problems[0].line, 2);
        assert_eq!(Source::decode(b"a\n\0b").text, "a\n b");
    }
}
