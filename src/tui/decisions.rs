//! What was decided about findings, by fingerprint, and the way back. Pure values; touches nothing.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to become of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "choice", deny_unknown_fields)]
pub enum Choice {
    /// Its fix is to be made.
    Accepted,
    /// It is right as it is: a comment is to say so.
    Rejected {
        /// Why, for the comment.
        reason: String,
    },
    /// Not now.
    Snoozed {
        /// The first day on which it is open again.
        until: Date,
    },
}

/// Everything that somebody said about a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What is to become of it; open if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Decision {
    fn is_nothing(&self) -> bool {
        self.choice.is_none() && self.note.is_empty()
    }
}

/// One thing that was done, with what was before and after, by fingerprint.
type Step = Vec<(String, Decision, Decision)>;

/// All decisions, with undo and redo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    entries: BTreeMap<String, Decision>,
    done: Vec<Step>,
    undone: Vec<Step>,
}

impl Decisions {
    /// Decisions of an earlier session; they cannot be undone by steps.
    pub fn new(entries: BTreeMap<String, Decision>) -> Self {
        Self { entries, ..Self::default() }
    }

    /// All of them, by fingerprint.
    pub fn entries(&self) -> &BTreeMap<String, Decision> {
        &self.entries
    }

    /// What was said about a finding.
    pub fn of(&self, fingerprint: &str) -> Option<&Decision> {
        self.entries.get(fingerprint)
    }

    /// What is to become of a finding on a day.
    pub fn choice(&self, fingerprint: &str, today: Date) -> Option<&Choice> {
        let choice = self.entries.get(fingerprint)?.choice.as_ref()?;
        let is_over = matches!(choice, Choice::Snoozed { until } if *until <= today);
        (!is_over).then_some(choice)
    }

    /// Changes some decisions in one step. Returns whether anything changed.
    pub fn change<'f>(
        &mut self,
        fingerprints: impl IntoIterator<Item = &'f str>,
        change: impl Fn(&mut Decision),
    ) -> bool {
        let mut step = Step::new();
        for fingerprint in fingerprints {
            let before = self.entries.get(fingerprint).cloned().unwrap_or_default();
            let mut after = before.clone();
            change(&mut after);
            if after != before {
                self.set(fingerprint, after.clone());
                step.push((fingerprint.to_owned(), before, after));
            }
        }
        let changed = !step.is_empty();
        if changed {
            self.done.push(step);
            self.undone.clear();
        }
        changed
    }

    /// Takes the last step back. Returns the findings that it was about.
    pub fn undo(&mut self) -> Option<Vec<String>> {
        let step = self.done.pop()?;
        for (fingerprint, before, _) in &step {
            self.set(fingerprint, before.clone());
        }
        let about = step.iter().map(|(fingerprint, ..)| fingerprint.clone()).collect();
        self.undone.push(step);
        Some(about)
    }

    /// Makes the step again that was taken back last. Returns the findings that it is about.
    pub fn redo(&mut self) -> Option<Vec<String>> {
        let step = self.undone.pop()?;
        for (fingerprint, _, after) in &step {
            self.set(fingerprint, after.clone());
        }
        let about = step.iter().map(|(fingerprint, ..)| fingerprint.clone()).collect();
        self.done.push(step);
        Some(about)
    }

    fn set(&mut self, fingerprint: &str, decision: Decision) {
        if decision.is_nothing() {
            self.entries.remove(fingerprint);
        } else {
            self.entries.insert(fingerprint.to_owned(), decision);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(decision: &mut Decision) {
        decision.choice = Some(Choice::Accepted);
    }

    #[test]
    fn undoing_everything_leads_to_the_start_and_redoing_back() {
        let mut decisions = Decisions::default();
        assert!(decisions.change(["a", "b"], accept));
        assert!(!decisions.change(["a"], accept), "nothing changed");
        assert!(decisions.change(["b"], |decision| decision.note = "look again".to_owned()));
        let end = decisions.entries().clone();
        assert_eq!(decisions.undo(), Some(vec!["b".to_owned()]));
        assert_eq!(decisions.undo(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(decisions.undo(), None);
        assert!(decisions.entries().is_empty());
        while decisions.redo().is_some() {}
        assert_eq!(*decisions.entries(), end);
    }

    #[test]
    fn a_snooze_ends() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let until = day("2026-03-01");
        let mut decisions = Decisions::default();
        decisions.change(["a"], |decision| decision.choice = Some(Choice::Snoozed { until }));
        assert!(decisions.choice("a", day("2026-02-28")).is_some());
        assert_eq!(decisions.choice("a", until), None);
    }

    #[test]
    fn decisions_are_saved_and_read() {
        let mut decisions = Decisions::default();
        let reason = "loaded by the plugin host".to_owned();
        decisions.change(["a"], |it| it.choice = Some(Choice::Rejected { reason: reason.clone() }));
        let text = serde_json::to_string(decisions.entries()).unwrap();
        let read: BTreeMap<String, Decision> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, *decisions.entries());
    }
}
