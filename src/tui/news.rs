//! What comes from outside: findings, proofs, files, what became of writing. Pure.

use super::effect::Effect;
use super::message::{Analysis, Message, Outcome};
use super::model::{Model, Stage};
use super::update::analyse;
use super::walk;

/// More lines of a command's output are not kept.
const MAX_OUTPUT: usize = 2_000;
/// Texts of this many files are kept for the screen.
const MAX_TEXTS: usize = 200;

/// What comes from outside means the same on every page.
pub(super) fn update(model: &mut Model, message: Message) -> Result<Vec<Effect>, Message> {
    match message {
        Message::Progress { stage, done, total } => {
            model.stage = Stage::Running(stage, done, total);
        }
        Message::Analysed(analysis) => analysed(model, *analysis),
        Message::Tried(tried) => {
            let before = if let Stage::Trying(count) = model.stage { count } else { 0 };
            model.stage = Stage::Trying(before + tried.len());
            for (fingerprint, proof, saving) in tried {
                let found = model.items.iter_mut().find(|item| item.fingerprint == fingerprint);
                if let Some(item) = found {
                    (item.proof, item.saving) = (proof, saving);
                }
            }
            model.refresh();
        }
        Message::Settled => model.stage = Stage::Done,
        Message::Failed(reason) => model.stage = Stage::Failed(reason),
        Message::Text(path, text) => {
            if model.texts.len() >= MAX_TEXTS {
                model.texts.clear();
            }
            model.texts.insert(path, text);
        }
        Message::Preview(preview) => {
            model.review.preview = Some(*preview);
            model.review.scroll = 0;
        }
        Message::Applied(outcome) => return Ok(applied(model, *outcome)),
        Message::TakenBack(Ok(text)) => {
            model.review.batch = None;
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
            model.notice = Some(match paths.as_slice() {
                [path] => format!("{path} changed: reading it again"),
                paths => format!("{} files changed: reading them again", paths.len()),
            });
            return Ok(analyse(model));
        }
        message => return Err(message),
    }
    Ok(Vec::new())
}

fn analysed(model: &mut Model, analysis: Analysis) {
    model.items = analysis.items;
    model.graph = analysis.graph;
    model.bytes = analysis.bytes;
    model.problems = analysis.problems;
    model.stage = Stage::Trying(0);
    model.texts.clear();
    model.chains = None;
    walk::settle(model);
    model.refresh();
}

fn applied(model: &mut Model, outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Written { batch, files, settles } => {
            let count = files.len();
            model.review.result = files.iter().map(|path| format!("written: {path}")).collect();
            model.notice = Some(format!(
                "{} findings settled in {count} files; `U` takes it back, and so does `secateur undo {batch}`",
                settles.len()
            ));
            model.review.batch = Some(batch);
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
