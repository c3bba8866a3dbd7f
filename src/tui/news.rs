//! What comes from outside: findings, proofs, files, what became of writing. Pure.

use super::counted;
use super::effect::Effect;
use super::hunks;
use super::item::{Proof, number};
use super::message::{Analysis, Message, Outcome};
use super::model::{Model, Stage};
use super::update::analyse;
use super::walk;
use std::collections::BTreeMap;

/// More lines of a command's output are not kept.
const MAX_OUTPUT: usize = 2_000;
/// Texts of this many files are kept for the screen.
const MAX_TEXTS: usize = 200;

/// What comes from outside means the same on every page.
pub(super) fn update(model: &mut Model, message: Message) -> Result<Vec<Effect>, Message> {
    match message {
        // What was stopped may still say something.
        Message::Progress { stage, done, total } if model.stage.is_busy() => {
            model.stage = Stage::Running(stage, done, total);
        }
        Message::Progress { .. } => {}
        Message::Analysed(analysis) => analysed(model, *analysis),
        Message::Tried(tried) => {
            if let Stage::Trying(done, _) = &mut model.stage {
                *done += tried.len();
            }
            let mut tried: BTreeMap<String, Proof> = tried.into_iter().collect();
            for item in &mut model.items {
                if let Some(proof) = tried.remove(&item.fingerprint) {
                    item.proof = proof;
                }
            }
            model.refresh();
        }
        Message::Priced(mut savings) => {
            for item in &mut model.items {
                item.saving = savings.remove(&item.fingerprint);
            }
            let is_at_top = model.cursor == 0;
            model.refresh();
            // What saves most comes up while nobody has gone anywhere yet.
            if is_at_top {
                model.go_to(0);
            }
        }
        Message::Settled if model.stage == Stage::Cancelled => {}
        Message::Settled => model.stage = Stage::Done,
        Message::Failed(reason) => model.stage = Stage::Failed(reason),
        Message::Text(path, text) => {
            if model.texts.len() >= MAX_TEXTS {
                model.texts.clear();
            }
            model.texts.insert(path, text);
        }
        Message::Preview(preview) => {
            model.review.diff = hunks::of(&preview.changes);
            model.review.preview = Some(*preview);
            model.review.scroll = 0;
        }
        Message::Applied(outcome) => return Ok(applied(model, *outcome)),
        Message::TakenBack(Ok(text)) => {
            model.review.batch = None;
            model.review.output.clear();
            model.review.result = vec![text.clone()];
            model.notice = Some(text);
            return Ok(analyse(model));
        }
        Message::TakenBack(Err(reason)) => {
            model.review.result = reason.lines().map(ToOwned::to_owned).collect();
            model.notice = Some("nothing was taken back".to_owned());
        }
        Message::Output(line) => {
            if model.review.output.len() < MAX_OUTPUT {
                model.review.output.push(line);
            }
        }
        Message::Verified(result) => {
            model.review.is_verifying = false;
            let text = match result {
                Ok(()) => "the command succeeded".to_owned(),
                Err(reason) => format!("{reason}; `U` takes back what was written"),
            };
            model.review.output.push(text.clone());
            model.notice = Some(text);
        }
        Message::Changed(paths) => {
            paths.iter().for_each(|path| drop(model.texts.remove(path)));
            // That what was just written has changed is no news.
            if !paths.iter().all(|path| model.review.written.contains(path)) {
                model.notice = Some(match paths.as_slice() {
                    [path] => format!("{path} changed: reading it again"),
                    paths => format!("{} files changed: reading them again", paths.len()),
                });
            }
            model.review.written.clear();
            return Ok(analyse(model));
        }
        message => return Err(message),
    }
    Ok(Vec::new())
}

fn analysed(model: &mut Model, analysis: Analysis) {
    let before = std::mem::replace(&mut model.items, analysis.items);
    number(&mut model.items);
    // Until prices are there again, the old ones keep rows where they are.
    let mut savings: BTreeMap<String, _> =
        before.into_iter().map(|item| (item.fingerprint, item.saving)).collect();
    for item in model.items.iter_mut().filter(|item| item.saving.is_none()) {
        item.saving = savings.remove(&item.fingerprint).flatten();
    }
    model.preferred.clear();
    model.graph = analysis.graph;
    model.bytes = analysis.bytes;
    model.problems = analysis.problems;
    if model.stage != Stage::Cancelled {
        let fixes = model.items.iter().filter(|item| item.finding.fix.is_some()).count();
        model.stage = Stage::Trying(0, fixes);
    }
    model.texts.clear();
    model.chains = None;
    walk::settle(model);
    model.refresh();
}

fn applied(model: &mut Model, outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Written { batch, files, settles } => {
            model.review.result = files.iter().map(|path| format!("written: {path}")).collect();
            model.notice = Some(format!(
                "{} settled, {} written; `U` takes it back",
                counted(settles.len(), "finding"),
                counted(files.len(), "file"),
            ));
            model.review.batch = Some(batch);
            model.review.written = files;
            let mut effects = analyse(model);
            if !model.review.verify.is_empty() {
                model.review.output.clear();
                model.review.is_verifying = true;
                effects.push(Effect::Verify(model.review.verify.clone()));
            }
            effects
        }
        Outcome::Refused(reasons) => {
            model.review.result =
                reasons.iter().map(|(path, why)| format!("refused: {path}: {why}")).collect();
            model.notice = Some("nothing was written; reading everything again".to_owned());
            analyse(model)
        }
    }
}
