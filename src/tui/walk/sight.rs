//! What of the page of the graph is on the screen: how many lines each part has. Pure.

use super::Side;
use crate::tui::model::Model;

/// Lines that say what is shown: its name, what it is, what it weighs.
pub(super) const HEAD: usize = 3;
/// Below this width only one side is shown.
const BESIDE: u16 = 70;

/// Lines of each part of the page, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Remarks below the head: a finding, a cycle, a mark.
    pub notes: usize,
    /// Dependencies and users, without their heading.
    pub list: usize,
    /// The way between two marks, its heading included.
    pub path: usize,
    /// Whether dependencies and users stand side by side.
    pub beside: bool,
}

/// How the page is divided.
pub fn sight(model: &Model) -> Sight {
    let walk = &model.walk;
    let body = model.page_lines();
    let steps = walk.path.nodes.len();
    let path = if steps == 0 { 0 } else { (steps + 1).min(body / 3) };
    let remarks = [
        !walk.spoken_here().is_empty(),
        !walk.cycle().is_empty(),
        !walk.marks.is_empty() && steps == 0,
    ];
    let wanted = remarks.iter().filter(|is_there| **is_there).count();
    // A heading, and some rows, are worth more than remarks.
    let notes = wanted.min(body.saturating_sub(HEAD + path + 5));
    let list = body.saturating_sub(HEAD + notes + 1 + path).max(1);
    Sight { notes, list, path, beside: model.size.0 >= BESIDE }
}

impl Sight {
    /// Rows of a side.
    pub fn lines(self, side: Side) -> usize {
        match side {
            Side::Deps | Side::Users => self.list,
            Side::Path => self.path.saturating_sub(1),
        }
    }

    /// The one side that is shown, where there is no room for both.
    pub fn only(self, model: &Model) -> Option<Side> {
        let is_users = model.walk.side == Side::Users;
        (!self.beside).then_some(if is_users { Side::Users } else { Side::Deps })
    }

    /// The row of a side that a cell of the screen belongs to, counted from the first that is shown.
    pub(super) fn row_at(self, model: &Model, column: u16, row: u16) -> Option<(Side, usize)> {
        // Above the rows are the header of the screen, the head of the page, and a heading.
        let line = usize::from(row).checked_sub(1 + HEAD + self.notes + 1)?;
        if line < self.list {
            let is_left = column < model.size.0 / 2;
            let side = match self.only(model) {
                Some(side) => side,
                None if is_left => Side::Deps,
                None => Side::Users,
            };
            return Some((side, line));
        }
        let line = line.checked_sub(self.list + 1)?;
        (line < self.lines(Side::Path)).then_some((Side::Path, line))
    }
}

/// Keeps the rows at hand on the screen.
pub(super) fn keep(model: &mut Model) {
    let sight = sight(model);
    let walk = &mut model.walk;
    let lists = [
        (Side::Deps, &mut walk.deps),
        (Side::Users, &mut walk.users),
        (Side::Path, &mut walk.path),
    ];
    for (side, list) in lists {
        let lines = sight.lines(side).max(1);
        list.top = list.top.min(list.cursor).max((list.cursor + 1).saturating_sub(lines));
    }
}
