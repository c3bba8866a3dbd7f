//! How long a message and the screen after it take, with many findings; `just bench-tui` shows it.

use super::samples::{as_news, made_up};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use secateur::tui::message::{Page, Tab};
use secateur::tui::{Colors, Decisions, Keymap, Look, Message, Model, draw, update};
use std::time::{Duration, Instant};

const AREA: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };

/// `BENCH_TUI` is how many findings there are.
#[test]
fn the_screen_follows_the_keys() {
    let count = std::env::var("BENCH_TUI").map(|text| text.parse().unwrap());
    let count = count.unwrap_or(300);
    let today = jiff::civil::date(2026, 5, 17);
    let mut model = Model::new("many".to_owned(), today, Keymap::default(), Decisions::default());
    update(&mut model, Message::Resize(AREA.width, AREA.height));
    let mut buffer = Buffer::empty(AREA);
    let items = made_up(count);
    let tried: Vec<_> =
        items.iter().map(|item| (item.fingerprint.clone(), item.proof.clone())).collect();
    let mut step = |model: &mut Model, message: Message| {
        let begin = Instant::now();
        update(model, message);
        buffer.reset();
        draw(model, Look { colors: Colors::True, ascii: false }, AREA, &mut buffer);
        begin.elapsed()
    };
    show("findings come", vec![step(&mut model, as_news(items))]);
    let chunks = tried.chunks(16).take(100);
    let times = chunks.map(|chunk| step(&mut model, Message::Tried(chunk.to_vec()))).collect();
    show("16 fixes tried", times);
    let rows = model.rows.len();
    assert!(rows > count, "some are in groups");
    for tab in [Tab::Detail, Tab::Diff] {
        step(&mut model, Message::Show(tab));
        step(&mut model, Message::First);
        let times = (0..rows).map(|_| step(&mut model, Message::Move(1))).collect();
        show(&format!("scrolling, {}", tab.as_str()), times);
        assert_eq!(model.cursor, rows - 1, "the last row is at hand");
    }
    step(&mut model, Message::First);
    show("accepting", (0..100).map(|_| step(&mut model, Message::Accept)).collect());
    step(&mut model, Message::First);
    step(&mut model, Message::Accept);
    show("undoing", (0..50).map(|_| step(&mut model, Message::Undo)).collect());
    let owners = std::collections::BTreeMap::new();
    let changes = made_up(count).into_iter().filter_map(|item| match item.proof {
        secateur::tui::Proof::Proven(changes) => Some(changes[0].clone()),
        _ => None,
    });
    let preview = secateur::tui::message::Preview {
        changes: changes.take(1000).collect(),
        owners,
        ..Default::default()
    };
    step(&mut model, Message::Visit(Page::Review));
    show("1000 files in review", vec![step(&mut model, Message::Preview(Box::new(preview)))]);
    let times = (0..300).map(|_| step(&mut model, Message::Page(1))).collect();
    show("scrolling the review", times);
}

#[expect(clippy::print_stderr, reason = "it is what the figure is for")]
fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    eprintln!(
        "{what:<22} {:>6} steps  median {:>8.3} ms  99% {:>8.3} ms  worst {:>8.3} ms",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
}
