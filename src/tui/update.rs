//! What a message does to the model, and what is to be done outside because of it. Pure.

use super::decisions::{Choice, Decision};
use super::effect::Effect;
use super::item::{Item, Proof};
use super::message::{Message, Page, Question, Scope, Tab};
use super::model::{Model, Overlay, Pane, Stage};
use super::rows::{Mark, Row, RowId};
use super::{answer, counted, news, view, walk, why};
use crate::source::ProjectPath;
use std::collections::BTreeSet;
use tui_input::Input;

/// Changes the model, and says what is to be done outside.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    if is_wish(&message) {
        model.notice = None;
    }
    let mut effects = match &model.overlay {
        Some(Overlay::Asking(..)) => match answer::update(model, message) {
            Ok(effects) => effects,
            Err(message) => general(model, message),
        },
        Some(Overlay::Help(_)) => match in_help(model, message) {
            Ok(()) => Vec::new(),
            Err(message) => general(model, message),
        },
        None => general(model, message),
    };
    walk::look(model);
    why::look(model);
    effects.extend(wanted_texts(model));
    effects.extend(wanted_proofs(model));
    effects
}

/// Whether the user did something.
pub(super) fn is_wish(message: &Message) -> bool {
    !matches!(
        message,
        Message::Tick
            | Message::Resize(..)
            | Message::Progress { .. }
            | Message::Analysed(_)
            | Message::Priced(_)
            | Message::Tried(_)
            | Message::Settled
            | Message::Failed(_)
            | Message::Text(..)
            | Message::Preview(_)
            | Message::Applied(_)
            | Message::TakenBack(_)
            | Message::Output(_)
            | Message::Verified(_)
            | Message::Notice(_)
            | Message::Changed(_)
    )
}

fn in_help(model: &mut Model, message: Message) -> Result<(), Message> {
    let lines = view::help_length(model);
    let Some(Overlay::Help(top)) = &mut model.overlay else { return Err(message) };
    match message {
        Message::Move(by) | Message::Scroll(by) => *top = moved(*top, by, lines),
        Message::Page(by) => *top = moved(*top, by.saturating_mul(10), lines),
        Message::First => *top = 0,
        Message::Last => *top = lines.saturating_sub(1),
        Message::Cancel | Message::Quit | Message::Help | Message::Confirm => model.overlay = None,
        message if is_wish(&message) => {}
        message => return Err(message),
    }
    Ok(())
}

fn general(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Quit => return vec![Effect::Quit],
        Message::Help => model.overlay = Some(Overlay::Help(0)),
        Message::Ask(question) => return answer::ask(model, question),
        Message::Undo => return step(model, |model| model.decisions.undo()),
        Message::Redo => return step(model, |model| model.decisions.redo()),
        Message::Reanalyse => return analyse(model),
        Message::Visit(page) => return visit(model, page),
        Message::Edit => return edit(model),
        Message::Resize(columns, lines) => {
            model.size = (columns, lines);
            model.go_to(model.cursor);
        }
        Message::Tick => model.ticks = model.ticks.wrapping_add(1),
        Message::Notice(text) => model.notice = Some(text),
        message => {
            return match (news::update(model, message), model.page) {
                (Ok(effects), _) => effects,
                (Err(message), Page::Findings) => findings(model, message),
                (Err(message), Page::Graph) => {
                    walk::update(model, &message);
                    Vec::new()
                }
                (Err(message), Page::Review) => review(model, message),
            };
        }
    }
    Vec::new()
}

fn findings(model: &mut Model, message: Message) -> Vec<Effect> {
    let lines = steps(model.page_lines());
    match message {
        Message::Move(by) if model.focus == Pane::Tree => {
            model.go_to(moved(model.cursor, by, model.rows.len()));
        }
        Message::Page(by) if model.focus == Pane::Tree => {
            model.go_to(moved(model.cursor, by.saturating_mul(lines - 2), model.rows.len()));
        }
        Message::First if model.focus == Pane::Tree => model.go_to(0),
        Message::Last if model.focus == Pane::Tree => model.go_to(usize::MAX),
        Message::Move(by) | Message::Scroll(by) => scroll(model, by),
        Message::Page(by) => scroll(model, by.saturating_mul(lines - 2)),
        Message::First => scroll(model, i32::MIN),
        Message::Last => scroll(model, i32::MAX),
        Message::Focus => model.focus = other(model.focus),
        Message::Open => open(model),
        Message::Close => close(model),
        Message::Accept => return accept(model),
        Message::AcceptSafe => return accept_safe(model),
        Message::Group => {
            model.arrangement.grouping = model.arrangement.grouping.next();
            model.refresh();
        }
        Message::Sort => {
            model.arrangement.sort = model.arrangement.sort.next();
            model.refresh();
        }
        Message::Show(tab) => show(model, tab),
        Message::Turn(by) => {
            let at = Tab::ALL.iter().position(|tab| *tab == model.tab).unwrap_or(0);
            show(model, Tab::ALL[turned(at, by, Tab::ALL.len())]);
        }
        Message::Chain(by) => model.chain = moved(model.chain, by, usize::MAX),
        Message::Click { column, row } => click(model, column, row),
        Message::Cancel if !model.filter.is_empty() => {
            model.filter.clear();
            answer::set_filter(model, "");
        }
        Message::Cancel if model.focus == Pane::Side => model.focus = Pane::Tree,
        Message::Cancel if model.stage.is_busy() => {
            model.stage = Stage::Cancelled;
            return vec![Effect::Cancel];
        }
        _ => {}
    }
    Vec::new()
}

fn review(model: &mut Model, message: Message) -> Vec<Effect> {
    let page = steps(model.page_lines()) - 2;
    let review = &mut model.review;
    match message {
        Message::Move(by) | Message::Scroll(by) => scroll(model, by),
        Message::Page(by) => scroll(model, by.saturating_mul(page)),
        Message::First => review.scroll = 0,
        Message::Last => scroll(model, i32::MAX),
        Message::Scope(by) => {
            let owners = owners(model);
            let at = match &model.review.scope {
                Scope::All => 0,
                Scope::Owner(owner) => {
                    owners.iter().position(|it| it == owner).map_or(0, |at| at + 1)
                }
            };
            let next = turned(at, by, owners.len() + 1);
            let owner = next.checked_sub(1).and_then(|at| owners.get(at));
            model.review.scope = owner.map_or(Scope::All, |owner| Scope::Owner(owner.clone()));
            return combine(model);
        }
        Message::Apply => {
            let preview = review.preview.take_if(|preview| !preview.changes.is_empty());
            match preview {
                Some(preview) => {
                    review.result = vec!["writing…".to_owned()];
                    return vec![Effect::Apply(Box::new(preview))];
                }
                None => model.notice = Some("there is nothing to write".to_owned()),
            }
        }
        Message::TakeBack => match review.batch.clone() {
            Some(batch) => {
                model.notice = Some(in_turn(model, "taking it back"));
                return vec![Effect::TakeBack(batch)];
            }
            None => model.notice = Some("nothing was written in this session".to_owned()),
        },
        _ => {}
    }
    Vec::new()
}

/// What is about to happen, and what it has to wait for.
pub(super) fn in_turn(model: &Model, what: &str) -> String {
    let is_reading = matches!(model.stage, Stage::Starting | Stage::Running(..));
    let when = if is_reading { " once everything is read" } else { "" };
    format!("{what}{when}…")
}

/// A position some steps away, within `count`.
pub(super) fn moved(at: usize, by: i32, count: usize) -> usize {
    let to = at.saturating_add_signed(by as isize);
    to.min(count.saturating_sub(1))
}

/// A position some steps away, round in a circle of `count`.
pub(super) fn turned(at: usize, by: i32, count: usize) -> usize {
    let by = usize::try_from(by.rem_euclid(steps(count).max(1))).unwrap_or(0);
    (at + by) % count.max(1)
}

fn steps(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn other(pane: Pane) -> Pane {
    match pane {
        Pane::Tree => Pane::Side,
        Pane::Side => Pane::Tree,
    }
}

/// Scrolls what is beside the tree, or the review, as far as there are lines.
fn scroll(model: &mut Model, by: i32) {
    if model.page == Page::Review {
        let most = view::scroll_length(model);
        model.review.scroll = moved(model.review.scroll.min(most), by, most + 1);
        return;
    }
    model.scroll_by(by);
    if model.tab != Tab::Source {
        let most = isize::try_from(view::scroll_length(model)).unwrap_or(isize::MAX);
        model.scroll = model.scroll.min(most);
    }
}

fn show(model: &mut Model, tab: Tab) {
    (model.tab, model.scroll) = (tab, 0);
}

fn open(model: &mut Model) {
    let Some(row) = model.row() else { return };
    match row.id.clone() {
        RowId::Group(path) if row.folded => {
            model.arrangement.folded.remove(&path);
            model.refresh();
        }
        RowId::Group(_) => model.go_to(model.cursor + 1),
        RowId::Finding(_) => model.focus = Pane::Side,
    }
}

fn close(model: &mut Model) {
    if model.focus == Pane::Side {
        model.focus = Pane::Tree;
        return;
    }
    let Some(row) = model.row() else { return };
    match row.id.clone() {
        RowId::Group(path) if !row.folded => {
            model.arrangement.folded.insert(path);
            model.refresh();
        }
        _ => model.go_to(parent(model, model.cursor).unwrap_or(model.cursor)),
    }
}

/// The row of the group that a row is in.
fn parent(model: &Model, at: usize) -> Option<usize> {
    let depth = model.rows.get(at)?.depth;
    model.rows[..at].iter().rposition(|row| row.depth < depth)
}

/// The findings at hand: one, or those of a group.
pub(super) fn at_hand(model: &Model) -> Vec<&Item> {
    let items = model.row().map_or(&[][..], |row| row.items.as_slice());
    items.iter().filter_map(|at| model.items.get(*at)).collect()
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let fixable: Vec<&Item> = at_hand(model).into_iter().filter(|item| item.is_fixable()).collect();
    if fixable.is_empty() {
        model.notice = Some(match at_hand(model).as_slice() {
            [Item { proof: Proof::Refused(reason), .. }] => {
                format!("this has to be done by hand: {reason}")
            }
            _ => "there is no fix for this: it has to be done by hand".to_owned(),
        });
        return Vec::new();
    }
    let is_accepted = |item: &&Item| matches!(model.choice(item), Some(Choice::Accepted));
    let choice = (!fixable.iter().all(is_accepted)).then_some(Choice::Accepted);
    let count = fixable.len();
    let prints = with_the_same_edits(model, &fixable);
    let is_one = matches!(model.row().map(|row| &row.id), Some(RowId::Finding(_)));
    let effects = decide(model, &prints, |decision| decision.choice.clone_from(&choice));
    if choice.is_none() {
        return effects;
    }
    if prints.len() > count {
        let others = counted(prints.len() - count, "finding");
        model.notice = Some(format!("accepted, and with it {others} that the same edit settles"));
    }
    if is_one {
        // On to the next finding that is open; a group is not decided by a key too many.
        let is_open = |row: &Row| matches!(row.id, RowId::Finding(_)) && row.mark == Mark::Open;
        let next = model.rows.iter().skip(model.cursor + 1).position(is_open);
        model.go_to(next.map_or(model.cursor, |by| model.cursor + 1 + by));
    }
    effects
}

/// Fingerprints of findings, and of all others that their edits settle.
fn with_the_same_edits(model: &Model, items: &[&Item]) -> Vec<String> {
    let edits: BTreeSet<usize> = items.iter().filter_map(|item| item.edit).collect();
    let own: BTreeSet<&str> = items.iter().map(|item| item.fingerprint.as_str()).collect();
    let is_settled = |item: &&Item| {
        own.contains(item.fingerprint.as_str()) || item.edit.is_some_and(|it| edits.contains(&it))
    };
    model.items.iter().filter(is_settled).map(|item| item.fingerprint.clone()).collect()
}

fn accept_safe(model: &mut Model) -> Vec<Effect> {
    let is_group = matches!(model.row().map(|row| &row.id), Some(RowId::Group(_)));
    let group = if is_group { None } else { parent(model, model.cursor) };
    let Some(row) = model.rows.get(group.unwrap_or(model.cursor)) else { return Vec::new() };
    let name = if matches!(row.id, RowId::Group(_)) { &row.text } else { &row.lead };
    let items = row.items.iter().filter_map(|at| model.items.get(*at));
    let open: Vec<&Item> = items
        .filter(|item| item.is_safe() && item.is_fixable() && model.choice(item).is_none())
        .collect();
    let notice = match open.len() {
        0 => format!("no safe fix is open in {name}"),
        count => format!("accepted {} in {name}", counted(count, "safe fix")),
    };
    let prints = with_the_same_edits(model, &open);
    model.notice = Some(notice);
    decide(model, &prints, |decision| decision.choice = Some(Choice::Accepted))
}

/// Changes decisions, and keeps them.
pub(super) fn decide(
    model: &mut Model,
    prints: &[String],
    change: impl Fn(&mut Decision),
) -> Vec<Effect> {
    if !model.decisions.change(prints.iter().map(String::as_str), change) {
        return Vec::new();
    }
    model.refresh();
    vec![save(model), Effect::Prefer(prints.to_vec())]
}

fn save(model: &Model) -> Effect {
    Effect::Save(model.decisions.entries().clone())
}

fn step(model: &mut Model, way: impl Fn(&mut Model) -> Option<Vec<String>>) -> Vec<Effect> {
    let Some(about) = way(model) else {
        model.notice = Some("there is nothing to take back or make again".to_owned());
        return Vec::new();
    };
    model.refresh();
    let first = about.first().cloned().map(RowId::Finding);
    if let Some(at) = model.rows.iter().position(|row| Some(&row.id) == first.as_ref()) {
        model.go_to(at);
    }
    vec![save(model)]
}

/// Has everything read anew.
pub(super) fn analyse(model: &mut Model) -> Vec<Effect> {
    model.stage = Stage::Starting;
    vec![Effect::Analyse]
}

fn visit(model: &mut Model, page: Page) -> Vec<Effect> {
    model.page = page;
    match page {
        Page::Findings => Vec::new(),
        Page::Graph => {
            walk::enter(model);
            Vec::new()
        }
        Page::Review => {
            model.review.scope = Scope::All;
            model.review.result.clear();
            combine(model)
        }
    }
}

/// Asks for what would be written.
pub(super) fn combine(model: &mut Model) -> Vec<Effect> {
    model.review.preview = None;
    let is_meant = |item: &&Item| match &model.review.scope {
        Scope::All => true,
        Scope::Owner(owner) => item.owner == *owner,
    };
    let accepted = model.accepted().filter(is_meant).map(|item| item.fingerprint.clone()).collect();
    let rejected = model.items.iter().filter(is_meant).filter_map(|item| {
        let Some(Choice::Rejected { reason }) = model.choice(item) else { return None };
        Some((item.fingerprint.clone(), reason.clone()))
    });
    let (kept, scope) = (rejected.collect(), model.review.scope.clone());
    vec![Effect::Combine { accepted, kept, scope }]
}

/// Those who answer for what was decided.
fn owners(model: &Model) -> Vec<String> {
    let is_decided = |item: &&Item| {
        matches!(model.choice(item), Some(Choice::Accepted | Choice::Rejected { .. }))
    };
    let mut owners: Vec<String> =
        model.items.iter().filter(is_decided).map(|item| item.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    owners
}

fn edit(model: &Model) -> Vec<Effect> {
    let place = match model.page {
        Page::Findings | Page::Review => {
            model.item().map(|item| (item.finding.region.path.clone(), item.finding.region.line))
        }
        Page::Graph => walk::place(model),
    };
    place.map(|(path, line)| Effect::Edit(path, line)).into_iter().collect()
}

fn click(model: &mut Model, column: u16, row: u16) {
    if row == 1
        && let Some(tab) = view::tab_at(model.size.0, column)
    {
        show(model, tab);
        return;
    }
    // The first line is the header, the second the heading of the tree.
    let Some(line) = row.checked_sub(2) else { return };
    if column < view::tree_width(model.size.0) {
        model.focus = Pane::Tree;
        let at = model.top + usize::from(line);
        if at < model.rows.len() {
            if at == model.cursor { open(model) } else { model.go_to(at) }
        }
    } else {
        model.focus = Pane::Side;
    }
}

/// Files that the screen needs and does not have.
fn wanted_texts(model: &Model) -> Vec<Effect> {
    if model.page != Page::Findings {
        return Vec::new();
    }
    let Some(item) = model.item() else { return Vec::new() };
    let evidence = item.finding.evidence.iter().take(12);
    let evidence = evidence.map(|evidence| ProjectPath::new(evidence.path.as_str()));
    let mut paths: Vec<ProjectPath> =
        std::iter::once(item.finding.region.path.clone()).chain(evidence).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| !model.texts.contains_key(path));
    paths.into_iter().map(Effect::Read).collect()
}

/// Fixes that are in sight and were not tried yet: the one at hand first.
fn wanted_proofs(model: &mut Model) -> Option<Effect> {
    if model.page != Page::Findings || !matches!(model.stage, Stage::Trying(..)) {
        return None;
    }
    let lines = model.page_lines();
    let in_sight = model.rows.iter().skip(model.top).take(lines);
    let rows = model.row().into_iter().chain(in_sight);
    let items = rows.flat_map(|row| row.items.iter().take(lines));
    let items = items.filter_map(|at| model.items.get(*at));
    let is_open = |item: &&Item| item.finding.fix.is_some() && item.proof == Proof::Open;
    let open = items.filter(is_open).take(2 * lines);
    let prints: Vec<String> = open.map(|item| item.fingerprint.clone()).collect();
    // What is being tried leaves the list by itself.
    let is_known = prints.iter().all(|print| model.preferred.contains(print));
    if is_known {
        return None;
    }
    model.preferred = prints.iter().cloned().collect();
    Some(Effect::Prefer(prints))
}

/// A question with an answer to start from.
pub(super) fn asking(question: Question, answer: &str) -> Overlay {
    Overlay::Asking(question, Input::new(answer.to_owned()), None)
}
