//! One build file with changes made: elements, arguments and statements go or come, and loads that nobody needs any more go
//! with them. Pure functions of text.

use super::change::{TextEdit, apply};
use super::comment;
use super::sequence::{Elements, deletion, insertion};
use super::spelling;
use crate::buck::{Call, Outline, Sequence, SourceFile};
use crate::finding::Keep;
use crate::source::{ProjectPath, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done to one file.
#[derive(Clone, Debug, Default)]
pub(super) struct FilePlan {
    /// Literals whose elements go.
    pub(super) literals: BTreeSet<Span>,
    /// Literals in whose place others come.
    pub(super) replaced: BTreeMap<Span, Vec<String>>,
    /// Labels for the `deps` of calls.
    pub(super) additions: BTreeMap<Span, BTreeSet<String>>,
    /// Statements that go.
    pub(super) statements: BTreeSet<Span>,
    /// Symbols that `load` statements no longer bring.
    pub(super) symbols: BTreeSet<Span>,
    /// Comments that go.
    pub(super) comments: BTreeSet<Span>,
    /// Comments that come.
    pub(super) keeps: BTreeSet<Keep>,
}

/// How much goes along with what goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leftovers {
    /// Attributes, sums and files that became empty.
    Drop,
    /// Nothing: an empty list stays.
    Keep,
}

/// The text with the plan carried out; `None` if the file has nothing left to say. Fails with what stands in the way.
pub(super) fn edit(
    path: &ProjectPath,
    text: &str,
    plan: &FilePlan,
    leftovers: Leftovers,
) -> Result<Option<String>, String> {
    let outline = Outline::of(path, text);
    let mut editor = Editor {
        text,
        outline: &outline,
        leftovers,
        edits: Vec::new(),
        arguments: BTreeMap::new(),
        filled: BTreeSet::new(),
        empty: BTreeSet::new(),
    };
    editor.elements(plan)?;
    editor.additions(plan)?;
    editor.drop_arguments();
    editor.statements(&plan.statements)?;
    editor.replacements(&plan.replaced)?;
    editor.comments(&plan.comments);
    let first = make(path, text, &editor.edits)?;
    let commented = comment::add(path, &first, &plan.keeps, &editor.edits)?;
    let kept = drop_symbols(path, &commented, text, plan)?;
    let outline = Outline::of(path, &kept);
    let is_empty = outline.statements.iter().all(|statement| statement.is_load);
    let dropped = !plan.statements.is_empty() && is_empty && leftovers == Leftovers::Drop;
    Ok((!dropped).then_some(kept))
}

fn make(path: &ProjectPath, text: &str, edits: &[TextEdit]) -> Result<String, String> {
    apply(text, edits).map_err(|_| format!("edits of `{path}` touch each other"))
}

struct Editor<'a> {
    text: &'a str,
    outline: &'a Outline,
    leftovers: Leftovers,
    edits: Vec<TextEdit>,
    /// Arguments that became empty, by the call's bytes.
    arguments: BTreeMap<Span, BTreeSet<usize>>,
    /// Lists that have what is to be added to them.
    filled: BTreeSet<Span>,
    /// Lists of which everything goes.
    empty: BTreeSet<Span>,
}

impl<'a> Editor<'a> {
    /// Takes elements out of their lists; remembers arguments whose list became empty.
    fn elements(&mut self, plan: &FilePlan) -> Result<(), String> {
        let mut gone: BTreeMap<Span, BTreeSet<usize>> = BTreeMap::new();
        let goes_anyway = |literal: &Span| {
            let within = |whole: &Span| whole.start <= literal.start && literal.end <= whole.end;
            plan.statements.iter().any(within)
        };
        for literal in plan.literals.iter().filter(|literal| !goes_anyway(literal)) {
            let (sequence, at) = self.holder(*literal)?;
            gone.entry(sequence.span).or_default().insert(at);
        }
        let is_empty = |(span, gone): &(&Span, &BTreeSet<usize>)| {
            let sequence = self.outline.sequences.iter().find(|s| s.span == **span);
            sequence.is_some_and(|s| {
                gone.len() == s.elements.len() && self.wanted_in(s, plan).is_empty()
            })
        };
        self.empty = gone.iter().filter(is_empty).map(|(span, _)| *span).collect();
        for (span, gone) in gone {
            let Some(sequence) = self.outline.sequences.iter().find(|s| s.span == span) else {
                continue;
            };
            let wanted = self.wanted_in(sequence, plan);
            if gone.len() == sequence.elements.len() {
                self.emptied(sequence, wanted);
            } else {
                self.thinned(sequence, gone, wanted);
            }
        }
        Ok(())
    }

    /// Takes some elements out. Where they share lines, what comes stands in for one that goes.
    fn thinned(&mut self, sequence: &Sequence, mut gone: BTreeSet<usize>, wanted: Vec<String>) {
        let spans = spans(sequence);
        let elements = Elements { text: self.text, spans: &spans, close: sequence.span.end - 1 };
        let share_lines = gone.iter().any(|at| elements.own_lines(*at).is_none());
        if share_lines
            && !wanted.is_empty()
            && let Some(first) = gone.pop_first()
        {
            self.edits.push(TextEdit { span: spans[first], replacement: wanted.join(", ") });
            self.filled.insert(sequence.span);
        }
        if !gone.is_empty() {
            self.edits.extend(elements.remove(&gone));
        }
    }

    fn holder(&self, literal: Span) -> Result<(&'a Sequence, usize), String> {
        self.outline.holder(literal).ok_or_else(|| {
            let written = self.text.get(literal.range()).unwrap_or("a literal");
            format!("{written} is part of an expression, not an element of a list")
        })
    }

    /// What comes into a list of which everything goes.
    fn wanted_in(&self, sequence: &Sequence, plan: &FilePlan) -> Vec<String> {
        let calls =
            plan.additions.iter().filter_map(|(span, new)| Some((self.outline.call(*span)?, new)));
        let mut wanted = calls.filter(|(call, _)| self.deps_list(call) == Some(sequence.span));
        wanted.next().map(|(_, new)| new.iter().cloned().collect()).unwrap_or_default()
    }

    fn emptied(&mut self, sequence: &Sequence, wanted: Vec<String>) {
        let span = sequence.span;
        let (open, close) =
            (&self.text[span.start as usize..][..1], &self.text[..span.end as usize]);
        let close = &close[close.len() - 1..];
        if !wanted.is_empty() {
            let replacement = format!("{open}{}{close}", wanted.join(", "));
            self.edits.push(TextEdit { span, replacement });
            return;
        }
        if self.leftovers == Leftovers::Drop && self.dropped(span) {
            return;
        }
        self.edits.push(TextEdit { span, replacement: format!("{open}{close}") });
    }

    /// Drops an argument or a part of a sum that is nothing but what became empty; tells whether it could.
    fn dropped(&mut self, span: Span) -> bool {
        let argument = self.outline.calls.iter().find_map(|call| {
            let at = call.arguments.iter().position(|a| a.key.is_some() && a.value == span)?;
            Some((call.span, at))
        });
        if let Some((call, at)) = argument {
            self.arguments.entry(call).or_default().insert(at);
            return true;
        }
        let sums = &self.outline.sums;
        let Some(sum) = sums.iter().find(|sum| sum.left == span || sum.right == span) else {
            return false;
        };
        let (left, right) = (self.empty.contains(&sum.left), self.empty.contains(&sum.right));
        match (left, right) {
            // Both sides: the sum is empty, and is dealt with once.
            (true, true) if sum.left == span => {
                if !self.dropped(sum.span) {
                    let replacement = "[]".to_owned();
                    self.edits.push(TextEdit { span: sum.span, replacement });
                }
            }
            (true, true) => {}
            (true, false) => {
                self.edits.push(deletion(Span::new(sum.span.start, sum.right.start)));
            }
            _ => self.edits.push(deletion(Span::new(sum.left.end, sum.span.end))),
        }
        true
    }

    fn drop_arguments(&mut self) {
        for (span, gone) in std::mem::take(&mut self.arguments) {
            let Some(call) = self.outline.call(span) else { continue };
            let spans: Vec<Span> = call.arguments.iter().map(|argument| argument.span).collect();
            if gone.len() < spans.len() {
                let edits = self.within(&spans, span).remove(&gone);
                self.edits.extend(edits);
            } else {
                let inner = Span::new(call.callee.end + 1, span.end - 1);
                self.edits.push(deletion(inner));
            }
        }
    }

    fn additions(&mut self, plan: &FilePlan) -> Result<(), String> {
        for (span, new) in &plan.additions {
            let call =
                self.outline.call(*span).ok_or("the call that defines the target was not found")?;
            let new: Vec<String> = new.iter().cloned().collect();
            match self
                .deps_list(call)
                .and_then(|list| self.outline.sequences.iter().find(|s| s.span == list))
            {
                Some(list) => self.add_to_list(list, &plan.literals, new),
                None => self.add_argument(call, &new),
            }
        }
        Ok(())
    }

    /// The list in `deps` that takes what is added: the value itself, or the first list of a sum.
    fn deps_list(&self, call: &Call) -> Option<Span> {
        let value = self.deps(call)?;
        let is_part = |span: Span| {
            span == value
                || self.outline.sums.iter().any(|sum| {
                    let within = value.start <= sum.span.start && sum.span.end <= value.end;
                    within && (sum.left == span || sum.right == span)
                })
        };
        let mut lists = self.outline.sequences.iter().filter(|sequence| sequence.is_list);
        lists.find(|list| is_part(list.span)).map(|list| list.span)
    }

    fn deps(&self, call: &Call) -> Option<Span> {
        let is_deps = |key: Span| &self.text[key.range()] == "deps";
        call.arguments.iter().find(|a| a.key.is_some_and(is_deps)).map(|argument| argument.value)
    }

    fn add_to_list(&mut self, list: &Sequence, gone: &BTreeSet<Span>, new: Vec<String>) {
        let stays = |at: &usize| !gone.contains(&list.elements[*at].value);
        let kept: Vec<usize> = (0..list.elements.len()).filter(stays).collect();
        if self.filled.contains(&list.span) {
            return; // `thinned` has put them in
        }
        let Some(last) = kept.last().copied() else {
            if list.elements.is_empty() {
                self.edits.push(insertion(list.span.end - 1, new.join(", ")));
            }
            return; // `emptied` has put them in
        };
        let texts: Vec<Option<&str>> =
            kept.iter().map(|at| list.elements[*at].text.as_deref()).collect();
        let mut places: BTreeMap<Option<usize>, Vec<String>> = BTreeMap::new();
        for text in new {
            let place = spelling::position(&texts, text.trim_matches('"'));
            places.entry(place.map(|at| kept[at])).or_default().push(text);
        }
        let spans = spans(list);
        for (place, new) in places {
            let elements = self.within(&spans, list.span);
            let edits = match place {
                Some(at) => elements.insert_before(at, &new),
                None => elements.insert_after(last, &new),
            };
            self.edits.extend(edits);
        }
    }

    fn add_argument(&mut self, call: &Call, new: &[String]) {
        let list = format!("[{}]", new.join(", "));
        if let Some(value) = self.deps(call) {
            self.edits.push(insertion(value.end, format!(" + {list}")));
            return;
        }
        let argument = [format!("deps = {list}")];
        let spans: Vec<Span> = call.arguments.iter().map(|argument| argument.span).collect();
        let named = |name: &str| {
            let has_name = |key: Span| &self.text[key.range()] == name;
            call.arguments.iter().position(|a| a.key.is_some_and(has_name))
        };
        let last_named = call.arguments.iter().rposition(|argument| argument.key.is_some());
        let after = ["resources", "srcs"].into_iter().find_map(named).or(last_named);
        let edits = match after {
            Some(at) => self.within(&spans, call.span).insert_after(at, &argument),
            None => vec![insertion(call.span.end - 1, argument.concat())],
        };
        self.edits.extend(edits);
    }

    fn statements(&mut self, statements: &BTreeSet<Span>) -> Result<(), String> {
        for span in statements {
            let is_statement = self.outline.statements.iter().any(|s| s.span == *span);
            if !is_statement {
                return Err("the target is not made by a statement of its own".to_owned());
            }
            self.edits.push(deletion(lines_of_statement(self.text, *span)));
        }
        Ok(())
    }

    fn replacements(&mut self, replaced: &BTreeMap<Span, Vec<String>>) -> Result<(), String> {
        for (literal, new) in replaced {
            let (sequence, at) = self.holder(*literal)?;
            let spans = spans(sequence);
            if let Some((first, rest)) = new.split_first() {
                self.edits.push(TextEdit { span: *literal, replacement: first.clone() });
                if !rest.is_empty() {
                    let edits = self.within(&spans, sequence.span).insert_after(at, rest);
                    self.edits.extend(edits);
                }
            }
        }
        Ok(())
    }

    /// A comment with the blanks before it; the whole line if nothing else is on it.
    fn comments(&mut self, comments: &BTreeSet<Span>) {
        for span in comments {
            let start = line_start(self.text, span.start as usize);
            let before = &self.text[start..span.start as usize];
            let code = start + before.trim_end().len();
            let gone = if before.trim().is_empty() {
                Span::new(start as u32, line_end(self.text, span.end as usize) as u32)
            } else {
                Span::new(code as u32, span.end)
            };
            self.edits.push(deletion(gone));
        }
    }

    fn within<'s>(&self, spans: &'s [Span], whole: Span) -> Elements<'s>
    where
        'a: 's,
    {
        Elements { text: self.text, spans, close: whole.end - 1 }
    }
}

/// A statement with the comments right above it, and the blank lines behind it if there are some before it.
fn lines_of_statement(text: &str, span: Span) -> Span {
    let mut start = line_start(text, span.start as usize);
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].starts_with('#') {
            break;
        }
        start = above;
    }
    let mut end = line_end(text, span.end as usize);
    let before = text[..start].lines().next_back().unwrap_or("");
    while before.trim().is_empty() && end < text.len() {
        let next = line_end(text, end);
        if !text[end..next].trim().is_empty() {
            break;
        }
        end = next;
    }
    if end == text.len() {
        // Nothing follows that the blank lines before it would set off.
        let kept = text[..start].trim_end().len();
        start = if kept == 0 { 0 } else { line_end(text, kept) };
    }
    Span::new(start as u32, end as u32)
}

fn spans(sequence: &Sequence) -> Vec<Span> {
    sequence.elements.iter().map(|element| element.span).collect()
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |at| offset + at + 1)
}

/// Takes symbols out of `load` statements: those of the plan, and those that only what went has used.
fn drop_symbols(
    path: &ProjectPath,
    text: &str,
    before: &str,
    plan: &FilePlan,
) -> Result<String, String> {
    let (old, new) = (SourceFile::of(path, before), SourceFile::of(path, text));
    let named: BTreeSet<(&str, &str)> = old
        .loads()
        .iter()
        .flat_map(|load| load.symbols.iter().map(|symbol| (&*load.module, symbol)))
        .filter(|(_, symbol)| plan.symbols.contains(&symbol.span))
        .map(|(module, symbol)| (module, &*symbol.local))
        .collect();
    let mut edits = Vec::new();
    for load in new.loads() {
        let is_gone = |at: &usize| {
            let local = &*load.symbols[*at].local;
            let was_used = || old.uses_name(local) && !new.uses_name(local);
            named.contains(&(&*load.module, local)) || was_used()
        };
        let gone: BTreeSet<usize> = (0..load.symbols.len()).filter(is_gone).collect();
        if gone.is_empty() {
            continue;
        }
        if gone.len() == load.symbols.len() {
            let length = text[load.span.range()].trim_end().len() as u32;
            let statement = Span::new(load.span.start, load.span.start + length);
            edits.push(deletion(lines_of_statement(text, statement)));
        } else {
            let spans: Vec<Span> = load.symbols.iter().map(|symbol| symbol.span).collect();
            let end = text[load.span.range()].trim_end().len() as u32;
            let close = load.span.start + end - 1;
            edits.extend(Elements { text, spans: &spans, close }.remove(&gone));
        }
    }
    make(path, text, &edits)
}
