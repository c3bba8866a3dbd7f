//! Changes of files as bytes. Pure values; touches nothing.

use crate::source::{ProjectPath, Span};

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileChange {
    /// The file.
    pub path: ProjectPath,
    /// What it held when it was analysed.
    pub before: Vec<u8>,
    /// What it is to hold; `None` if it is to be deleted.
    pub after: Option<Vec<u8>>,
}

/// The bytes of `span` become `replacement`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextEdit {
    /// Bytes of the file as it was analysed.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// Two edits that overlap, so that they cannot both be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap(pub TextEdit, pub TextEdit);

/// Makes the edits, which may come in any order. The same edit twice is made once.
///
/// Fails if two different edits overlap, or insert at the same place.
pub fn apply(text: &str, edits: &[TextEdit]) -> Result<String, Overlap> {
    let mut edits: Vec<&TextEdit> = edits.iter().collect();
    edits.sort();
    edits.dedup();
    for pair in edits.windows(2) {
        let (one, other) = (pair[0].span, pair[1].span);
        // What is put in where something goes stands before it.
        let both_insert = one == other && one.start == one.end;
        if one.end > other.start || both_insert {
            return Err(Overlap(pair[0].clone(), pair[1].clone()));
        }
    }
    let mut changed = String::with_capacity(text.len());
    let mut copied = 0;
    for edit in edits {
        changed.push_str(&text[copied..edit.span.start as usize]);
        changed.push_str(&edit.replacement);
        copied = edit.span.end as usize;
    }
    changed.push_str(&text[copied..]);
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: u32, end: u32, replacement: &str) -> TextEdit {
        TextEdit { span: Span::new(start, end), replacement: replacement.to_owned() }
    }

    #[test]
    fn edits_are_made_in_any_order_and_once() {
        let edits = [edit(4, 5, "E"), edit(0, 1, ""), edit(4, 5, "E"), edit(2, 2, "-")];
        assert_eq!(apply("abcdef", &edits), Ok("b-cdEf".to_owned()));
    }

    #[test]
    fn edits_that_overlap_are_refused() {
        assert!(apply("abcdef", &[edit(0, 3, ""), edit(2, 4, "")]).is_err());
        assert!(apply("abcdef", &[edit(2, 2, "x"), edit(2, 2, "y")]).is_err());
    }
}
