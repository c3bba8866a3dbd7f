//! The file of the finding at hand. Pure.

use super::plain;
use super::theme::Look;
use crate::tui::model::Model;
use ratatui::text::{Line, Span};

pub(super) fn lines(model: &Model, look: Look, height: u16) -> Vec<Line<'static>> {
    let _ = height;
    let Some(item) = model.item() else { return Vec::new() };
    let Some(Some(text)) = model.texts.get(&item.finding.region.path) else {
        return vec![Line::styled("This file cannot be shown.", look.dim())];
    };
    let lines = text.lines().enumerate().map(|(at, line)| {
        Line::from(vec![
            Span::styled(format!("{:>5} ", at + 1), look.dim()),
            Span::raw(plain(line)),
        ])
    });
    lines.collect()
}
