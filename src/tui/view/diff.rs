//! Changes of files as a diff. Pure.

use super::detail::paragraph;
use super::theme::Look;
use super::{folded, plain};
use crate::tui::hunks::{self, DiffLine, Kind};
use crate::tui::item::Proof;
use crate::tui::model::Model;
use ratatui::style::Style;
use ratatui::text::Line;

pub(super) fn of_finding(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let Some(item) = model.item() else {
        let text =
            "A group has no diff of its own. `p` shows everything that is accepted as one diff.";
        return paragraph(text, look.dim(), width);
    };
    match (&item.finding.fix, &item.proof) {
        (None, _) => {
            let hint = item.finding.hint.as_deref().unwrap_or("there is no fix");
            paragraph(&format!("This has to be done by hand: {hint}."), look.dim(), width)
        }
        (Some(_), Proof::Open) => paragraph("This fix was not tried yet.", look.dim(), width),
        (Some(_), Proof::Refused(reason)) => {
            paragraph(&format!("This has to be done by hand: {reason}."), look.careful(), width)
        }
        (Some(_), Proof::Proven(changes)) => {
            let lines = hunks::of(changes.iter());
            lines.iter().flat_map(|it| folded(line(it, look), width)).collect()
        }
    }
}

/// A line with the style of what it is.
pub(super) fn line(line: &DiffLine, look: Look) -> Line<'static> {
    let style = match line.kind {
        Kind::File => look.name().patch(look.strong()),
        Kind::Deleted | Kind::Gone => look.bad(),
        Kind::Place => look.dim(),
        Kind::Come => look.good(),
        Kind::Same | Kind::Blank => Style::new(),
    };
    Line::styled(plain(&line.text), style)
}
