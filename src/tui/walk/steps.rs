//! Steps that lead elsewhere: the way between two marks, the other layer, the finding of an edge, a click. Pure.

use super::{List, Node, Side, Walk, World, go, open, sight, world};
use crate::tui::answer;
use crate::tui::message::{Page, Tab};
use crate::tui::model::{Model, Pane};
use crate::tui::rows::{Row, RowId};

pub(super) fn mark(model: &mut Model) {
    let (Some(world), Some(here)) = (world(model), model.walk.here) else { return };
    let walk = &mut model.walk;
    let is_second = walk.marks.len() == 1 && walk.marks.iter().all(|it| it.layer == here.layer);
    if walk.marks == [here] {
        walk.marks.clear();
        model.notice = Some("the mark is gone".to_owned());
        return;
    }
    if !is_second {
        walk.marks.clear();
    }
    walk.marks.push(here);
    make_path(walk, &world);
    let is_apart = is_second && walk.path.nodes.is_empty();
    if is_second && !is_apart {
        walk.side = Side::Path;
    }
    model.notice = Some(match (is_second, is_apart) {
        (false, _) => "marked; mark another one to see the way between both".to_owned(),
        (true, true) => "neither of the two marks leads to the other".to_owned(),
        (true, false) => "enter goes to a step; the next mark begins anew".to_owned(),
    });
}

/// The shortest way between the marks, in whichever direction there is one.
pub(super) fn make_path(walk: &mut Walk, world: &World) {
    walk.path = List::default();
    if let [first, second] = walk.marks[..] {
        let net = world.net(first.layer);
        let way = |from: Node, to: Node| net.ways_to(to.at, None).from(from.at);
        let mut nodes = way(first, second);
        if nodes.is_empty() {
            nodes = way(second, first);
        }
        walk.path = List::new(first.layer, nodes, None);
    }
    if walk.side == Side::Path && walk.path.nodes.is_empty() {
        walk.side = Side::Deps;
    }
}

pub(super) fn other_layer(model: &mut Model) {
    let (Some(world), Some(here)) = (world(model), model.walk.here) else { return };
    match world.other_side(here) {
        Some(node) => go(model, node),
        None => model.notice = Some("this target has no modules".to_owned()),
    }
}

pub(super) fn to_finding(model: &mut Model) {
    let walk = &model.walk;
    let of_edge = walk.spoken_of(walk.side, walk.list(walk.side).cursor);
    let at = of_edge.first().or_else(|| walk.spoken_here().first());
    let item = at.and_then(|at| model.items.get(*at));
    let Some(print) = item.map(|item| item.fingerprint.clone()) else {
        model.notice = Some("no finding speaks of this edge or of what is shown".to_owned());
        return;
    };
    reveal(model, &print);
}

/// Shows a finding, whatever hides it.
fn reveal(model: &mut Model, fingerprint: &str) {
    let Some(at) = model.items.iter().position(|item| item.fingerprint == fingerprint) else {
        return;
    };
    if !model.rows.iter().any(|row| row.items.contains(&at)) {
        model.filter.clear();
        answer::set_filter(model, "");
        model.notice = Some("the filter hid this finding, so it was cleared".to_owned());
    }
    let id = RowId::Finding(fingerprint.to_owned());
    loop {
        if let Some(row) = model.rows.iter().position(|row| row.id == id) {
            model.go_to(row);
            break;
        }
        let hides = |row: &&Row| row.folded && row.items.contains(&at);
        let Some(RowId::Group(path)) = model.rows.iter().find(hides).map(|row| row.id.clone())
        else {
            break;
        };
        model.arrangement.folded.remove(&path);
        model.refresh();
    }
    (model.page, model.tab, model.focus) = (Page::Findings, Tab::Why, Pane::Tree);
}

pub(super) fn click(model: &mut Model, column: u16, row: u16) {
    let Some((side, row)) = sight(model).row_at(model, column, row) else { return };
    model.walk.side = side;
    let list = model.walk.list_mut();
    let at = list.top + row;
    if at == list.cursor {
        open(model);
    } else if at < list.nodes.len() {
        list.cursor = at;
    }
}
