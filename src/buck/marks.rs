//! Invisible marks that carry a literal's identity through evaluation. Pure text; touches nothing.
//!
//! A mark is put before the closing quote of a string literal. It survives list concatenation, loops, dictionaries,
//! `str.replace` and `+`, so that every dependency an evaluation produces names the literal it came from. Code that
//! compares or slices strings can see marks, which is why a marked evaluation only counts where it agrees with a plain one.

use std::borrow::Cow;

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// Names one string literal of one file of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LiteralId {
    /// Which file, as an index into [`super::Evaluation::files`].
    pub file: u32,
    /// Which literal of the file, in source order.
    pub index: u32,
}

impl LiteralId {
    /// The mark to put into the source text.
    pub(super) fn mark(self) -> String {
        format!("{OPEN}{}.{}{CLOSE}", self.file, self.index)
    }
}

/// `text` without marks.
pub(super) fn strip(text: &str) -> Cow<'_, str> {
    if text.contains(OPEN) { Cow::Owned(split(text).0) } else { Cow::Borrowed(text) }
}

/// `text` without marks, and the literal that its first mark names.
pub(super) fn split(text: &str) -> (String, Option<LiteralId>) {
    let mut plain = String::with_capacity(text.len());
    let mut first = None;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        plain.push_str(before);
        let Some((mark, tail)) = after.split_once(CLOSE) else {
            // A slice cut the mark in two: what is left of it belongs to no literal.
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            continue;
        };
        first = first.or_else(|| parse(mark));
        rest = tail;
    }
    plain.push_str(rest);
    (plain, first)
}

fn parse(mark: &str) -> Option<LiteralId> {
    let (file, index) = mark.split_once('.')?;
    Some(LiteralId { file: file.parse().ok()?, index: index.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_and_name_their_literal() {
        let id = LiteralId { file: 3, index: 14 };
        let marked = format!("//a:b{}_static", id.mark());
        assert_eq!(split(&marked), ("//a:b_static".to_owned(), Some(id)));
        assert_eq!(strip("//a:b"), "//a:b");
    }

    #[test]
    fn half_a_mark_is_dropped() {
        let cut = format!("a{OPEN}12");
        assert_eq!(split(&cut), ("a".to_owned(), None));
    }
}
