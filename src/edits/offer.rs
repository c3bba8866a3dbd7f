//! Proven fixes as the smallest edits that make them, for reports. Writes nothing.

use super::change::TextEdit;
use super::prove::{Contents, Prover};
use crate::finding::{FileEdit, FixSet, Offer, Report, Saving};
use crate::source::Span;
use crate::workspace::Workspace;
use rayon::prelude::*;
use similar::{DiffOp, TextDiff};
use std::collections::{BTreeMap, BTreeSet};

/// What each finding of a report can offer: its fix if that is wanted and proven, and what that saves.
pub fn offers(
    workspace: &Workspace,
    prover: &Prover<'_>,
    report: &Report,
    wanted: impl Fn(&FixSet) -> bool,
    saving: impl Fn(&FixSet) -> Saving + Sync,
) -> Vec<Option<Offer>> {
    let fixes = || report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    // Findings of one literal share a fix, which is proven once.
    let unique: BTreeSet<&FixSet> = fixes().filter(|fix| wanted(fix)).collect();
    let proven: BTreeMap<&FixSet, Offer> = unique
        .into_par_iter()
        .filter_map(|fix| {
            let contents = prover.propose(&fix.changes).ok()?;
            let edits = edits(workspace, &contents)?;
            Some((fix, Offer { safety: fix.safety, edits, saving: saving(fix) }))
        })
        .collect();
    let offer = |fix: Option<&FixSet>| proven.get(fix?).cloned();
    report.findings.iter().map(|finding| offer(finding.fix.as_ref())).collect()
}

fn edits(workspace: &Workspace, contents: &Contents) -> Option<Vec<FileEdit>> {
    let mut edits = Vec::new();
    for (path, after) in contents {
        let Some(after) = after else {
            edits.push(FileEdit::Delete { path: path.clone() });
            continue;
        };
        let before = String::from_utf8(workspace.files.read(path).ok()?).ok()?;
        let after = std::str::from_utf8(after).ok()?;
        edits.extend(between(&before, after).into_iter().map(|edit| FileEdit::Replace {
            path: path.clone(),
            start: edit.span.start,
            end: edit.span.end,
            replacement: edit.replacement,
        }));
    }
    Some(edits)
}

/// The edits that lead from one text to another: lines that differ, without what they have in common at either end.
fn between(before: &str, after: &str) -> Vec<TextEdit> {
    let diff = TextDiff::from_lines(before, after);
    let (old, new) = (starts(before), starts(after));
    let changes = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    let edits = changes.map(|op| {
        let (from, to) = (op.old_range(), op.new_range());
        let (start, end) = (old[from.start], old[from.end]);
        let (gone, come) = (&before[start..end], &after[new[to.start]..new[to.end]]);
        let head = common(gone.char_indices(), come.char_indices());
        let (gone, come) = (&gone[head..], &come[head..]);
        let tail = common_tail(gone, come);
        TextEdit {
            span: Span::new((start + head) as u32, (end - tail) as u32),
            replacement: come[..come.len() - tail].to_owned(),
        }
    });
    edits.collect()
}

/// Where each line begins, and the end.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut end = 0;
    // As `TextDiff` counts them: a line feed, or a carriage return with or without one.
    for line in text.split_inclusive('\n').flat_map(split_returns) {
        end += line.len();
        starts.push(end);
    }
    starts
}

/// Lone carriage returns end a line too.
fn split_returns(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('\r').filter(|at| !rest[at + 1..].starts_with('\n')) {
        let (part, tail) = rest.split_at(at + 1);
        parts.push(part);
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

fn common(
    one: impl Iterator<Item = (usize, char)>,
    other: impl Iterator<Item = (usize, char)>,
) -> usize {
    let same = one.zip(other).take_while(|((_, a), (_, b))| a == b);
    same.last().map_or(0, |((at, c), _)| at + c.len_utf8())
}

fn common_tail(one: &str, other: &str) -> usize {
    let same = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::change::apply;
    use super::*;

    #[test]
    fn edits_are_as_small_as_can_be_and_lead_to_the_text() {
        for (before, after, count) in [
            ("a\nb\nc\n", "a\nc\n", 1),
            ("x = [\":a\", \":b\"]\n", "x = [\":b\"]\n", 1),
            ("a\r\nb\r\nc", "a\r\nc", 1),
            ("é\nb\n", "è\nb\n", 1),
            ("a\nb\nc\nd\n", "b\nc\n", 2),
            ("", "a\n", 1),
            ("a\rb\nc\r\nd", "a\rb\nd", 1),
        ] {
            let edits = between(before, after);
            assert_eq!(edits.len(), count, "{before:?}");
            assert_eq!(apply(before, &edits).unwrap(), after);
        }
        assert_eq!(between("a = 1\nb = 2\n", "a = 1\nb = 3\n")[0].span, Span::new(10, 11));
    }
}
