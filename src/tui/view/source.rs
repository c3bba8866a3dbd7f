//! The file of the finding at hand, with the place marked. Pure.

use super::plain;
use super::syntax::{self, Class};
use super::theme::Look;
use crate::finding::Region;
use crate::tui::model::Model;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::ops::Range;

/// The lines that can be seen: only these are made, whatever the size of the file.
pub(super) fn lines(model: &Model, look: Look, height: u16) -> Vec<Line<'static>> {
    let Some(item) = model.item() else {
        return vec![Line::styled("Choose a finding to see its file.", look.dim())];
    };
    let region = &item.finding.region;
    let text = match model.texts.get(&region.path) {
        Some(Some(text)) => text,
        Some(None) => return vec![Line::styled("This file cannot be shown.", look.dim())],
        None => return vec![Line::styled("reading…", look.dim())],
    };
    let first = model.source_above();
    let count = usize::from(height.saturating_sub(1));
    let visible = lines_of(text, first, count).unwrap_or(text.len()..text.len());
    let parts = syntax::parts(text, visible.clone());
    let mut lines =
        vec![Line::styled(format!("{}:{}", plain(region.path.as_str()), region.line), look.name())];
    let mut at = visible.start;
    for (number, whole) in text.get(visible).unwrap_or_default().split_inclusive('\n').enumerate() {
        let number = first + number + 1;
        let line = at..at + whole.trim_end_matches(['\n', '\r']).len();
        lines.push(shown(text, number, &line, &parts, region, look));
        at += whole.len();
    }
    lines
}

/// The bytes of `count` lines after the first `skipped`.
fn lines_of(text: &str, skipped: usize, count: usize) -> Option<Range<usize>> {
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let start = match skipped.checked_sub(1) {
        Some(last) => ends.nth(last)?,
        None => 0,
    };
    let end = count.checked_sub(1).and_then(|last| ends.nth(last)).unwrap_or(text.len());
    Some(start..if count == 0 { start } else { end })
}

fn shown(
    text: &str,
    number: usize,
    line: &Range<usize>,
    parts: &[(Range<usize>, Class)],
    region: &Region,
    look: Look,
) -> Line<'static> {
    let (first, last) = (region.line as usize, region.end_line.max(region.line) as usize);
    let is_here = (first..=last).contains(&number);
    let sign = if is_here { look.sign("▶", ">") } else { " " };
    let style = if is_here { look.careful() } else { look.dim() };
    let mut spans = vec![Span::styled(format!("{sign}{number:>5} "), style)];
    let marked = marked(text, number, line, region);
    // A byte order mark takes no room.
    let mark = text.get(line.clone()).is_some_and(|line| line.starts_with('\u{feff}'));
    let from = line.start + if mark { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = from;
    let mut put = |to: usize, style: Style| {
        for (range, is_marked) in [
            (at..to.min(marked.start), false),
            (at.max(marked.start)..to.min(marked.end), true),
            (at.max(marked.end)..to, false),
        ] {
            let part = if range.start < range.end { text.get(range) } else { None };
            if let Some(part) = part {
                let style = if is_marked { look.marked() } else { style };
                spans.push(Span::styled(plain(part), style));
            }
        }
        at = at.max(to);
    };
    let here = parts.partition_point(|(range, _)| range.end <= from);
    for (range, class) in parts.iter().skip(here).take_while(|(range, _)| range.start < line.end) {
        put(range.start.max(from), Style::new());
        put(range.end.min(line.end), style_of(*class, look));
    }
    put(line.end, Style::new());
    Line::from(spans)
}

/// The bytes of a line that a finding is about; empty if it means the whole line.
fn marked(text: &str, number: usize, line: &Range<usize>, region: &Region) -> Range<usize> {
    let offset = |column: u32| {
        let mut letters = text.get(line.clone()).unwrap_or_default().char_indices();
        let letter = letters.nth(column.saturating_sub(1) as usize);
        letter.map_or(line.end, |(at, _)| line.start + at)
    };
    let start = match number.cmp(&(region.line as usize)) {
        std::cmp::Ordering::Less => return line.end..line.end,
        std::cmp::Ordering::Equal => offset(region.column),
        std::cmp::Ordering::Greater => line.start,
    };
    let end = match number.cmp(&(region.end_line as usize)) {
        std::cmp::Ordering::Less => line.end,
        std::cmp::Ordering::Equal => offset(region.end_column),
        std::cmp::Ordering::Greater => return line.end..line.end,
    };
    start..end.max(start)
}

fn style_of(class: Class, look: Look) -> Style {
    match class {
        Class::Keyword => look.keyword(),
        Class::String => look.string(),
        Class::Comment => look.comment(),
        Class::Number => look.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{CheckId, Confidence, Finding};
    use crate::source::{LineIndex, ProjectPath, Span as Bytes};
    use crate::tui::decisions::Decisions;
    use crate::tui::item::{Item, Proof};
    use crate::tui::keymap::Keymap;
    use crate::tui::message::{Message, Tab};
    use crate::tui::model::Pane;
    use crate::tui::update::update;
    use crate::tui::view::theme::Colors;

    /// A model that shows the source of a finding at `place`, which stands in the text once.
    fn model(text: &str, place: &str) -> Model {
        let start = text.find(place).unwrap() as u32;
        let span = Bytes::new(start, start + place.len() as u32);
        let lines = LineIndex::new(text);
        let (line, column) = lines.line_column(text, span.start);
        let (end_line, end_column) = lines.line_column(text, span.end);
        let path = ProjectPath::new("a/BUCK");
        let region = Region { path: path.clone(), line, column, end_line, end_column, span };
        let message = "m".to_owned();
        let finding = Finding::new(CheckId::UnusedDep, Confidence::Certain, region, message);
        let [fingerprint, package, owner] = ["f", "a", "o"].map(str::to_owned);
        let item = Item {
            fingerprint,
            finding,
            package,
            owner,
            saving: None,
            proof: Proof::Open,
            edit: None,
        };
        let today = jiff::civil::date(2026, 5, 17);
        let mut model = Model::new("p".to_owned(), today, Keymap::default(), Decisions::default());
        model.items = vec![item];
        model.refresh();
        let at =
            model.rows.iter().position(|row| matches!(row.id, crate::tui::rows::RowId::Finding(_)));
        model.go_to(at.unwrap());
        (model.tab, model.focus) = (Tab::Source, Pane::Side);
        model.texts.insert(path, Some(text.into()));
        model
    }

    fn shown(model: &Model, height: u16) -> Vec<String> {
        let look = Look { colors: Colors::None, ascii: true };
        lines(model, look, height).iter().map(ToString::to_string).collect()
    }

    fn numbered(count: usize) -> String {
        let lines: Vec<String> =
            (1..=count).map(|line| format!("x{line} = \"{line}\"\n")).collect();
        lines.concat()
    }

    #[test]
    fn the_place_is_in_sight_and_both_ends_can_be_reached() {
        let mut model = model(&numbered(1000), "\"500\"");
        let height = 20;
        assert!(shown(&model, height).contains(&">  500 x500 = \"500\"".to_owned()));
        assert_eq!(shown(&model, height).len(), usize::from(height));
        update(&mut model, Message::First);
        assert_eq!(shown(&model, height)[1], "     1 x1 = \"1\"");
        update(&mut model, Message::Move(-1));
        assert_eq!(shown(&model, height)[1], "     1 x1 = \"1\"");
        update(&mut model, Message::Scroll(i32::MAX));
        assert_eq!(shown(&model, height)[1..], ["  1000 x1000 = \"1000\""]);
    }

    #[test]
    fn the_place_is_marked_in_its_line() {
        let text = "\u{feff}deps = [\":é\", \":b\"]  # why\r\n";
        let model = model(text, "\":b\"");
        let look = Look { colors: Colors::Sixteen, ascii: false };
        let line = &lines(&model, look, 5)[1];
        let marked: Vec<&str> =
            line.spans.iter().filter(|s| s.style == look.marked()).map(|s| &*s.content).collect();
        assert_eq!(marked, ["\":b\""], "{line:?}");
        assert_eq!(line.to_string(), "▶    1 deps = [\":é\", \":b\"]  # why");
        let styles: Vec<Style> = line.spans.iter().map(|span| span.style).collect();
        assert!(styles.contains(&look.string()) && styles.contains(&look.comment()), "{line:?}");
    }

    #[test]
    fn files_without_lines_are_shown_too() {
        let mut model = model("x", "x");
        assert_eq!(shown(&model, 5)[1], ">    1 x");
        model.texts.insert(ProjectPath::new("a/BUCK"), Some("".into()));
        assert_eq!(shown(&model, 5).len(), 1);
        model.texts.insert(ProjectPath::new("a/BUCK"), None);
        assert_eq!(shown(&model, 5), ["This file cannot be shown."]);
    }
}
