//! The page of the graph. Pure.

use super::theme::Look;
use crate::tui::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let _ = model;
    buffer.set_string(area.x, area.y, "", look.dim());
}
