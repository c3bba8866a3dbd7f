//! Changes of files as lines of a diff, made once when they come, so that they can be scrolled. Pure.

use crate::edits::FileChange;
use similar::{ChangeTag, TextDiff};

/// Lines of context above and below a change.
const CONTEXT: usize = 3;

/// What a line of a diff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name of a file that changes.
    File,
    /// The name of a file that goes.
    Deleted,
    /// Where in the file the next lines are.
    Place,
    /// A line that goes.
    Gone,
    /// A line that comes.
    Come,
    /// A line that stays.
    Same,
    /// Nothing, between files.
    Blank,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

/// What becomes of files.
pub fn of<'c>(changes: impl IntoIterator<Item = &'c FileChange>) -> Vec<DiffLine> {
    let mut lines = Vec::new();
    for change in changes {
        of_file(change, &mut lines);
        lines.push(DiffLine { kind: Kind::Blank, text: String::new() });
    }
    lines
}

fn of_file(change: &FileChange, lines: &mut Vec<DiffLine>) {
    let mut add = |kind: Kind, text: String| lines.push(DiffLine { kind, text });
    let Some(after) = &change.after else {
        return add(Kind::Deleted, format!("deleted: {}", change.path));
    };
    add(Kind::File, change.path.to_string());
    let (before, after) = (String::from_utf8_lossy(&change.before), String::from_utf8_lossy(after));
    let diff = TextDiff::from_lines(&*before, &*after);
    for group in diff.grouped_ops(CONTEXT) {
        if let Some(first) = group.first() {
            let (old, new) = (first.old_range().start + 1, first.new_range().start + 1);
            add(Kind::Place, format!("@@ -{old} +{new} @@"));
        }
        for line in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (kind, sign) = match line.tag() {
                ChangeTag::Delete => (Kind::Gone, '-'),
                ChangeTag::Insert => (Kind::Come, '+'),
                ChangeTag::Equal => (Kind::Same, ' '),
            };
            add(kind, format!("{sign}{}", line.value().trim_end_matches(['\n', '\r'])));
        }
    }
}
