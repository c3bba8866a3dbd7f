//! Invisible marks that carry a literal's identity through evaluation. Pure text; touches nothing.
//!
//! A mark is put before the closing quote of a string literal. It survives list concatenation, loops, dictionaries,
//! `str.replace` and `+`, so that every dependency an evaluation produces names the literal it came from. Code that
//! compares or slices strings can see marks, which is why a marked evaluation only counts where it agrees with a plain one.

use super::parse::Literal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// Names one string literal of one file of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// `text` without marks, and the literals that they name, each with the offset in the result at which its mark stood.
pub(super) fn split(text: &str) -> (String, Vec<(u32, LiteralId)>) {
    let mut plain = String::with_capacity(text.len());
    let mut marks = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        plain.push_str(before);
        let Some((mark, tail)) = after.split_once(CLOSE) else {
            // A slice cut the mark in two: what is left of it belongs to no literal.
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            continue;
        };
        marks.extend(parse(mark).map(|literal| (plain.len() as u32, literal)));
        rest = tail;
    }
    plain.push_str(rest);
    (plain, marks)
}

fn parse(mark: &str) -> Option<LiteralId> {
    let (file, index) = mark.split_once('.')?;
    Some(LiteralId { file: file.parse().ok()?, index: index.parse().ok()? })
}

/// Where marks were inserted into a text.
#[derive(Debug, Default)]
pub(super) struct Insertions(Vec<Insertion>);

#[derive(Debug)]
struct Insertion {
    /// The offset in the text.
    at: u32,
    /// How many bytes of marks stand before it.
    before: u32,
    /// The same with its own.
    after: u32,
}

impl Insertions {
    /// Puts its mark into each literal of `text`.
    pub(super) fn of(text: &str, literals: &[Literal], file: u32) -> (String, Self) {
        let mut marked = String::with_capacity(text.len() + literals.len() * 12);
        let mut insertions = Vec::with_capacity(literals.len());
        let mut copied = 0;
        for (index, literal) in literals.iter().enumerate() {
            let written = &text[literal.span.range()];
            let is_triple = written.ends_with("\"\"\"") || written.ends_with("'''");
            let at = literal.span.end as usize - if is_triple { 3 } else { 1 };
            marked.push_str(&text[copied..at]);
            let before = (marked.len() - at) as u32;
            marked.push_str(&LiteralId { file, index: index as u32 }.mark());
            let after = (marked.len() - at) as u32;
            insertions.push(Insertion { at: at as u32, before, after });
            copied = at;
        }
        marked.push_str(&text[copied..]);
        (marked, Self(insertions))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The offset in the marked text of an offset in the text.
    pub(super) fn mark(&self, offset: usize) -> usize {
        let count = self.0.partition_point(|insertion| (insertion.at as usize) < offset);
        offset + self.0[..count].last().map_or(0, |last| last.after as usize)
    }

    /// The offset in the text of an offset in the marked text.
    pub(super) fn unmark(&self, offset: u32) -> u32 {
        let count = self.0.partition_point(|insertion| insertion.at + insertion.before < offset);
        let Some(last) = self.0[..count].last() else { return offset };
        // An offset within a mark is that of the mark.
        (offset - last.after.min(offset)).max(last.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_and_name_their_literal() {
        let id = LiteralId { file: 3, index: 14 };
        let marked = format!("//a:b{}_static", id.mark());
        assert_eq!(split(&marked), ("//a:b_static".to_owned(), vec![(5, id)]));
        assert_eq!(strip("//a:b"), "//a:b");
    }

    #[test]
    fn half_a_mark_is_dropped() {
        let cut = format!("a{OPEN}12");
        assert_eq!(split(&cut), ("a".to_owned(), Vec::new()));
    }
}
