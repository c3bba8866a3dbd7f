//! What a target has to look like after a change, compared with what it does look like. Pure functions.

use crate::buck::{Dep, LiteralId, Source, SourceOrigin, Target, Text, Value};
use crate::label::Label;
use crate::source::ProjectPath;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// What a change means for the packages of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Literals that go.
    pub(super) literals: FxHashSet<LiteralId>,
    /// Those of them that name sources, whatever edges they make.
    pub(super) sources: FxHashSet<LiteralId>,
    /// Files that go.
    pub(super) files: FxHashSet<ProjectPath>,
    /// Targets that go.
    pub(super) targets: FxHashSet<Label>,
    /// Dependencies that come, by target: the attribute and the other end.
    pub(super) additions: BTreeMap<Label, Vec<(Box<str>, Label)>>,
}

impl Expected {
    /// Compares a target with what it was. Fails with the first difference that was not asked for.
    pub(super) fn check(&self, before: &Target, after: &Target) -> Result<(), String> {
        let label = &before.label;
        if before.kind != after.kind || before.known != after.known {
            return Err(format!("`{label}` would become a `{}`", after.kind));
        }
        let additions = self.additions.get(label).map_or(&[][..], Vec::as_slice);
        self.check_deps(before, after, additions)?;
        self.check_sources(before, after)?;
        for name in attribute_names(before, after) {
            if before.attr(name).is_some_and(|value| self.shortens(value)) {
                if self.loses_more(before.attr(name), after.attr(name)) {
                    return Err(format!(
                        "the text in `{name}` of `{label}` would change otherwise"
                    ));
                }
                continue;
            }
            let grows = additions.iter().any(|(attr, _)| **attr == *name);
            let was = before.attr(name).and_then(|value| self.left_of(value, before));
            let is = after.attr(name).and_then(|value| Self::default().left_of(value, after));
            if !grows && was != is {
                return Err(format!("`{name}` of `{label}` would change in other ways too"));
            }
            if grows && !is_part(&texts(was.as_ref()), &texts(is.as_ref())) {
                return Err(format!("`{name}` of `{label}` would lose something"));
            }
        }
        Ok(())
    }

    fn check_deps(
        &self,
        before: &Target,
        after: &Target,
        additions: &[(Box<str>, Label)],
    ) -> Result<(), String> {
        let gone = |dep: &&Dep| dep.literal.is_some_and(|literal| self.literals.contains(&literal));
        let mut expected = before.deps.iter().filter(|dep| !gone(dep)).peekable();
        let mut new: Vec<(Box<str>, Label)> = Vec::new();
        for dep in &after.deps {
            if expected.peek().is_some_and(|was| is_same(was, dep)) {
                expected.next();
            } else {
                new.push((dep.attr.clone(), dep.to.clone()));
            }
        }
        if let Some(lost) = expected.next() {
            return Err(format!(
                "`{}` would lose its dependency on `{}` too",
                before.label, lost.to
            ));
        }
        let mut wanted = additions.to_vec();
        wanted.sort();
        new.sort();
        if wanted == new {
            return Ok(());
        }
        let odd = new.iter().find(|new| !wanted.contains(new));
        Err(match odd {
            Some((_, to)) => {
                format!("`{}` would depend on `{to}`, which nobody asked for", before.label)
            }
            None => format!("`{}` would not get what is to be added", before.label),
        })
    }

    fn check_sources(&self, before: &Target, after: &Target) -> Result<(), String> {
        let stays = |source: &&Source| {
            let by_literal = source.literal.is_some_and(|literal| self.literals.contains(&literal));
            let file = match &source.origin {
                SourceOrigin::File { path, .. } => self.files.contains(path),
                SourceOrigin::Target(_) => false,
            };
            !by_literal && !file
        };
        let expected: Vec<&Source> = before.sources.iter().filter(stays).collect();
        let same = |(was, is): (&&Source, &Source)| {
            was.attr == is.attr && was.destination == is.destination && was.origin == is.origin
        };
        if expected.len() == after.sources.len() && expected.iter().zip(&after.sources).all(same) {
            Ok(())
        } else {
            Err(format!("the sources of `{}` would change in other ways too", before.label))
        }
    }

    /// A value without what goes; `None` if nothing is left.
    fn left_of(&self, value: &Value, target: &Target) -> Option<Value> {
        let whole = match value {
            Value::Str(text) => (!self.goes(text, target)).then(|| value.clone())?,
            Value::List(items) => Value::List(
                items.iter().filter_map(|item| self.left_or_empty(item, target)).collect(),
            ),
            Value::Dict(entries) => Value::Dict(
                entries
                    .iter()
                    .filter_map(|(key, value)| {
                        let key = self.left_or_empty(key, target)?;
                        Some((key, self.left_or_empty(value, target)?))
                    })
                    .collect(),
            ),
            Value::Select(branches) => {
                let branch = |(key, value): &(Box<str>, Value)| {
                    (key.clone(), self.left_or_empty(value, target).unwrap_or(Value::None))
                };
                Value::Select(branches.iter().map(branch).collect())
            }
            Value::Sum(parts) => {
                Value::Sum(parts.iter().filter_map(|part| self.left_of(part, target)).collect())
            }
            other => other.clone(),
        };
        settled(whole)
    }

    /// The same within a container, where an empty list is still an element.
    fn left_or_empty(&self, value: &Value, target: &Target) -> Option<Value> {
        match value {
            Value::List(_) => Some(self.left_of(value, target).unwrap_or(Value::List(Vec::new()))),
            Value::Dict(_) => Some(self.left_of(value, target).unwrap_or(Value::Dict(Vec::new()))),
            _ => self.left_of(value, target),
        }
    }

    /// Whether labels that go stand within texts of a value, where a macro has joined them with others.
    fn shortens(&self, value: &Value) -> bool {
        let mut shortens = false;
        value.for_each_text(&mut |text| {
            let is_joined = text.text.contains(['(', ' ']);
            shortens |= is_joined && text.joined.iter().any(|(_, id)| self.literals.contains(id));
        });
        shortens
    }

    /// Whether a value loses words in places where no label goes, or gains some.
    fn loses_more(&self, before: Option<&Value>, after: Option<&Value>) -> bool {
        let after = self.words(after);
        let mut stay = after.iter().map(|(word, _)| *word).peekable();
        // Of words that go side by side, one has to be a label that goes: the others are what it stood in.
        let mut excused = true;
        let mut is_run = false;
        for (word, goes) in self.words(before) {
            if stay.next_if_eq(&word).is_none() {
                excused = goes || is_run && excused;
                is_run = true;
            } else if is_run && !excused {
                return true;
            } else {
                is_run = false;
            }
        }
        is_run && !excused || stay.next().is_some()
    }

    /// The words of all texts in a value, and whether each is a label that goes.
    fn words<'v>(&self, value: Option<&'v Value>) -> Vec<(&'v str, bool)> {
        let mut words = Vec::new();
        if let Some(value) = value {
            value.for_each_text(&mut |text| {
                let separates = |c: char| c.is_whitespace() || "(),\"'".contains(c);
                let parts = text.text.split(separates).filter(|word| !word.is_empty());
                let goes =
                    |word: &str| text.literals_at(word).any(|id| self.literals.contains(&id));
                words.extend(parts.map(|word| (word, goes(word))));
            });
        }
        words
    }

    fn goes(&self, text: &Text, target: &Target) -> bool {
        let in_package = || {
            let dir = target.call.path.parent()?;
            Some(self.files.contains(&dir.join(&text.text)?))
        };
        text.literal.is_some_and(|literal| self.literals.contains(&literal))
            || !self.files.is_empty() && in_package() == Some(true)
    }
}

/// What Buck2 makes of a value: nothing of an empty one, and of a sum of one part that part.
fn settled(value: Value) -> Option<Value> {
    match value {
        Value::None => None,
        Value::List(items) if items.is_empty() => None,
        Value::Dict(entries) if entries.is_empty() => None,
        Value::Sum(parts) => {
            let mut parts: Vec<Value> = parts.into_iter().filter_map(settled).collect();
            match parts.len() {
                0 => None,
                1 => parts.pop(),
                _ => Some(Value::Sum(parts)),
            }
        }
        other => Some(other),
    }
}

fn is_same(one: &Dep, other: &Dep) -> bool {
    one.to == other.to
        && one.attr == other.attr
        && one.sub_target == other.sub_target
        && one.text == other.text
        && one.branch == other.branch
        && one.role == other.role
        && one.in_string == other.in_string
}

fn attribute_names<'t>(before: &'t Target, after: &'t Target) -> FxHashSet<&'t str> {
    before.attrs.iter().chain(&after.attrs).map(|(name, _)| &**name).collect()
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    let mut texts = Vec::new();
    if let Some(value) = value {
        value.for_each_text(&mut |text| texts.push(&*text.text));
    }
    texts
}

/// Whether `part` is `whole` with some elements left out.
fn is_part(part: &[&str], whole: &[&str]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|text| rest.any(|other| other == text))
}
