//! What the terminal says, as what the user wants. Pure.

use super::message::{Message, Page, Question};
use super::model::{Model, Overlay};
use super::view;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use tui_input::backend::crossterm::to_input_request;

/// What an event means at this moment.
pub fn message_of(model: &Model, event: &Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_message(model, *key),
        Event::Mouse(mouse) => mouse_message(model, *mouse),
        Event::Resize(columns, lines) => Some(Message::Resize(*columns, *lines)),
        _ => None,
    }
}

fn key_message(model: &Model, key: KeyEvent) -> Option<Message> {
    match &model.overlay {
        Some(Overlay::Asking(question, ..)) => match key.code {
            KeyCode::Enter => Some(Message::Confirm),
            KeyCode::Esc => Some(Message::Cancel),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                Some(Message::Cancel)
            }
            KeyCode::Up if *question == Question::Jump => Some(Message::Move(-1)),
            KeyCode::Down if *question == Question::Jump => Some(Message::Move(1)),
            _ => to_input_request(&Event::Key(key)).map(Message::Input),
        },
        _ => model.keymap.message(model.page, key),
    }
}

fn mouse_message(model: &Model, mouse: MouseEvent) -> Option<Message> {
    let by = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            return Some(Message::Click { column: mouse.column, row: mouse.row });
        }
        MouseEventKind::ScrollDown => 3,
        MouseEventKind::ScrollUp => -3,
        _ => return None,
    };
    // The wheel moves what it is over, whatever the keys move.
    let is_beside = model.overlay.is_none()
        && model.page == Page::Findings
        && mouse.column >= view::tree_width(model.size.0);
    Some(if is_beside { Message::Scroll(by) } else { Message::Move(by) })
}
