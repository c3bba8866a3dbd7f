//! The tree of findings. Pure.

use super::theme::Look;
use crate::finding::{Confidence, Severity};
use crate::tui::decisions::Choice;
use crate::tui::item::Proof;
use crate::tui::model::{Model, Pane, Stage};
use crate::tui::rows::{Grouping, Mark, Row, RowId};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Paragraph, Widget, Wrap};

pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    heading_line(look, area, buffer);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if model.rows.is_empty() {
        nothing(model, look, body, buffer);
        return;
    }
    let shown = model.rows.iter().enumerate().skip(model.top).take(usize::from(body.height));
    for (line, (at, row)) in (0_u16..).zip(shown) {
        let area = Rect { y: body.y + line, height: 1, ..body };
        draw_row(model, row, look, area, buffer);
        if at == model.cursor {
            buffer.set_style(area, look.at_hand(model.focus == Pane::Tree));
        }
    }
}

fn heading_line(look: Look, area: Rect, buffer: &mut Buffer) {
    buffer.set_string(area.x + 1, area.y, "finding", look.dim());
    let text = "builds saved";
    let x = area.right().saturating_sub(text.len() as u16 + 1);
    buffer.set_string(x, area.y, text, look.dim());
}

fn nothing(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let text = match &model.stage {
        Stage::Failed(reason) => reason.as_str(),
        Stage::Cancelled => "The analysis was stopped. f5 reads everything again.",
        Stage::Starting | Stage::Running(..) => "Findings come up here once everything is read.",
        Stage::Trying(..) | Stage::Done if !model.arrangement.filter.is_empty() => {
            "No finding passes the filter."
        }
        Stage::Trying(..) | Stage::Done => "Nothing was found.",
    };
    let area = Rect { x: area.x + 1, width: area.width - 2, ..area };
    Paragraph::new(text).style(look.dim()).wrap(Wrap { trim: true }).render(area, buffer);
}

/// Writes from left to right, up to an end.
struct Pen<'b> {
    x: u16,
    y: u16,
    end: u16,
    buffer: &'b mut Buffer,
}

impl Pen<'_> {
    fn room(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    fn put(&mut self, text: &str, style: Style) {
        let room = self.room();
        self.x = self.buffer.set_stringn(self.x, self.y, text, room, style).0;
    }
}

fn draw_row(model: &Model, row: &Row, look: Look, area: Rect, buffer: &mut Buffer) {
    let saving = if row.saving > 0 { row.saving.to_string() } else { String::new() };
    let right = area.right().saturating_sub(1);
    let step = if area.width < 48 { 1 } else { 2 };
    let x = area.x + 1 + step * row.depth.min(8) as u16;
    let end = right.saturating_sub(saving.len() as u16 + 1);
    let mut pen = Pen { x, y: area.y, end, buffer };
    pen.put(row.mark.as_str(), mark_style(row.mark, look));
    pen.put(" ", Style::new());
    match (&row.id, row.items.first().and_then(|at| model.items.get(*at))) {
        (RowId::Finding(_), Some(item)) => {
            let sign = match item.finding.confidence {
                Confidence::Certain => look.sign("●", "!"),
                Confidence::Likely => look.sign("◐", "?"),
                Confidence::Possible => look.sign("○", "."),
            };
            pen.put(sign, severity_style(item.finding.severity, look));
            pen.put(" ", Style::new());
            let begin = pen.x;
            let grouping = model.arrangement.grouping;
            let check = if grouping == Grouping::Check { "" } else { item.finding.check.as_str() };
            let proof = match &item.proof {
                Proof::Refused(_) => look.sign(" ✗", " by hand"),
                Proof::Proven(_) => look.sign(" ✓", " ok"),
                Proof::Open => "",
            };
            let noted = model.decisions.of(&item.fingerprint).is_some_and(|it| !it.note.is_empty());
            let signs = super::columns_of(proof) + 2 * usize::from(noted);
            let spaces = [&row.lead, check].iter().filter(|text| !text.is_empty()).count();
            let room = pen.room().saturating_sub(signs + check.len() + spaces);
            let (lead, text) = shared(&row.lead, &row.text, room, look);
            for (text, style) in
                [(lead.as_str(), look.strong()), (check, look.dim()), (&text, Style::new())]
            {
                if !text.is_empty() {
                    let space = if pen.x > begin { " " } else { "" };
                    pen.put(space, Style::new());
                    pen.put(text, style);
                }
            }
            pen.put(proof, look.dim());
            if noted {
                pen.put(look.sign(" ✎", " n"), look.careful());
            }
        }
        _ => {
            pen.put(
                if row.folded { look.sign("▸ ", "+ ") } else { look.sign("▾ ", "- ") },
                look.dim(),
            );
            let count = format!(" {}", row.items.len());
            let room = pen.room().saturating_sub(count.len());
            pen.put(&super::shortened(&row.text, room, look), look.strong());
            pen.put(&count, look.dim());
        }
    }
    let x = right.saturating_sub(saving.len() as u16);
    buffer.set_string(x, area.y, saving, look.good());
}

/// Two texts in the room for both: what the second does not need is for the first, but half is its own.
fn shared(first: &str, second: &str, room: usize, look: Look) -> (String, String) {
    let needed = super::columns_of(second).min(room.div_ceil(2));
    let of_first = super::columns_of(first).min(room - needed);
    let first = super::shortened(first, of_first, look);
    (first, super::shortened(second, room - of_first, look))
}

fn mark_style(mark: Mark, look: Look) -> Style {
    match mark {
        Mark::Open => look.dim(),
        Mark::Accepted => look.good(),
        Mark::Rejected => look.bad(),
        Mark::Snoozed | Mark::Partly => look.careful(),
    }
}

pub(super) fn severity_style(severity: Severity, look: Look) -> Style {
    match severity {
        Severity::Error => look.bad(),
        Severity::Warning => look.careful(),
        Severity::Note => look.dim(),
    }
}

/// What was decided, in words.
pub(super) fn choice_text(choice: Option<&Choice>) -> String {
    match choice {
        None => "open".to_owned(),
        Some(Choice::Accepted) => "accepted".to_owned(),
        Some(Choice::Rejected { reason }) => format!("kept: {reason}"),
        Some(Choice::Snoozed { until }) => format!("put off until {until}"),
    }
}
