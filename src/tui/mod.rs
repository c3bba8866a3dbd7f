//! The terminal UI as pure values: what happened becomes a message, a message changes the model, the model is drawn. Touches
//! nothing: what is to be done outside is an effect that `cli` carries out.
//!
//! | file | is |
//! |---|---|
//! | `message` | everything that can happen |
//! | `keymap` | the one table of keys, from which help and footer are made too |
//! | `model` | everything that is shown |
//! | `update` | message × model → model and effects |
//! | `effect` | what is to be done outside |
//! | `view` | model → cells of the terminal |

mod answer;
pub mod decisions;
pub mod effect;
pub mod filter;
pub mod hunks;
pub mod input;
pub mod item;
pub mod keymap;
pub mod message;
pub mod model;
mod news;
pub mod rows;
pub mod update;
pub mod view;
pub mod walk;
pub mod why;

pub use decisions::{Choice, Decision, Decisions};
pub use effect::Effect;
pub use item::{Item, Proof};
pub use keymap::Keymap;
pub use message::Message;
pub use model::Model;
pub use update::update;
pub use view::{Colors, Look, draw};

/// A number of things.
fn counted(number: usize, what: &str) -> String {
    let plural = match what {
        _ if number == 1 => "",
        what if what.ends_with('x') => "es",
        _ => "s",
    };
    format!("{number} {what}{plural}")
}
