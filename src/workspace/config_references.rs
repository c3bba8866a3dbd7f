//! `$(config section.key)` in values of `.buckconfig`. Pure; touches nothing.

use std::collections::BTreeMap;

use super::buckconfig::{RawValue, Sections};
use super::config_flags::section_and_key;
use crate::source::{Problem, ProblemKind, ProjectPath};

/// How many references may follow one another; more is an accident, and would cost stack.
const MAX_DEPTH: usize = 256;

/// The longest value in bytes that references may build up, against values that double at every step.
const MAX_LENGTH: usize = 1 << 20;

pub(super) struct Resolved {
    pub(super) values: Sections<String>,
    pub(super) problems: Vec<Problem>,
}

/// Replaces all references. One that is missing is empty; a cycle is empty too, and a problem.
pub(super) fn resolve(raw: &Sections<RawValue>) -> Resolved {
    let mut resolver =
        Resolver { raw, done: BTreeMap::new(), open: Vec::new(), problems: Vec::new() };
    let mut values = Sections::new();
    for (section, entries) in raw {
        let resolved = entries.keys().map(|key| (key.clone(), resolver.value(section, key)));
        values.insert(section.clone(), resolved.collect());
    }
    Resolved { values, problems: resolver.problems }
}

struct Resolver<'a> {
    raw: &'a Sections<RawValue>,
    done: BTreeMap<(&'a str, &'a str), String>,
    open: Vec<(&'a str, &'a str)>,
    problems: Vec<Problem>,
}

impl<'a> Resolver<'a> {
    fn value(&mut self, section: &str, key: &str) -> String {
        let Some((section, entries)) = self.raw.get_key_value(section) else {
            return String::new();
        };
        let Some((key, raw)) = entries.get_key_value(key) else {
            return String::new();
        };
        let name = (section.as_str(), key.as_str());
        if let Some(done) = self.done.get(&name) {
            return done.clone();
        }
        if self.open.contains(&name) {
            self.problem(raw, format!("`{section}.{key}` refers to itself"));
            return String::new();
        }
        if self.open.len() >= MAX_DEPTH {
            self.problem(raw, format!("more than {MAX_DEPTH} references in a row"));
            return String::new();
        }
        self.open.push(name);
        let value = self.replace(raw);
        self.open.pop();
        self.done.insert(name, value.clone());
        value
    }

    fn replace(&mut self, raw: &'a RawValue) -> String {
        let mut value = String::new();
        let mut rest = raw.text.as_str();
        while let Some((before, reference, after)) = next_reference(rest) {
            value.push_str(before);
            match section_and_key(reference) {
                Ok((section, key)) => value.push_str(&self.value(section, key)),
                Err(reason) => self.problem(raw, format!("`$(config {reference})`: {reason}")),
            }
            if value.len() > MAX_LENGTH {
                self.problem(raw, format!("more than {MAX_LENGTH} bytes after its references"));
                return String::new();
            }
            rest = after;
        }
        value + rest
    }

    fn problem(&mut self, raw: &RawValue, message: String) {
        let (path, line) =
            raw.place.clone().unwrap_or_else(|| (ProjectPath::new("command line"), 0));
        self.problems.push(Problem { path, line, kind: ProblemKind::Config, message });
    }
}

/// Splits at the first `$(config …)`.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("$(config ")?;
    let (reference, after) = rest.split_once(')')?;
    Some((before, reference, after))
}
