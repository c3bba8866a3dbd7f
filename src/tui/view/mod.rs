//! The model as cells of the terminal. Pure; touches nothing.

mod detail;
mod diff;
mod frame;
mod graph;
mod overlay;
mod review;
mod source;
mod syntax;
mod theme;
mod tree;
mod why;

pub use theme::{Colors, Look};

use super::message::{Page, Tab};
use super::model::{LEAST, Model, Pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

/// Draws everything.
pub fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(area, buffer);
        return;
    }
    let line = |y: u16| Rect { y: area.y + y, height: 1, ..area };
    frame::header(model, look, line(0), buffer);
    let body = Rect { y: area.y + 1, height: area.height - super::model::FRAME, ..area };
    match model.page {
        Page::Findings => findings(model, look, body, buffer),
        Page::Graph => graph::draw(model, look, body, buffer),
        Page::Review => review::draw(model, look, body, buffer),
    }
    frame::notice(model, look, line(area.height - 2), buffer);
    frame::footer(model, look, line(area.height - 1), buffer);
    overlay::draw(model, look, area, buffer);
}

/// Columns of the tree beside the right side.
pub fn tree_width(columns: u16) -> u16 {
    if columns < 100 { columns * 9 / 20 } else { columns * 2 / 5 }
}

fn findings(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let width = tree_width(area.width);
    let left = Rect { width: width - 1, ..area };
    let right = Rect { x: area.x + width + 1, width: area.width - width - 1, ..area };
    tree::draw(model, look, left, buffer);
    for y in area.top()..area.bottom() {
        buffer.set_string(area.x + width - 1, y, look.sign("│", "|"), look.dim());
    }
    let focused = model.focus == Pane::Side;
    let mut tabs: Vec<Span<'_>> = Vec::new();
    for (number, tab) in Tab::ALL.iter().enumerate() {
        let text = format!("{} {}", number + 1, tab.as_str());
        let style = if *tab == model.tab { look.chosen(focused) } else { look.dim() };
        tabs.push(Span::styled(format!(" {text} "), style));
        tabs.push(Span::raw(" "));
    }
    Line::from(tabs).render(Rect { height: 1, ..right }, buffer);
    let inner = Rect { y: right.y + 1, height: right.height - 1, ..right };
    let from = usize::try_from(model.scroll).unwrap_or(0);
    let (lines, from) = match model.tab {
        Tab::Detail => (detail::lines(model, look, inner.width), from),
        Tab::Diff => (diff::of_finding(model, look, inner.width), from),
        Tab::Why => (why::lines(model, look, inner.width), from),
        Tab::Source => (source::lines(model, look, inner.height), 0),
    };
    scrolled(lines, from, inner, buffer);
}

/// Lines from one of them on, with the last always in sight.
fn scrolled(lines: Vec<Line<'_>>, from: usize, area: Rect, buffer: &mut Buffer) {
    let from = from.min(lines.len().saturating_sub(1));
    let shown: Vec<Line<'_>> =
        lines.into_iter().skip(from).take(usize::from(area.height)).collect();
    Paragraph::new(shown).render(area, buffer);
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let text = format!(
        "The terminal has {}x{} cells; secateur needs {}x{}. Make it larger, or press q.",
        area.width, area.height, LEAST.0, LEAST.1
    );
    let wrap = ratatui::widgets::Wrap { trim: true };
    Paragraph::new(text).wrap(wrap).render(area, buffer);
}

/// Text in lines of at most `width` columns, broken between words.
fn wrapped(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(8));
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut columns = 0;
        for word in paragraph.split(' ') {
            let length = columns_of(word);
            if columns > 0 && columns + 1 + length > width {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            }
            if columns > 0 {
                line.push(' ');
                columns += 1;
            }
            // A word that is wider than a line is broken anywhere.
            for letter in word.chars() {
                let wide = columns_of(letter.encode_utf8(&mut [0; 4]));
                if columns + wide > width {
                    lines.push(std::mem::take(&mut line));
                    columns = 0;
                }
                line.push(letter);
                columns += wide;
            }
        }
        lines.push(line);
    }
    lines
}

fn columns_of(text: &str) -> usize {
    Span::raw(text).width()
}

/// The end of a text that is too long, which says more of a label than its beginning.
fn shortened(text: &str, width: usize, look: Look) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let sign = look.sign("…", "~");
    let mut kept = Vec::new();
    let mut columns = columns_of(sign);
    for letter in text.chars().rev() {
        columns += columns_of(letter.encode_utf8(&mut [0; 4]));
        if columns > width {
            break;
        }
        kept.push(letter);
    }
    sign.chars().chain(kept.into_iter().rev()).collect()
}

/// Text of the user's files as cells can show it: tabs are spaces, and nothing moves the cursor.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\t' => shown.push_str("    "),
            letter if letter.is_control() => shown.push('\u{fffd}'),
            letter => shown.push(letter),
        }
    }
    shown
}
