//! The first line, the line for what there is to say, and the last line. Pure.

use super::theme::Look;
use crate::finding::Size;
use crate::tui::counted;
use crate::tui::message::{Page, Question};
use crate::tui::model::{Model, Overlay, Stage};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠛"];
const PLAIN_SPINNER: [&str; 4] = ["|", "/", "-", "\\"];

/// The project, the totals, and how far the analysis is.
pub(super) fn header(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, look.bar());
    let stage = stage(model, look);
    let room = usize::from(area.width).saturating_sub(super::columns_of(&stage) + 3);
    let mut left = format!(" secateur  {}", model.project);
    for part in totals(model) {
        let longer = format!("{left}  {} {part}", look.sign("·", "-"));
        if super::columns_of(&longer) > room {
            break;
        }
        left = longer;
    }
    buffer.set_string(area.x, area.y, left, look.bar());
    let x = area.right().saturating_sub(super::columns_of(&stage) as u16 + 1);
    buffer.set_string(x, area.y, stage, look.bar());
}

fn totals(model: &Model) -> Vec<String> {
    let totals = model.totals;
    let mut parts = vec![counted(model.items.len(), "finding")];
    if !model.arrangement.filter.is_empty() {
        parts.push(format!("{} shown", totals.shown));
    }
    parts.push(format!("{} accepted", totals.accepted));
    if totals.rejected > 0 {
        parts.push(format!("{} kept", totals.rejected));
    }
    if totals.targets > 0 {
        parts.push(format!(
            "saves {}, {}",
            counted(totals.targets, "target build"),
            Size(totals.bytes)
        ));
    }
    parts
}

fn stage(model: &Model, look: Look) -> String {
    let spinner = if look.ascii {
        PLAIN_SPINNER[model.ticks % PLAIN_SPINNER.len()]
    } else {
        SPINNER[model.ticks % SPINNER.len()]
    };
    match &model.stage {
        Stage::Starting => format!("{spinner} reading"),
        Stage::Running(stage, done, Some(total)) => format!("{spinner} {stage} {done}/{total}"),
        Stage::Running(stage, ..) => format!("{spinner} {stage}"),
        Stage::Trying(_, 0) => format!("{spinner} proving"),
        Stage::Trying(done, all) => format!("{spinner} proving {done}/{all}"),
        Stage::Done if model.problems > 0 => format!("{} unread in part", model.problems),
        Stage::Done => look.sign("✓ up to date", "up to date").to_owned(),
        Stage::Cancelled => "stopped; f5 reads again".to_owned(),
        Stage::Failed(_) => "failed".to_owned(),
    }
}

/// What there is to say; else how findings are arranged.
pub(super) fn notice(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let (text, style) = match (&model.notice, &model.stage) {
        (Some(text), _) => (text.clone(), look.careful()),
        (None, Stage::Failed(reason)) => (reason.replace('\n', " "), look.bad()),
        (None, _) if model.page == Page::Findings => {
            let arrangement = &model.arrangement;
            let mut text = format!(
                "by {}, sorted by {}",
                arrangement.grouping.as_str(),
                arrangement.sort.as_str()
            );
            let sign = look.sign("·", "-");
            match &model.overlay {
                // What is typed is in sight already, and what was before does not count.
                Some(Overlay::Asking(Question::Filter, ..)) => {
                    text = format!("{text} {sign} {} shown", model.totals.shown);
                }
                _ if model.filter.is_empty() => {}
                _ => text = format!("{text} {sign} filter: {} (esc clears it)", model.filter),
            }
            (text, look.dim())
        }
        (None, _) => (String::new(), look.dim()),
    };
    let text = super::clipped(&super::plain(&text), usize::from(area.width - 1), look);
    buffer.set_string(area.x + 1, area.y, text, style);
}

/// The keys that matter here.
pub(super) fn footer(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let mut spans: Vec<Span<'_>> = Vec::new();
    let mut room = usize::from(area.width).saturating_sub(1);
    let hints: Vec<(String, &str)> = match &model.overlay {
        Some(Overlay::Asking(..)) => {
            vec![("enter".to_owned(), "ok"), ("esc".to_owned(), "leave it")]
        }
        Some(Overlay::Help(_)) => vec![("esc".to_owned(), "close")],
        None => {
            let shown = model.keymap.on(model.page).filter(|action| !action.short.is_empty());
            let mut hints: Vec<(String, &str)> = shown
                .filter_map(|action| Some((action.keys.first()?.show(look.ascii), action.short)))
                .collect();
            // Help and the way out are always in sight.
            for always in ["quit", "help"] {
                if let Some(at) = hints.iter().position(|(_, short)| *short == always) {
                    let hint = hints.remove(at);
                    hints.insert(0, hint);
                }
            }
            hints
        }
    };
    for (key, short) in hints {
        let width = super::columns_of(&key) + short.len() + 3;
        if width > room {
            break;
        }
        room -= width;
        spans.push(Span::styled(format!(" {key}"), look.strong()));
        spans.push(Span::styled(format!(" {short} "), look.dim()));
    }
    Line::from(spans).render(area, buffer);
}
