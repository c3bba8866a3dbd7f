//! What the user wants to see: `check:unused is:open spare`. Pure.

use super::decisions::Choice;
use super::item::{Item, Proof};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The words that may stand before a colon, with what they mean.
pub const FIELDS: &[(&str, &str)] = &[
    ("check:", "name of the check"),
    ("pkg:", "package"),
    ("owner:", "who answers for it"),
    ("conf:", "certain, likely or possible"),
    ("is:", "open accepted kept snoozed, or of its fix:"),
    ("", "safe fixable proven by-hand"),
];

/// A filter as it was typed, understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    fields: Vec<(Field, String)>,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Check,
    Package,
    Owner,
    Confidence,
    Is,
}

impl Filter {
    /// Understands what was typed. Unknown fields are words like any others.
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            let field = match word.split_once(':').map(|(field, _)| field) {
                Some("check") => Some(Field::Check),
                Some("pkg") => Some(Field::Package),
                Some("owner") => Some(Field::Owner),
                Some("conf") => Some(Field::Confidence),
                Some("is") => Some(Field::Is),
                _ => None,
            };
            match (field, word.split_once(':')) {
                (Some(field), Some((_, value))) => {
                    filter.fields.push((field, value.to_lowercase()));
                }
                _ => words.push(word),
            }
        }
        filter.words = words.join(" ");
        filter
    }

    /// What is wrong with it, once it is typed to the end.
    pub fn mistake(&self) -> Option<String> {
        let known = [
            "open", "accepted", "kept", "rejected", "snoozed", "safe", "fixable", "proven",
            "by-hand", "refused",
        ];
        let odd = self
            .fields
            .iter()
            .find(|(field, value)| *field == Field::Is && !known.contains(&value.as_str()));
        odd.map(|(_, value)| {
            format!("is:{value}? open accepted kept snoozed safe fixable proven by-hand")
        })
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.words.is_empty()
    }

    /// Positions of the items that pass; `choice` says what was decided about each.
    pub fn apply<'a>(
        &self,
        items: &'a [Item],
        choice: impl Fn(&'a Item) -> Option<&'a Choice>,
    ) -> Vec<usize> {
        let pattern = Pattern::parse(&self.words, CaseMatching::Smart, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut passes = |item: &'a Item| {
            self.fields.iter().all(|(field, value)| has(item, *field, value, choice(item)))
                && (self.words.is_empty() || {
                    let text = haystack(item);
                    let text = Utf32Str::new(&text, &mut buffer);
                    pattern.score(text, &mut matcher).is_some()
                })
        };
        (0..items.len()).filter(|at| passes(&items[*at])).collect()
    }
}

fn haystack(item: &Item) -> String {
    let finding = &item.finding;
    format!(
        "{} {} {} {}",
        finding.check.as_str(),
        item.target(),
        item.subject(),
        finding.region.path
    )
}

fn has(item: &Item, field: Field, value: &str, choice: Option<&Choice>) -> bool {
    let within = |text: &str| text.to_lowercase().contains(value);
    match field {
        Field::Check => within(item.finding.check.as_str()),
        Field::Package => within(&item.package),
        Field::Owner => within(&item.owner),
        Field::Confidence => item.finding.confidence.as_str().starts_with(value),
        Field::Is => match value {
            "open" => choice.is_none(),
            "accepted" => matches!(choice, Some(Choice::Accepted)),
            "kept" | "rejected" => matches!(choice, Some(Choice::Rejected { .. })),
            "snoozed" => matches!(choice, Some(Choice::Snoozed { .. })),
            "safe" => item.is_safe(),
            "fixable" => item.is_fixable(),
            "proven" => matches!(item.proof, Proof::Proven(_)),
            "by-hand" | "refused" => matches!(item.proof, Proof::Refused(_)),
            // What is still being typed takes nothing away.
            _ => true,
        },
    }
}
