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
    if look.ascii {
        only_ascii(area, buffer);
    }
}

/// Whatever texts brought in is shown by a sign that every terminal has.
fn only_ascii(area: Rect, buffer: &mut Buffer) {
    for at in area.positions() {
        let Some(cell) = buffer.cell_mut(at) else { continue };
        let sign = match cell.symbol() {
            symbol if symbol.is_ascii() => continue,
            "…" => "~",
            "←" => "<",
            "→" => ">",
            "·" => "-",
            _ => "?",
        };
        cell.set_symbol(sign);
    }
}

/// Columns of the tree beside the right side.
pub fn tree_width(columns: u16) -> u16 {
    if columns < 100 { columns / 2 } else { columns * 2 / 5 }
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
    for tab in Tab::ALL {
        let style = if tab == model.tab { look.chosen(focused) } else { look.dim() };
        tabs.push(Span::styled(tab_text(tab), style));
        tabs.push(Span::raw(" "));
    }
    Line::from(tabs).render(Rect { height: 1, ..right }, buffer);
    let inner = Rect { y: right.y + 1, height: right.height - 1, ..right };
    let lines = side(model, look, inner.width, inner.height);
    // The source is made from its first visible line on.
    let from =
        if model.tab == Tab::Source { 0 } else { usize::try_from(model.scroll).unwrap_or(0) };
    progress(&lines, from, look, right, buffer);
    scrolled(lines, from, inner, buffer);
}

/// How much is above and below, beside the names of the tabs.
fn progress(lines: &[Line<'_>], from: usize, look: Look, area: Rect, buffer: &mut Buffer) {
    let shown = usize::from(area.height - 1);
    if lines.len() > shown {
        let from = from.min(lines.len() - 1);
        let text = format!("{}/{}", (from + shown).min(lines.len()), lines.len());
        let names: usize = Tab::ALL.into_iter().map(|tab| tab_text(tab).len() + 1).sum();
        if names + text.len() < usize::from(area.width) {
            let x = area.right() - text.len() as u16 - 1;
            buffer.set_string(x, area.y, text, look.dim());
        }
    }
}

/// A line in pieces that fit, as they are.
fn folded(line: Line<'static>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.max(8));
    let style = line.style;
    let (mut lines, mut spans, mut columns) = (Vec::new(), Vec::new(), 0);
    for span in line.spans {
        let mut piece = String::new();
        for letter in span.content.chars() {
            let wide = columns_of(letter.encode_utf8(&mut [0; 4]));
            if columns + wide > width {
                spans.push(Span::styled(std::mem::take(&mut piece), span.style));
                lines.push(Line::from(std::mem::take(&mut spans)).style(style));
                spans.push(Span::raw("  "));
                columns = 2;
            }
            piece.push(letter);
            columns += wide;
        }
        spans.push(Span::styled(piece, span.style));
    }
    lines.push(Line::from(spans).style(style));
    lines
}

fn side(model: &Model, look: Look, width: u16, height: u16) -> Vec<Line<'static>> {
    match model.tab {
        Tab::Detail => detail::lines(model, look, width),
        Tab::Diff => diff::of_finding(model, look, width),
        Tab::Why => why::lines(model, look, width),
        Tab::Source => source::lines(model, look, height),
    }
}

/// As a key shows it: `1 Detail`.
fn tab_text(tab: Tab) -> String {
    let number = Tab::ALL.iter().position(|it| *it == tab).unwrap_or(0) + 1;
    format!(" {number} {} ", tab.as_str())
}

/// The tab whose name is in a column.
pub fn tab_at(columns: u16, column: u16) -> Option<Tab> {
    let mut end = tree_width(columns) + 1;
    Tab::ALL.into_iter().find(|tab| {
        let begin = end;
        end += tab_text(*tab).len() as u16 + 1;
        (begin..end).contains(&column)
    })
}

/// The last line that can be the first that is shown: of the right side, or of the review.
pub fn scroll_length(model: &Model) -> usize {
    let (columns, lines) = (model.size.0.max(LEAST.0), model.size.1.max(LEAST.1));
    let (length, height) = match model.page {
        Page::Review => (review::length(model, columns - 2), lines - super::model::FRAME),
        _ => {
            let height = lines - super::model::FRAME - 1;
            let width = columns - tree_width(columns) - 1;
            (side(model, Look::default(), width, height).len(), height)
        }
    };
    length.saturating_sub(usize::from(height))
}

/// How many lines of help can be the first that is shown.
pub fn help_length(model: &Model) -> usize {
    overlay::help_length(model)
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

/// The beginning of a text that is too long.
fn clipped(text: &str, width: usize, look: Look) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let sign = look.sign("…", "~");
    let mut columns = columns_of(sign);
    let fits = |letter: &char| {
        columns += columns_of(letter.encode_utf8(&mut [0; 4]));
        columns <= width
    };
    let kept: String = text.chars().take_while(fits).collect();
    if width == 0 { kept } else { kept + sign }
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
