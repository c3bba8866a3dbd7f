//! Changes of files as a diff. Pure.

use super::detail::paragraph;
use super::plain;
use super::theme::Look;
use crate::edits::FileChange;
use crate::tui::item::Proof;
use crate::tui::model::Model;
use ratatui::text::Line;
use similar::{ChangeTag, TextDiff};

pub(super) fn of_finding(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let Some(item) = model.item() else {
        let text =
            "A group has no diff of its own. `p` shows everything that is accepted as one diff.";
        return paragraph(text, look.dim(), width);
    };
    match (&item.finding.fix, &item.proof) {
        (None, _) => {
            let hint = item.finding.hint.as_deref().unwrap_or("there is no fix");
            paragraph(&format!("This has to be done by hand: {hint}."), look.dim(), width)
        }
        (Some(_), Proof::Open) => paragraph("This fix was not tried yet.", look.dim(), width),
        (Some(_), Proof::Refused(reason)) => {
            paragraph(&format!("This has to be done by hand: {reason}."), look.careful(), width)
        }
        (Some(_), Proof::Proven(changes)) => {
            changes.iter().flat_map(|it| of_file(it, look)).collect()
        }
    }
}

/// What becomes of one file.
pub(super) fn of_file(change: &FileChange, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let Some(after) = &change.after else {
        lines.push(Line::styled(format!("deleted: {}", change.path), look.bad()));
        lines.push(Line::default());
        return lines;
    };
    lines.push(Line::styled(change.path.to_string(), look.name().patch(look.strong())));
    let (before, after) = (String::from_utf8_lossy(&change.before), String::from_utf8_lossy(after));
    let diff = TextDiff::from_lines(&*before, &*after);
    for group in diff.grouped_ops(3) {
        if let Some(first) = group.first() {
            let (old, new) = (first.old_range().start + 1, first.new_range().start + 1);
            lines.push(Line::styled(format!("@@ -{old} +{new} @@"), look.dim()));
        }
        for op in &group {
            for line in diff.iter_changes(op) {
                let (sign, style) = match line.tag() {
                    ChangeTag::Delete => ("-", look.bad()),
                    ChangeTag::Insert => ("+", look.good()),
                    ChangeTag::Equal => (" ", ratatui::style::Style::new()),
                };
                let text = line.value().trim_end_matches(['\n', '\r']);
                lines.push(Line::styled(format!("{sign}{}", plain(text)), style));
            }
        }
    }
    lines.push(Line::default());
    lines
}
