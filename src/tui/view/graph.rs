//! The page of the graph: what is shown, its dependencies and its users side by side, the way between two marks. Pure.

use super::theme::Look;
use super::{clipped, columns_of, plain, shortened};
use crate::finding::Size;
use crate::tui::counted;
use crate::tui::model::Model;
use crate::tui::walk::{Layer, Node, Side, Weight, World, sight};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

/// Names keep at least so many columns before numbers get any.
const NAME: usize = 17;
/// And so many before those get any that matter less.
const LONG_NAME: usize = 28;

pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let (Some(world), Some(here)) = (&model.walk.world, model.walk.here) else {
        return nothing(model, look, area, buffer);
    };
    let sight = sight(model);
    let page = Page { model, world, here, look };
    let mut top = area.y;
    let mut part = |lines: usize| {
        let height = (lines as u16).min(area.bottom().saturating_sub(top));
        let part = Rect { y: top, height, ..area };
        top += height;
        part
    };
    let head = page.head().into_iter().chain(page.notes().into_iter().take(sight.notes));
    let head: Vec<Line<'_>> = head.collect();
    let head_area = part(head.len());
    Paragraph::new(head).render(inner(head_area), buffer);
    let lists = part(sight.list + 1);
    if let Some(side) = sight.only(model) {
        page.list(side, lists, buffer);
    } else {
        let half = area.width / 2;
        page.list(Side::Deps, Rect { width: half - 1, ..lists }, buffer);
        for y in lists.top()..lists.bottom() {
            buffer.set_string(area.x + half - 1, y, look.sign("│", "|"), look.dim());
        }
        let right = Rect { x: area.x + half, width: area.width - half, ..lists };
        page.list(Side::Users, right, buffer);
    }
    if sight.path > 0 {
        page.list(Side::Path, part(sight.path), buffer);
    }
}

fn inner(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

fn nothing(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let text = match &model.graph {
        None => "The graph is here once everything is read.",
        Some(_) => {
            "Nothing is at hand that is in the graph. / goes to a target or module by a part of its name."
        }
    };
    let wrap = Wrap { trim: true };
    Paragraph::new(text).style(look.dim()).wrap(wrap).render(inner(area), buffer);
}

struct Page<'a> {
    model: &'a Model,
    world: &'a World,
    here: Node,
    look: Look,
}

impl Page<'_> {
    fn head(&self) -> Vec<Line<'static>> {
        let name = plain(&self.world.name(self.here));
        let room = usize::from(self.model.size.0).saturating_sub(2);
        let name = shortened(&name, room, self.look);
        vec![
            Line::styled(name, self.look.name().patch(self.look.strong())),
            Line::raw(plain(&self.facts())),
            Line::styled(self.weights(), self.look.dim()),
        ]
    }

    /// What it is, whose, and who may see it.
    fn facts(&self) -> String {
        let facts = self.world.facts(self.here);
        let owner = facts.owner.map_or_else(
            || self.owner_by_findings().map_or("no oncall".to_owned(), |it| format!("owner {it}")),
            |oncall| format!("oncall {oncall}"),
        );
        let parts = match self.here.layer {
            Layer::Targets => vec![facts.kind, owner, facts.seen],
            Layer::Modules => vec![facts.kind, facts.seen],
        };
        parts.join(self.dot())
    }

    /// CODEOWNERS was read for findings; one of the same package says whose it is.
    fn owner_by_findings(&self) -> Option<String> {
        let name = self.world.name(self.here);
        let (package, _) = name.rsplit_once(':')?;
        let item = self.model.items.iter().find(|item| item.package == package)?;
        (!item.owner.is_empty()).then(|| item.owner.clone())
    }

    fn dot(&self) -> &'static str {
        self.look.sign(" · ", " - ")
    }

    fn weights(&self) -> String {
        let what = match self.here.layer {
            Layer::Targets => "target",
            Layer::Modules => "module",
        };
        let shown = |weight: Weight| {
            let sources = counted(weight.sources, "source");
            if self.here.layer == Layer::Modules {
                sources
            } else {
                format!("{sources}, {}", Size(weight.bytes))
            }
        };
        let own = self.world.net(self.here.layer).own(self.here.at);
        let whole = self.model.walk.weight(self.here).unwrap_or_default();
        let (sources, reached) = (shown(own), self.model.walk.reached_from);
        let parts = [
            format!("needs {}, {}", counted(whole.nodes, what), shown(whole)),
            match reached {
                0 => "nothing needs it".to_owned(),
                1 => format!("1 {what} needs it"),
                some => format!("{} need it in all", counted(some, what)),
            },
            format!("own: {sources}"),
        ];
        let room = usize::from(self.model.size.0).saturating_sub(2);
        let longer = |text: String, part: String| {
            let longer = format!("{text}{}{part}", self.dot());
            if columns_of(&longer) > room { text } else { longer }
        };
        parts.into_iter().reduce(longer).unwrap_or_default()
    }

    fn notes(&self) -> Vec<Line<'static>> {
        let (walk, look) = (&self.model.walk, self.look);
        let mut notes = Vec::new();
        let spoken = walk.spoken_here();
        if let Some(item) = spoken.first().and_then(|at| self.model.items.get(*at)) {
            let more = if spoken.len() > 1 {
                format!(" (and {} more)", spoken.len() - 1)
            } else {
                String::new()
            };
            let finding = &item.finding;
            let text = format!("! {}: {}{more}", finding.check.as_str(), finding.message);
            notes.push((plain(&text), look.careful()));
        }
        let cycle = walk.cycle();
        if !cycle.is_empty() {
            let others = cycle.iter().filter(|at| **at != self.here.at);
            let names: Vec<String> =
                others.map(|at| self.world.name(Node { at: *at, ..self.here })).collect();
            let text = match names.as_slice() {
                [] => "depends on itself".to_owned(),
                names if names.len() <= 3 => format!("on a cycle with {}", names.join(", ")),
                names => format!(
                    "on a cycle with {} and {} more",
                    names[..3].join(", "),
                    names.len() - 3
                ),
            };
            notes.push((format!("{} {}", self.cycle_sign(), plain(&text)), look.bad()));
        }
        if let (Some(mark), true) = (walk.marks.first(), walk.path.nodes.is_empty()) {
            let names: Vec<String> = walk.marks.iter().map(|it| self.world.name(*it)).collect();
            let text = match names.as_slice() {
                [_] if *mark == self.here => {
                    "marked: mark another one to see the way between both".to_owned()
                }
                [one] => format!("marked: {one}; m here shows the way between both"),
                names => format!("no way leads between {}", names.join(" and ")),
            };
            notes.push((plain(&text), look.good()));
        }
        let width = usize::from(self.model.size.0).saturating_sub(2);
        notes
            .into_iter()
            .map(|(text, style)| Line::styled(clipped(&text, width, look), style))
            .collect()
    }

    fn cycle_sign(&self) -> &'static str {
        self.look.sign("↻", "@")
    }

    fn list(&self, side: Side, area: Rect, buffer: &mut Buffer) {
        let walk = &self.model.walk;
        let list = walk.list(side);
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let columns = Columns::of(list.layer, usize::from(area.width));
        self.heading(side, &columns, Rect { height: 1, ..area }, buffer);
        if list.nodes.is_empty() {
            let text = match side {
                Side::Deps => "it depends on nothing",
                Side::Users => "nothing depends on it",
                Side::Path => "",
            };
            let wrap = Wrap { trim: true };
            Paragraph::new(text).style(self.look.dim()).wrap(wrap).render(inner(body), buffer);
            return;
        }
        let rows = list.nodes.iter().enumerate().skip(list.top).take(usize::from(body.height));
        for (y, (row, at)) in (body.y..).zip(rows) {
            let node = Node { layer: list.layer, at: *at };
            let area = Rect { y, height: 1, ..area };
            self.row(side, row, node, &columns, area, buffer);
            if row == list.cursor {
                buffer.set_style(area, self.look.at_hand(walk.side == side));
            }
        }
    }

    fn heading(&self, side: Side, columns: &Columns, area: Rect, buffer: &mut Buffer) {
        let walk = &self.model.walk;
        let list = walk.list(side);
        let count = list.nodes.len();
        let text = match side {
            Side::Deps if list.layer == Layer::Modules => format!("imports {count}"),
            Side::Deps => format!("depends on {count}"),
            Side::Users if list.layer == Layer::Modules => format!("imported by {count}"),
            Side::Users => format!("needed by {count}"),
            Side::Path => {
                let steps = counted(count.saturating_sub(1), "step");
                format!("the way between the marks, {steps}")
            }
        };
        let style = if walk.side == side { self.look.chosen(true) } else { self.look.strong() };
        buffer.set_stringn(
            area.x + 1,
            area.y,
            format!(" {text} "),
            usize::from(area.width) - 1,
            style,
        );
        let what = if list.layer == Layer::Modules { "modules" } else { "targets" };
        let numbers = columns.show(what, "sources", "bytes");
        let x = area.right().saturating_sub(columns_of(&numbers) as u16 + 1);
        // Where the heading needs the room, the numbers explain themselves.
        if usize::from(x.saturating_sub(area.x)) > columns_of(&text) + 4 {
            buffer.set_string(x, area.y, numbers, self.look.dim());
        }
    }

    fn row(
        &self,
        side: Side,
        row: usize,
        node: Node,
        columns: &Columns,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let (walk, look) = (&self.model.walk, self.look);
        let sign = match (walk.spoken_of(side, row), side) {
            ([_, ..], _) => "!",
            ([], Side::Deps | Side::Users) if walk.cycle().binary_search(&node.at).is_ok() => {
                self.cycle_sign()
            }
            _ => " ",
        };
        buffer.set_string(area.x + 1, area.y, sign, look.careful());
        let how =
            walk.edge(side, row).map(|(from, to)| self.world.tie(from.layer, from.at, to.at).how);
        let how = clipped(&plain(&how.unwrap_or_default()), columns.how.saturating_sub(1), look);
        buffer.set_string(area.x + 3, area.y, how, look.dim());
        let weight = walk.weight(node).unwrap_or_default();
        let numbers = columns.show(
            &weight.nodes.to_string(),
            &weight.sources.to_string(),
            &Size(weight.bytes).to_string(),
        );
        let end = usize::from(area.width).saturating_sub(columns_of(&numbers) + 1);
        let room = end.saturating_sub(3 + columns.how);
        let name = shortened(&plain(&self.world.name(node)), room, look);
        let is_marked = walk.marks.contains(&node);
        let style = if is_marked { look.good() } else { Style::new() };
        let x = area.x + 3 + columns.how as u16;
        let x = buffer.set_stringn(x, area.y, name, room, style).0;
        if is_marked && usize::from(x - area.x) + 2 < end {
            buffer.set_string(x + 1, area.y, look.sign("◆", "*"), look.good());
        }
        buffer.set_string(area.x + end as u16, area.y, numbers, look.dim());
    }
}

/// The columns beside the name, as far as there is room for them.
struct Columns {
    how: usize,
    sources: bool,
    bytes: bool,
}

impl Columns {
    fn of(layer: Layer, width: usize) -> Self {
        let mut room = width.saturating_sub(4 + 8);
        let mut take = |columns: usize, name: usize| {
            let fits = columns + name <= room;
            room -= if fits { columns } else { 0 };
            fits
        };
        let short = if layer == Layer::Targets { 6 } else { 10 };
        let how = if take(short, NAME) { short } else { 0 };
        let bytes = layer == Layer::Targets && take(8, NAME);
        let sources = take(8, LONG_NAME);
        let how = if how == short && take(12 - short, LONG_NAME) { 12 } else { how };
        Self { how, sources, bytes }
    }

    fn show(&self, nodes: &str, sources: &str, bytes: &str) -> String {
        let sources = if self.sources { format!("{sources:>8}") } else { String::new() };
        let bytes = if self.bytes { format!("{bytes:>8}") } else { String::new() };
        format!("{nodes:>8}{sources}{bytes}")
    }
}
