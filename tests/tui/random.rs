//! Random use: nothing panics, what is at hand is there, and undoing everything leads back to the start.

use super::samples::{as_news, decided, made_up};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use secateur::source::ProjectPath;
use secateur::tui::message::{Outcome, Page, Preview, Question, Tab};
use secateur::tui::model::Overlay;
use secateur::tui::rows::RowId;
use secateur::tui::{
    Colors, Decision, Decisions, Effect, Item, Keymap, Look, Message, Model, Proof, draw, update,
};
use std::collections::BTreeMap;
use tui_input::InputRequest;

/// A repository small enough that random keys meet the same finding twice.
const FINDINGS: usize = 24;

fn wishes() -> impl Strategy<Value = Message> {
    let by = || prop::sample::select(vec![-1000, -3, -1, 1, 1, 1, 4, 1000]);
    let question = prop::sample::select(vec![
        Question::Filter,
        Question::Reason,
        Question::Snooze,
        Question::Note,
        Question::Jump,
        Question::Verify,
        Question::Export,
    ]);
    let letters = prop::sample::select("is:openchkarg 1234-é表\u{301}".chars().collect::<Vec<_>>());
    let still =
        |messages: Vec<Message>| (0..messages.len()).prop_map(move |at| messages[at].clone());
    prop_oneof![
        4 => by().prop_map(Message::Move),
        2 => by().prop_map(Message::Page),
        1 => by().prop_map(Message::Scroll),
        1 => by().prop_map(Message::Turn),
        1 => by().prop_map(Message::Chain),
        1 => by().prop_map(Message::Scope),
        3 => question.prop_map(Message::Ask),
        6 => letters.prop_map(|letter| Message::Input(InputRequest::InsertChar(letter))),
        1 => Just(Message::Input(InputRequest::DeletePrevChar)),
        1 => prop::sample::select(Tab::ALL.to_vec()).prop_map(Message::Show),
        2 => prop::sample::select(vec![Page::Findings, Page::Findings, Page::Graph, Page::Review])
            .prop_map(Message::Visit),
        2 => (0..80_u16, 0..30_u16).prop_map(|(column, row)| Message::Click { column, row }),
        12 => still(vec![
            Message::Accept,
            Message::Accept,
            Message::AcceptSafe,
            Message::Confirm,
            Message::Confirm,
            Message::Cancel,
            Message::Undo,
            Message::Redo,
        ]),
        8 => still(vec![
            Message::First,
            Message::Last,
            Message::Open,
            Message::Close,
            Message::Focus,
            Message::Group,
            Message::Sort,
            Message::Help,
            Message::Edit,
            Message::Reanalyse,
            Message::Apply,
            Message::TakeBack,
            Message::Mark,
            Message::Side,
            Message::Quit,
        ]),
    ]
}

fn news() -> impl Strategy<Value = Message> {
    let sizes = prop_oneof![
        3 => (40..=200_u16, 10..=60_u16),
        1 => (10..=60_u16, 3..=12_u16),
    ];
    let path = || ProjectPath::new("services/area1/team1/BUCK");
    let tried = (0..FINDINGS).prop_map(|at| {
        let item = made_up(FINDINGS + 9).remove((at * 7) % FINDINGS);
        let proof =
            [Proof::Open, Proof::Refused("no\nliteral".to_owned()), item.proof][at % 3].clone();
        Message::Tried(vec![(item.fingerprint, proof)])
    });
    let preview = (0..FINDINGS).prop_map(|count| {
        let changes = made_up(count).into_iter().filter_map(|item| match item.proof {
            Proof::Proven(changes) => Some(changes[0].clone()),
            _ => None,
        });
        let changes: Vec<_> = changes.collect();
        let owners = BTreeMap::from([("@acme/team1".to_owned(), count)]);
        let refused = vec![("0000000000000001".to_owned(), "the list is computed".to_owned())];
        Message::Preview(Box::new(Preview { settles: Vec::new(), changes, refused, owners }))
    });
    prop_oneof![
        4 => sizes.prop_map(|(columns, lines)| Message::Resize(columns, lines)),
        2 => (0..=FINDINGS).prop_map(|count| as_news(made_up(count))),
        2 => tried,
        1 => (0..FINDINGS).prop_map(|some| {
            let items = made_up(FINDINGS).into_iter().skip(some);
            Message::Priced(items.filter_map(|it| Some((it.fingerprint, it.saving?))).collect())
        }),
        2 => preview,
        1 => (0..9_usize).prop_map(move |which| match which {
            0 => Message::Tick,
            1 => Message::Progress { stage: "reading", done: 3, total: Some(9) },
            2 => Message::Settled,
            3 => Message::Failed("no\nroot".to_owned()),
            4 => Message::Text(path(), Some("a\tb\n\u{1b}[31m表\n".repeat(30).into())),
            5 => Message::Applied(Box::new(Outcome::Written {
                batch: "b".to_owned(),
                files: vec![path()],
                settles: Vec::new(),
            })),
            6 => Message::Applied(Box::new(Outcome::Refused(vec![(
                "a".to_owned(),
                "changed".to_owned(),
            )]))),
            7 => Message::Verified(Err("exit status: 1".to_owned())),
            _ => Message::Changed(vec![path()]),
        }),
    ]
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    prop::collection::vec(prop_oneof![4 => wishes(), 1 => news()], 1..120)
}

fn check(model: &Model) {
    assert!(model.cursor < model.rows.len().max(1), "the row at hand is there");
    assert!(model.top <= model.cursor, "the row at hand is not above the screen");
    let lines = model.page_lines().saturating_sub(1).max(1);
    assert!(model.cursor < model.top + lines, "the row at hand is not below the screen");
    for row in &model.rows {
        assert!(!row.items.is_empty(), "a row without findings: {row:?}");
        assert!(row.items.iter().all(|at| *at < model.items.len()));
        if let RowId::Finding(print) = &row.id {
            assert_eq!(model.items[row.items[0]].fingerprint, *print);
            let again = model.arrangement.rows(&model.items, &model.decisions, model.today);
            assert_eq!(again, model.rows, "rows are those of the decisions and the filter");
        }
    }
}

fn draw_in_all_looks(model: &Model) {
    let (width, height) = model.size;
    let area = Rect { x: 0, y: 0, width, height };
    for colors in [Colors::None, Colors::Sixteen, Colors::True] {
        for ascii in [false, true] {
            let mut buffer = Buffer::empty(area);
            draw(model, Look { colors, ascii }, area, &mut buffer);
        }
    }
}

fn start() -> Model {
    let kept = made_up(FINDINGS).into_iter().step_by(5).map(|item: Item| {
        (item.fingerprint, Decision { choice: None, note: "from last time".to_owned() })
    });
    let today = jiff::civil::date(2026, 5, 17);
    Model::new("random".to_owned(), today, Keymap::default(), Decisions::new(kept.collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_messages_leave_a_model_that_can_be_shown_and_undone(messages in messages()) {
        let mut model = start();
        let before = decided(&model);
        update(&mut model, as_news(made_up(FINDINGS)));
        for (at, message) in messages.into_iter().enumerate() {
            let decisions = decided(&model);
            let effects = update(&mut model, message);
            check(&model);
            if at % 4 == 0 {
                draw_in_all_looks(&model);
            }
            let saved = effects.iter().rev().find_map(|effect| match effect {
                Effect::Save(entries) => Some(entries.clone()),
                _ => None,
            });
            prop_assert_eq!(saved.unwrap_or(decisions), decided(&model), "what is decided is kept");
        }
        update(&mut model, Message::Visit(Page::Findings));
        while matches!(model.overlay, Some(Overlay::Asking(..) | Overlay::Help(_))) {
            update(&mut model, Message::Cancel);
        }
        let end = decided(&model);
        let mut steps = 0;
        while decided(&model) != before {
            update(&mut model, Message::Undo);
            check(&model);
            steps += 1;
            prop_assert!(steps < 1000, "undo does not lead back");
        }
        // What was taken back can be made again, all of it.
        for _ in 0..steps {
            update(&mut model, Message::Redo);
        }
        prop_assert!(steps == 0 || decided(&model) == end);
    }
}

#[test]
fn every_size_can_be_drawn() {
    let mut model = start();
    update(&mut model, as_news(made_up(FINDINGS)));
    for page in [Page::Findings, Page::Graph, Page::Review] {
        update(&mut model, Message::Visit(page));
        for question in [None, Some(Question::Filter), Some(Question::Jump)] {
            question.map(|question| update(&mut model, Message::Ask(question)));
            for (columns, lines) in [(10, 3), (1, 1), (40, 10), (41, 11), (80, 24), (200, 60)] {
                update(&mut model, Message::Resize(columns, lines));
                draw_in_all_looks(&model);
            }
            update(&mut model, Message::Cancel);
        }
        update(&mut model, Message::Help);
        draw_in_all_looks(&model);
        update(&mut model, Message::Cancel);
    }
}
