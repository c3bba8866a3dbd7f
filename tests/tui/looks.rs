//! What each page looks like, with its styles, at three sizes; and without colour, in ASCII, in true colour.
//!
//! Snapshots are in `snapshots/`: the lines of the screen, then the runs of cells that are not plain, by line and column.

use super::samples::{empty, sample, settled, tell};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use secateur::source::ProjectPath;
use secateur::tui::message::{Outcome, Page, Question, Tab};
use secateur::tui::rows::RowId;
use secateur::tui::{Colors, Look, Message, Model, draw};
use std::fmt::Write;
use tui_input::InputRequest;

const SIZES: [(u16, u16); 3] = [(200, 60), (120, 30), (80, 24)];
const USUAL: Look = Look { colors: Colors::Sixteen, ascii: false };

const IN_ALL_LOOKS: [&str; 9] = [
    "detail-finding",
    "diff-finding",
    "why",
    "source",
    "graph",
    "accepted",
    "filter-asking",
    "help",
    "review",
];

/// Lines of cells, then what is not plain in them.
pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    let mut styles = String::new();
    for y in 0..area.height {
        let cells: Vec<_> = (0..area.width).map(|x| &buffer[(x, y)]).collect();
        let line: String = cells.iter().map(|cell| cell.symbol()).collect();
        text += line.trim_end();
        text.push('\n');
        let mut runs: Vec<(usize, usize, Style)> = Vec::new();
        for (x, cell) in cells.iter().enumerate() {
            match runs.last_mut() {
                Some((_, end, style)) if *end == x && *style == cell.style() => *end = x + 1,
                _ => runs.push((x, x + 1, cell.style())),
            }
        }
        let plain = Buffer::empty(Rect::new(0, 0, 1, 1))[(0, 0)].style();
        let runs: Vec<String> = runs
            .into_iter()
            .filter(|(_, _, style)| *style != plain)
            .map(|(from, to, style)| format!("{from}..{to} {}", name(style)))
            .collect();
        if !runs.is_empty() {
            writeln!(styles, "{y}: {}", runs.join(", ")).unwrap();
        }
    }
    format!("{text}---\n{styles}")
}

fn name(style: Style) -> String {
    let mut words = Vec::new();
    let named = |color: Option<ratatui::style::Color>| {
        color.filter(|color| *color != ratatui::style::Color::Reset)
    };
    words.extend(named(style.fg).map(|color| color.to_string()));
    words.extend(named(style.bg).map(|color| format!("on {color}")));
    let modifiers = style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase());
    words.extend(modifiers);
    words.join(" ")
}

pub fn drawn(model: &Model, look: Look) -> Buffer {
    let area = Rect { x: 0, y: 0, width: model.size.0, height: model.size.1 };
    let mut buffer = Buffer::empty(area);
    draw(model, look, area, &mut buffer);
    buffer
}

/// Goes to the first finding whose subject has a text.
pub fn go_to(model: &mut Model, subject: &str) {
    let is_it = |row: &secateur::tui::rows::Row| {
        matches!(row.id, RowId::Finding(_)) && row.text.contains(subject)
    };
    let at = model.rows.iter().position(is_it).unwrap();
    tell(model, Message::First);
    tell(model, Message::Move(i32::try_from(at).unwrap()));
}

pub fn type_in(model: &mut Model, text: &str) {
    for letter in text.chars() {
        tell(model, Message::Input(InputRequest::InsertChar(letter)));
    }
}

/// A finding with a proven fix and evidence.
pub const WITH_FIX: &str = "pypi/acme-geo";

fn with(mut model: Model, messages: Vec<Message>) -> Model {
    messages.into_iter().for_each(|message| tell(&mut model, message));
    model
}

/// Goes to the first target or module whose name has a text.
fn jump(model: &mut Model, text: &str) {
    tell(model, Message::Ask(Question::Jump));
    type_in(model, text);
    tell(model, Message::Confirm);
}

/// The graph around targets and modules, and who needs what.
fn graph_scenes(size: (u16, u16)) -> Vec<(&'static str, Model)> {
    let at = |subject: &str, messages: Vec<Message>| {
        let mut model = settled(size.0, size.1);
        go_to(&mut model, subject);
        with(model, messages)
    };
    let graph = || Message::Visit(Page::Graph);
    let mut marked = at(WITH_FIX, vec![graph()]);
    jump(&mut marked, "serving:server");
    tell(&mut marked, Message::Mark);
    let mut path = marked.clone();
    jump(&mut path, "data:schema");
    tell(&mut path, Message::Mark);
    let mut asking = at(WITH_FIX, vec![graph(), Message::Ask(Question::Jump)]);
    type_in(&mut asking, "eta data");
    vec![
        ("why", at(WITH_FIX, vec![Message::Show(Tab::Why)])),
        ("source", at(WITH_FIX, vec![Message::Show(Tab::Source)])),
        ("graph", at(WITH_FIX, vec![graph()])),
        ("graph-module", at("eta.features.quantizer", vec![graph()])),
        ("graph-cycle", at("eta.features.embeddings", vec![graph()])),
        ("graph-marked", marked),
        ("graph-path", path),
        ("graph-jump", asking),
    ]
}

/// All that is to be seen, by name.
fn scenes(size: (u16, u16)) -> Vec<(&'static str, Model)> {
    let settled = || settled(size.0, size.1);
    let at_fix = || {
        let mut model = settled();
        go_to(&mut model, WITH_FIX);
        model
    };
    let mut accepted = at_fix();
    tell(&mut accepted, Message::Accept);
    let is_safe = |model: &Model| model.row().is_some_and(|row| row.mark.as_str() == "[ ]");
    while is_safe(&accepted) && accepted.accepted().count() < 3 {
        tell(&mut accepted, Message::Accept);
        tell(&mut accepted, Message::Move(1));
    }
    let mut asking = at_fix();
    tell(&mut asking, Message::Ask(Question::Filter));
    type_in(&mut asking, "check:unused eta");
    let mut refused_answer = with(at_fix(), vec![Message::Ask(Question::Snooze)]);
    type_in(&mut refused_answer, "x");
    tell(&mut refused_answer, Message::Confirm);
    let filtered = with(asking.clone(), vec![Message::Confirm]);
    let written = Outcome::Written {
        batch: "2026-05-17-1".to_owned(),
        files: vec![ProjectPath::new("eta/features/BUCK"), ProjectPath::new("eta/serving/BUCK")],
        settles: vec!["1".to_owned(), "2".to_owned(), "3".to_owned()],
    };
    let refused = Outcome::Refused(vec![(
        "eta/features/BUCK".to_owned(),
        "it changed since it was analysed".to_owned(),
    )]);
    let review = with(accepted.clone(), vec![Message::Visit(Page::Review)]);
    let mut by_hand = settled();
    let refusal =
        secateur::tui::Proof::Refused("the list is put together by a function".to_owned());
    let tried: Vec<_> = by_hand
        .items
        .iter()
        .filter(|item| item.finding.fix.is_some())
        .map(|item| (item.fingerprint.clone(), refusal.clone()))
        .collect();
    tell(&mut by_hand, Message::Tried(tried));
    go_to(&mut by_hand, WITH_FIX);
    let progress = Message::Progress { stage: "evaluating build files", done: 12, total: Some(27) };
    let mut scenes = graph_scenes(size);
    scenes.extend(vec![
        ("starting", with(empty(size.0, size.1), vec![progress.clone()])),
        (
            "failed",
            with(empty(size.0, size.1), vec![Message::Failed("no project root".to_owned())]),
        ),
        ("detail-group", settled()),
        ("detail-finding", at_fix()),
        ("detail-by-hand", with(by_hand.clone(), vec![Message::Show(Tab::Detail)])),
        ("detail-side", with(at_fix(), vec![Message::Focus, Message::Scroll(3)])),
        ("diff-group", with(settled(), vec![Message::Show(Tab::Diff)])),
        ("diff-finding", with(at_fix(), vec![Message::Show(Tab::Diff)])),
        ("diff-by-hand", with(by_hand, vec![Message::Show(Tab::Diff)])),
        ("accepted", accepted),
        ("filter-asking", asking),
        ("filter-on", filtered),
        ("answer-refused", refused_answer),
        ("help", with(settled(), vec![Message::Help])),
        ("help-end", with(settled(), vec![Message::Help, Message::Last])),
        ("review-empty", with(settled(), vec![Message::Visit(Page::Review)])),
        ("review", review.clone()),
        ("review-refused", with(review.clone(), vec![Message::Applied(Box::new(refused))])),
        (
            "review-written",
            with(
                review.clone(),
                vec![
                    Message::Ask(Question::Verify),
                    Message::Input(InputRequest::InsertChar('m')),
                    Message::Confirm,
                    Message::Apply,
                    Message::Applied(Box::new(written)),
                    Message::Output("building 12 targets".to_owned()),
                    Message::Verified(Err("the command failed: exit status: 1".to_owned())),
                    progress,
                ],
            ),
        ),
    ]);
    scenes
}

#[test]
fn pages_at_three_sizes() {
    assert!(sample().exists());
    for size in SIZES {
        for (name, model) in scenes(size) {
            let name = format!("{name}-{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, text(&drawn(&model, USUAL)));
        }
    }
}

#[test]
fn pages_in_other_looks() {
    let ascii = Look { colors: Colors::None, ascii: true };
    let no_color = Look { colors: Colors::None, ascii: false };
    let true_color = Look { colors: Colors::True, ascii: false };
    for (look_name, look) in [("ascii", ascii), ("nocolor", no_color), ("true", true_color)] {
        for (name, model) in scenes((80, 24)) {
            if IN_ALL_LOOKS.contains(&name) {
                insta::assert_snapshot!(format!("{name}-{look_name}"), text(&drawn(&model, look)));
            }
        }
    }
}

#[test]
fn ascii_is_ascii() {
    for (name, model) in scenes((120, 30)) {
        let shown = text(&drawn(&model, Look { colors: Colors::None, ascii: true }));
        let odd: String = shown.chars().filter(|letter| !letter.is_ascii()).collect();
        assert!(odd.is_empty(), "{name} has {odd}");
    }
}

#[test]
fn too_small_says_so() {
    insta::assert_snapshot!(text(&drawn(&settled(39, 9), USUAL)));
}
