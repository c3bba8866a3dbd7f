//! Questions that are answered with a line of text. Pure.

use super::decisions::Choice;
use super::effect::Effect;
use super::filter::Filter;
use super::message::{Message, Page, Question};
use super::model::{Model, Overlay};
use super::update::{asking, at_hand, decide, in_turn, is_wish};
use super::walk;
use jiff::ToSpan;
use jiff::civil::Date;

/// Puts a question, if there is something that it is about.
pub(super) fn ask(model: &mut Model, question: Question) -> Vec<Effect> {
    let prints = at_hand(model);
    let is_about_findings =
        matches!(question, Question::Reason | Question::Snooze | Question::Note);
    if is_about_findings && prints.is_empty() {
        return Vec::new();
    }
    let decision = prints.first().and_then(|item| model.decisions.of(&item.fingerprint));
    let so_far = match (question, decision) {
        (Question::Filter, _) => model.filter.clone(),
        (Question::Verify, _) => model.review.verify.clone(),
        (Question::Export, _) => "patches".to_owned(),
        (Question::Note, Some(decision)) => decision.note.clone(),
        (Question::Reason, Some(decision)) => match &decision.choice {
            Some(Choice::Rejected { reason }) => reason.clone(),
            _ => String::new(),
        },
        (Question::Snooze, _) => "14".to_owned(),
        _ => String::new(),
    };
    let asked = prints.into_iter().map(|item| item.fingerprint.clone()).collect();
    model.asked = asked;
    model.overlay = Some(asking(question, &so_far));
    Vec::new()
}

/// What a message does while a question is open; gives it back if it is about something else.
pub(super) fn update(model: &mut Model, message: Message) -> Result<Vec<Effect>, Message> {
    let Some(Overlay::Asking(question, input, error)) = &mut model.overlay else {
        return Err(message);
    };
    let question = *question;
    match message {
        Message::Input(request) => {
            input.handle(request);
            *error = None;
            let text = input.value().to_owned();
            match question {
                Question::Filter => set_filter(model, &text),
                Question::Jump => walk::search(model, &text),
                _ => {}
            }
        }
        Message::Move(by) if question == Question::Jump => walk::choose(model, by),
        Message::Cancel | Message::Quit => {
            model.overlay = None;
            if question == Question::Filter {
                let before = model.filter.clone();
                set_filter(model, &before);
            }
        }
        Message::Confirm => {
            let text = input.value().trim().to_owned();
            match answered(model, question, &text) {
                Ok(effects) => {
                    model.overlay = None;
                    return Ok(effects);
                }
                Err(problem) => {
                    if let Some(Overlay::Asking(_, _, error)) = &mut model.overlay {
                        *error = Some(problem);
                    }
                }
            }
        }
        message if is_wish(&message) => {}
        message => return Err(message),
    }
    Ok(Vec::new())
}

fn answered(model: &mut Model, question: Question, text: &str) -> Result<Vec<Effect>, String> {
    let prints = model.asked.clone();
    Ok(match question {
        Question::Filter => {
            if let Some(mistake) = Filter::parse(text).mistake() {
                return Err(mistake);
            }
            text.clone_into(&mut model.filter);
            set_filter(model, text);
            Vec::new()
        }
        Question::Reason if text.is_empty() => {
            return Err("a reason is needed: it becomes the comment that keeps it".to_owned());
        }
        Question::Reason => {
            let choice = Choice::Rejected { reason: text.to_owned() };
            decide(model, &prints, |decision| decision.choice = Some(choice.clone()))
        }
        Question::Snooze => {
            let until = until(model.today, text)?;
            decide(model, &prints, |decision| decision.choice = Some(Choice::Snoozed { until }))
        }
        Question::Note => decide(model, &prints, |decision| text.clone_into(&mut decision.note)),
        Question::Jump => {
            walk::jump(model, text)?;
            model.page = Page::Graph;
            Vec::new()
        }
        Question::Verify => {
            text.clone_into(&mut model.review.verify);
            Vec::new()
        }
        Question::Export if text.is_empty() => return Err("a directory is needed".to_owned()),
        Question::Export => {
            let accepted: Vec<String> =
                model.accepted().map(|item| item.fingerprint.clone()).collect();
            if accepted.is_empty() {
                return Err("nothing is accepted, so there is no patch".to_owned());
            }
            model.notice = Some(in_turn(model, "writing patches"));
            vec![Effect::Export { directory: text.to_owned(), accepted }]
        }
    })
}

/// Shows what passes a filter.
pub(super) fn set_filter(model: &mut Model, text: &str) {
    model.arrangement.filter = Filter::parse(text);
    model.refresh();
}

/// A date, or a number of days from today.
fn until(today: Date, text: &str) -> Result<Date, String> {
    let date = match text.parse::<i64>() {
        Ok(days) if (1..=3650).contains(&days) => today.checked_add(days.days()).ok(),
        Ok(_) => None,
        Err(_) => text.parse().ok().filter(|date| *date > today),
    };
    date.ok_or_else(|| "a number of days, or a date to come such as 2027-01-31".to_owned())
}
