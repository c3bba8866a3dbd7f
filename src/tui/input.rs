//! What the terminal says, as what the user wants. Pure.

use super::message::{Message, Question};
use super::model::{Model, Overlay};
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use tui_input::backend::crossterm::to_input_request;

/// What an event means at this moment.
pub fn message_of(model: &Model, event: &Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_message(model, *key),
        Event::Mouse(mouse) => mouse_message(*mouse),
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

fn mouse_message(mouse: MouseEvent) -> Option<Message> {
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            Some(Message::Click { column: mouse.column, row: mouse.row })
        }
        MouseEventKind::ScrollDown => Some(Message::Move(3)),
        MouseEventKind::ScrollUp => Some(Message::Move(-3)),
        _ => None,
    }
}
