//! Targets and modules by a part of their name. Pure.

use super::world::{Layer, Node, World};
use super::{go, world};
use crate::tui::message::Question;
use crate::tui::model::{Model, Overlay};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use rayon::prelude::*;
use std::cmp::Reverse;

/// At most so many names are shown.
const MOST: usize = 10;
/// So many names are looked through in one piece.
const PIECE: usize = 4096;

/// What was looked for, and what was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Jump {
    text: String,
    found: Vec<Node>,
    chosen: usize,
}

/// Looks for labels while they are typed.
pub(in crate::tui) fn search(model: &mut Model, text: &str) {
    let layer = model.walk.here.map_or(Layer::Targets, |here| here.layer);
    let found = world(model).map_or_else(Vec::new, |world| best(&world, text, layer));
    model.walk.jump = Jump { text: text.to_owned(), found, chosen: 0 };
}

/// The best first; among equals those of the layer at hand, then the shorter.
fn best(world: &World, text: &str, layer: Layer) -> Vec<Node> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let pattern = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
    let search = |names: &[(Node, String)]| {
        let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
        let mut buffer = Vec::new();
        let scored = names.iter().filter_map(|(node, name)| {
            let score = pattern.score(Utf32Str::new(name, &mut buffer), &mut matcher)?;
            Some((Reverse(score), node.layer != layer, name.len(), *node))
        });
        let mut scored: Vec<_> = scored.collect();
        scored.sort_unstable();
        scored.truncate(MOST);
        scored
    };
    let mut scored: Vec<_> = world.names().par_chunks(PIECE).flat_map_iter(search).collect();
    scored.sort_unstable();
    scored.into_iter().take(MOST).map(|(.., node)| node).collect()
}

/// Chooses among the labels that were found.
pub(in crate::tui) fn choose(model: &mut Model, by: i32) {
    let jump = &mut model.walk.jump;
    jump.chosen = crate::tui::update::moved(jump.chosen, by, jump.found.len());
}

/// Goes to the chosen one of what was found; fails, in words, if there is none.
pub(in crate::tui) fn jump(model: &mut Model, text: &str) -> Result<(), String> {
    if model.walk.jump.text.trim() != text {
        search(model, text);
    }
    if model.graph.is_none() {
        return Err("nothing was read yet".to_owned());
    }
    let jump = std::mem::take(&mut model.walk.jump);
    match jump.found.get(jump.chosen) {
        Some(node) => {
            go(model, *node);
            Ok(())
        }
        None if text.is_empty() => Err("a part of a label or of a module's name".to_owned()),
        None => Err("no target and no module is called so".to_owned()),
    }
}

/// Labels that were found, and which is chosen.
pub(in crate::tui) fn found(model: &Model) -> Vec<(String, bool)> {
    let jump = &model.walk.jump;
    // What an earlier question found is none of this one's business.
    let is_of_this = matches!(&model.overlay, Some(Overlay::Asking(Question::Jump, input, _))
        if input.value() == jump.text);
    let Some(world) = model.walk.world.as_ref().filter(|_| is_of_this) else { return Vec::new() };
    let found = jump.found.iter().enumerate();
    found.map(|(at, node)| (world.name(*node), at == jump.chosen)).collect()
}
