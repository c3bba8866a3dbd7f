//! Who needs what a finding is about, and what speaks against it. Pure.

use super::detail::paragraph;
use super::theme::Look;
use crate::tui::model::Model;
use ratatui::text::Line;

pub(super) fn lines(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let _ = model;
    paragraph("", look.dim(), width)
}
