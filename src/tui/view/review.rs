//! The page before something is written: how much, whose, and the whole diff; then what became of it. Pure.

use super::theme::Look;
use super::{diff, wrapped};
use crate::tui::counted;
use crate::tui::hunks::DiffLine;
use crate::tui::message::{Preview, Scope};
use crate::tui::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let area = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let head = lines(model, look, area.width);
    let first = model.review.scroll.min((head.len() + diff_of(model).len()).saturating_sub(1));
    // Of a long diff only what is seen is made ready.
    let skipped = first.saturating_sub(head.len());
    let diff = diff_of(model).iter().skip(skipped).take(usize::from(area.height));
    let lines = head.into_iter().chain(diff.map(|it| diff::line(it, look))).collect();
    super::scrolled(lines, first - skipped, area, buffer);
}

/// How many lines there are.
pub(super) fn length(model: &Model, width: u16) -> usize {
    lines(model, Look::default(), width).len() + diff_of(model).len()
}

fn diff_of(model: &Model) -> &[DiffLine] {
    if model.review.preview.is_some() { &model.review.diff } else { &[] }
}

fn lines(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let review = &model.review;
    let mut lines = Vec::new();
    for line in &review.result {
        let style = if line.starts_with("refused") { look.bad() } else { look.good() };
        lines.extend(wrapped(line, width).into_iter().map(|row| Line::styled(row, style)));
    }
    for line in &review.output {
        lines.push(Line::styled(super::plain(line), look.dim()));
    }
    if review.is_verifying {
        lines.push(Line::styled(format!("running `{}`…", review.verify), look.careful()));
    }
    if let Some(batch) = &review.batch {
        let text = format!("`U` takes it back; so does `secateur undo {batch}` later.");
        lines.extend(wrapped(&text, width).into_iter().map(|row| Line::styled(row, look.dim())));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    let Some(preview) = &review.preview else {
        if review.result.is_empty() {
            lines.push(Line::styled("putting together what was accepted…", look.dim()));
        }
        return lines;
    };
    lines.extend(summary(model, preview, look));
    for (print, reason) in &preview.refused {
        let item = model.items.iter().find(|item| item.fingerprint == *print);
        let message = item.map_or("", |item| item.finding.message.as_str());
        let text = format!("by hand: {message}: {reason}");
        lines
            .extend(wrapped(&text, width).into_iter().map(|row| Line::styled(row, look.careful())));
    }
    lines.push(Line::default());
    lines
}

fn summary(model: &Model, preview: &Preview, look: Look) -> Vec<Line<'static>> {
    let scope = match &model.review.scope {
        Scope::All => "everything that was decided".to_owned(),
        Scope::Owner(owner) => format!("what {owner} answers for"),
    };
    let mut lines =
        vec![Line::from(vec![Span::styled("About to write: ", look.strong()), Span::raw(scope)])];
    let deleted = preview.changes.iter().filter(|change| change.after.is_none()).count();
    let edited = preview.changes.len() - deleted;
    if preview.changes.is_empty() {
        let text = "Nothing is to be written: accept some fixes first, with space.";
        lines.push(Line::styled(text, look.careful()));
        return lines;
    }
    let text = format!(
        "{} settled; {} edited, {deleted} deleted. Enter writes them.",
        counted(preview.settles.len(), "finding"),
        counted(edited, "file")
    );
    lines.push(Line::raw(text));
    let verify = match model.review.verify.as_str() {
        "" => "No command runs afterwards; `v` names one.".to_owned(),
        command => format!("Afterwards runs: {command}"),
    };
    lines.push(Line::styled(verify, look.dim()));
    for (owner, count) in &preview.owners {
        lines.push(Line::from(vec![
            Span::styled(format!("{count:>6}  "), look.dim()),
            Span::raw(owner.clone()),
        ]));
    }
    lines
}
