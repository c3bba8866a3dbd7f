//! What lies over a page: all keys, or a question. Pure.

use super::theme::Look;
use crate::tui::filter::FIELDS;
use crate::tui::keymap::Place;
use crate::tui::message::Question;
use crate::tui::model::{Model, Overlay};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::symbols::border;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};
use tui_input::Input;

const ASCII_BORDER: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    match &model.overlay {
        None => {}
        Some(Overlay::Help(top)) => help(model, *top, look, area, buffer),
        Some(Overlay::Asking(question, input, error)) => {
            ask(model, *question, input, error.as_deref(), look, area, buffer);
        }
    }
}

/// An empty box in the middle; what is inside of it.
fn framed(title: &str, size: (u16, u16), look: Look, area: Rect, buffer: &mut Buffer) -> Rect {
    let (width, height) = (size.0.min(area.width - 2), size.1.min(area.height - 2));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let area = Rect { x, y, width, height };
    Clear.render(area, buffer);
    let set = if look.ascii { ASCII_BORDER } else { border::ROUNDED };
    let block = Block::bordered().border_set(set).title(format!(" {title} "));
    let inner = block.inner(area);
    block.border_style(look.name()).render(area, buffer);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn help(model: &Model, top: usize, look: Look, area: Rect, buffer: &mut Buffer) {
    let inner = framed("keys", (78, area.height - 2), look, area, buffer);
    let lines = help_lines(model, look);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    super::scrolled(lines, top.min(most), inner, buffer);
}

/// How many lines can be the first that is shown.
pub(super) fn help_length(model: &Model) -> usize {
    // Two lines around the box, and two for its border.
    let height = usize::from(model.size.1).saturating_sub(4);
    help_lines(model, Look::default()).len().saturating_sub(height) + 1
}

fn help_lines(model: &Model, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut place = None;
    for action in model.keymap.actions() {
        if place != Some(action.place) {
            place = Some(action.place);
            let heading = match action.place {
                Place::Findings => "on the findings",
                Place::Graph => "on the graph",
                Place::Review => "before writing",
                Place::Everywhere => "everywhere",
            };
            lines.push(Line::styled(heading, look.strong()));
        }
        let keys: Vec<String> = action.keys.iter().map(|key| key.show(look.ascii)).collect();
        lines.push(Line::from(vec![
            Span::styled(format!("  {:<18}", keys.join(" ")), look.name()),
            Span::raw(action.help),
        ]));
    }
    lines.push(Line::styled("in a filter", look.strong()));
    for (field, meaning) in FIELDS {
        lines.push(Line::from(vec![
            Span::styled(format!("  {field:<18}"), look.name()),
            Span::raw(*meaning),
        ]));
    }
    lines.push(Line::styled("signs", look.strong()));
    for (sign, plain, meaning) in [
        ("[ ] [x] [-] [z] [~]", "[ ] [x] [-] [z] [~]", "open, accepted, kept, put off, partly"),
        ("● ◐ ○", "! ? .", "certain, likely, possible"),
        ("✓ ✗", "ok, by hand", "the fix is proven; it has to be made by hand"),
        ("✎", "n", "there is a note"),
    ] {
        lines.push(Line::from(vec![
            Span::styled(format!("  {:<21}", look.sign(sign, plain)), look.name()),
            Span::raw(meaning),
        ]));
    }
    lines
}

fn ask(
    model: &Model,
    question: Question,
    input: &Input,
    error: Option<&str>,
    look: Look,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (title, hint) = words(question);
    let found = crate::tui::walk::found(model);
    let lines = if question == Question::Jump { 3 + found.len().min(10) as u16 } else { 3 };
    // The list stays in sight while it is filtered.
    let below = area.height.saturating_sub(2 * (lines + 2) + 4);
    let area = match question {
        Question::Filter => Rect { y: area.y + below, height: area.height - below, ..area },
        _ => area,
    };
    let inner = framed(title, (76, lines + 2), look, area, buffer);
    let width = usize::from(inner.width);
    let scroll = input.visual_scroll(width.saturating_sub(1));
    let shown: String = input.value().chars().skip(scroll).collect();
    buffer.set_stringn(inner.x, inner.y, shown, width, look.strong());
    let cursor = inner.x + (input.visual_cursor().max(scroll) - scroll) as u16;
    if let Some(cell) = buffer.cell_mut((cursor, inner.y)) {
        cell.modifier |= Modifier::REVERSED;
    }
    let (text, style) = error.map_or((hint, look.dim()), |error| (error, look.bad()));
    let below = Rect { y: inner.y + 1, height: 2.min(inner.height.saturating_sub(1)), ..inner };
    let wrap = ratatui::widgets::Wrap { trim: true };
    Paragraph::new(text).style(style).wrap(wrap).render(below, buffer);
    if question == Question::Jump {
        for (line, (text, is_chosen)) in (3_u16..).zip(found.into_iter().take(10)) {
            let style = if is_chosen { look.chosen(true) } else { look.name() };
            let text = super::shortened(&text, width, look);
            buffer.set_stringn(inner.x, inner.y + line, text, width, style);
        }
    }
}

/// The title of a question, and how it is answered.
fn words(question: Question) -> (&'static str, &'static str) {
    match question {
        Question::Filter => (
            "show only",
            "words, and check:unused-dep pkg:eta owner:ml conf:certain is:open (accepted kept snoozed safe fixable proven by-hand)",
        ),
        Question::Reason => (
            "why is it right as it is?",
            "becomes a comment beside it: # secateur: keep[check] reason",
        ),
        Question::Snooze => ("put it off", "a number of days, or a date such as 2027-01-31"),
        Question::Note => ("note", "for yourself; nothing is written into the sources"),
        Question::Jump => ("go to", "a part of a label; up and down choose"),
        Question::Verify => (
            "command to run after writing",
            "runs in the project root with your shell; empty for none",
        ),
        Question::Export => ("directory for patches", "numbered files that `git am` takes"),
    }
}
