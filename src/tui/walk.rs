//! The page of the graph: one target, what it depends on and what depends on it. Pure.

use super::message::Message;
use super::model::Model;
use crate::source::ProjectPath;

/// Where the walk is.
#[derive(Clone, Debug, Default)]
pub struct Walk {}

/// What a message does on this page.
pub(super) fn update(_model: &mut Model, _message: &Message) {}

/// Begins at the finding at hand.
pub(super) fn enter(_model: &mut Model) {}

/// Finds its place again in a new graph.
pub(super) fn settle(_model: &mut Model) {}

/// Looks for labels while they are typed.
pub(super) fn search(_model: &mut Model, _text: &str) {}

/// Chooses among the labels that were found.
pub(super) fn choose(_model: &mut Model, _by: i32) {}

/// Goes to a target.
pub(super) fn jump(_model: &mut Model, _text: &str) -> Result<(), String> {
    Ok(())
}

/// Where the target at hand is defined.
pub(super) fn place(_model: &Model) -> Option<(ProjectPath, u32)> {
    None
}

/// Labels that were found, and which is chosen.
pub(super) fn found(_model: &Model) -> Vec<(String, bool)> {
    Vec::new()
}
