//! Comments that silence checks, put where they are read as meant: beside what they speak of, else above it, and in a list on
//! a line of its own. Pure functions of text.

use super::change::{self, TextEdit};
use super::read_back;
use super::sequence::insertion;
use crate::buck::{Outline, SourceFile};
use crate::finding::{CheckId, Keep};
use crate::source::{ProjectPath, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Spaces of one more level, where a file shows no other.
const INDENT: &str = "    ";

/// What one comment says, and of what.
#[derive(Clone)]
pub(super) struct Comment {
    /// The bytes it speaks of; `None` for a file as a whole.
    pub(super) at: Option<Span>,
    apart: bool,
    pub(super) checks: BTreeSet<CheckId>,
    pub(super) reason: String,
}

/// Puts comments into a text. `edits` have been made since the places of the comments were read.
///
/// Fails where no place is read as speaking of what a comment is about.
pub(super) fn add(
    path: &ProjectPath,
    text: &str,
    keeps: &BTreeSet<Keep>,
    edits: &[TextEdit],
) -> Result<String, String> {
    let mut comments = merged(keeps);
    for comment in &mut comments {
        comment.at = comment.at.map(|at| moved(at, edits)).transpose()?;
    }
    let mut text = text.to_owned();
    while let Some(comment) = comments.pop() {
        let commenter = Commenter { path, text: &text };
        if read_back::says(path, &text, &comment) {
            continue; // one that came before speaks of the same line
        }
        let (commented, passes) = commenter.add(comment)?;
        for later in &mut comments {
            for made in &passes {
                later.at = later.at.map(|at| moved(at, made)).transpose()?;
            }
        }
        text = commented;
    }
    Ok(text)
}

/// One comment for all that is said about one place for one reason.
fn merged(keeps: &BTreeSet<Keep>) -> Vec<Comment> {
    let mut reasons: BTreeMap<(Option<Span>, CheckId), Vec<&str>> = BTreeMap::new();
    for keep in keeps {
        reasons.entry((keep.at, keep.check)).or_default().push(&keep.reason);
    }
    let mut comments: BTreeMap<(Option<Span>, String), BTreeSet<CheckId>> = BTreeMap::new();
    for ((at, check), mut reasons) in reasons {
        reasons.dedup();
        comments.entry((at, reasons.join("; "))).or_default().insert(check);
    }
    let apart = |at| keeps.iter().any(|keep| keep.at == at && keep.apart);
    let comments = comments.into_iter();
    comments
        .map(|((at, reason), checks)| Comment { at, apart: apart(at), checks, reason })
        .collect()
}

/// Where bytes are after edits that don't touch them.
fn moved(span: Span, edits: &[TextEdit]) -> Result<Span, String> {
    let (mut come, mut gone) = (0, 0);
    for edit in edits {
        if edit.span.end <= span.start {
            come += edit.replacement.len() as u32;
            gone += edit.span.end - edit.span.start;
        } else if edit.span.start < span.end {
            return Err("what is to be kept goes".to_owned());
        }
    }
    let at = |offset: u32| offset + come - gone;
    Ok(Span::new(at(span.start), at(span.end)))
}

struct Commenter<'a> {
    path: &'a ProjectPath,
    text: &'a str,
}

impl Commenter<'_> {
    /// The text with the comment, and the edits that lead to it, one pass after another.
    fn add(&self, comment: Comment) -> Result<(String, Vec<Vec<TextEdit>>), String> {
        let is_python = is_python(self.path);
        let outline =
            if is_python { Outline::default() } else { Outline::of(self.path, self.text) };
        let Some(at) = comment.at else {
            let head = insertion(self.head(), format!("{}{}", comment.text(), self.line_end(0)));
            return self.first_read([vec![head]], &comment);
        };
        if at.end as usize > self.text.len() {
            return Err(format!("`{}` has changed since it was read", self.path));
        }
        let elements = if is_python { None } else { elements_around(self, &outline, at) };
        let breaks = elements.and_then(|(of, own)| self.line_of_its_own(&of, own, comment.apart));
        if comment.apart && breaks.is_none() && !self.is_alone(at) {
            let problem = "shares its line with others, which a comment would speak of too";
            return Err(format!("{} of `{}` {problem}", &self.text[at.range()], self.path));
        }
        if let Some(breaks) = breaks {
            let broken = self.apply(&breaks)?;
            let at = Some(moved(at, &breaks)?);
            let inner = Commenter { path: self.path, text: &broken };
            let (text, passes) = inner.add(Comment { at, apart: false, ..comment })?;
            return Ok((text, std::iter::once(breaks).chain(passes).collect()));
        }
        let (beside, above) = (vec![self.beside(at, &comment)], vec![self.above(at, &comment)]);
        let is_call = outline.calls.iter().any(|call| call.span.start == at.start);
        let candidates = if is_call { [above, beside] } else { [beside, above] };
        self.first_read(candidates, &comment)
    }

    /// The first of several edits after which the comment is read as it is meant.
    fn first_read<const N: usize>(
        &self,
        candidates: [Vec<TextEdit>; N],
        comment: &Comment,
    ) -> Result<(String, Vec<Vec<TextEdit>>), String> {
        for edits in candidates {
            let text = self.apply(&edits)?;
            let at = comment.at.map(|at| moved(at, &edits)).transpose()?;
            let meant = Comment { at, ..comment.clone() };
            let is_read = read_back::is_read(self.path, [self.text, &text], &meant);
            if is_read {
                return Ok((text, vec![edits]));
            }
        }
        Err(format!("no comment in `{}` would be read as speaking of this alone", self.path))
    }

    fn apply(&self, edits: &[TextEdit]) -> Result<String, String> {
        change::apply(self.text, edits)
            .map_err(|_| format!("edits of `{}` touch each other", self.path))
    }

    /// Whether no other literal stands on the line of one.
    fn is_alone(&self, at: Span) -> bool {
        let (file, line) = (SourceFile::of(self.path, self.text), self.line(at.start));
        let is_here = |other: Span| other != at && other.start < line.end && other.end > line.start;
        !file.literals().iter().any(|literal| is_here(literal.span))
    }

    fn beside(&self, at: Span, comment: &Comment) -> TextEdit {
        let end = self.line(at.start).end;
        insertion(end, format!("  {}", comment.text()))
    }

    fn above(&self, at: Span, comment: &Comment) -> TextEdit {
        let line = self.line(at.start);
        let start = line.start.max(self.mark());
        let indent = indent(&self.text[start as usize..line.end as usize]);
        insertion(start, format!("{indent}{}{}", comment.text(), self.line_end(at.start)))
    }

    /// What gives an element a line of its own, if it has none. A list that is written in one line gets one for each.
    fn line_of_its_own(
        &self,
        elements: &Elements,
        own: usize,
        apart: bool,
    ) -> Option<Vec<TextEdit>> {
        let spans = &elements.spans;
        let open = elements.whole.start;
        let line = |at: u32| self.text[..at as usize].matches('\n').count();
        let span = spans[own];
        let shares = |other: &Span| {
            line(other.end) >= line(span.start) && line(other.start) <= line(span.end)
        };
        let neighbours = spans.iter().enumerate().any(|(at, other)| at != own && shares(other));
        let begins_here = line(spans[0].start) == line(open);
        let is_crowded = neighbours || apart && begins_here;
        if !is_crowded {
            return None;
        }
        let outer = indent(&self.text[self.line(open).range()]);
        let inner = if begins_here {
            format!("{outer}{}", self.unit())
        } else {
            indent(&self.text[self.line(span.start).range()]).to_owned()
        };
        let end = self.line_end(open);
        let mut edits = Vec::new();
        let mut gap = |from: u32, to: u32, indent: &str, comma: &str| {
            let between = &self.text[from as usize..to as usize];
            if between.contains('#') || between.contains('\n') {
                return; // it is broken already
            }
            let replacement = format!("{comma}{end}{indent}");
            edits.push(TextEdit { span: Span::new(from, to), replacement });
        };
        if begins_here {
            gap(elements.first, spans[0].start, &inner, "");
        }
        for (at, pair) in spans.windows(2).enumerate() {
            if begins_here || at == own || at + 1 == own {
                gap(pair[0].end, pair[1].start, &inner, ",");
            }
        }
        if let Some(last) = spans.last()
            && (begins_here || own + 1 == spans.len())
        {
            gap(last.end, elements.whole.end - 1, outer, ",");
        }
        Some(edits)
    }

    /// Where a comment about the whole file stands: below the comments that it begins with.
    fn head(&self) -> u32 {
        let mut at = self.mark();
        for line in self.text[at as usize..].split_inclusive('\n') {
            if !(line.starts_with('#') && line.ends_with('\n')) {
                break;
            }
            at += line.len() as u32;
        }
        at
    }

    /// The length of a byte order mark.
    fn mark(&self) -> u32 {
        if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() as u32 } else { 0 }
    }

    /// The line that holds an offset, without its end.
    fn line(&self, offset: u32) -> Span {
        let start = self.text[..offset as usize].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[start..];
        let length = rest.lines().next().map_or(0, str::len);
        Span::new(start as u32, (start + length) as u32)
    }

    /// How the line at an offset ends, or the first one if that has no end.
    fn line_end(&self, offset: u32) -> &'static str {
        let after = |at: usize| self.text[at..].find('\n').map(|end| at + end);
        let end = after(offset as usize).or_else(|| after(0));
        if end.is_some_and(|end| self.text[..end].ends_with('\r')) { "\r\n" } else { "\n" }
    }

    /// One level of indentation, as the first indented line of the file has it.
    fn unit(&self) -> &str {
        let indents = self.text.lines().map(indent).filter(|indent| !indent.is_empty());
        let mut indents = indents.filter(|indent| *indent == "\t" || indent.len() <= INDENT.len());
        indents.next().unwrap_or(INDENT)
    }
}

impl Comment {
    fn text(&self) -> String {
        let checks: Vec<&str> = self.checks.iter().map(|check| check.as_str()).collect();
        format!("# secateur: keep[{}] {}", checks.join(", "), self.reason)
    }
}

/// The elements of a list, or the symbols of a `load`.
struct Elements {
    /// With the brackets.
    whole: Span,
    /// Where the first may begin.
    first: u32,
    spans: Vec<Span>,
}

fn elements_around(file: &Commenter<'_>, outline: &Outline, at: Span) -> Option<(Elements, usize)> {
    if let Some((sequence, own)) = outline.holder(at) {
        let spans = sequence.elements.iter().map(|element| element.span).collect();
        let (whole, first) = (sequence.span, sequence.span.start + 1);
        return Some((Elements { whole, first, spans }, own));
    }
    let source = SourceFile::of(file.path, file.text);
    source.loads().iter().find_map(|load| {
        let own = load.symbols.iter().position(|symbol| symbol.span == at)?;
        let text = file.text.get(load.span.range())?;
        let whole = Span::new(load.span.start, load.span.start + text.trim_end().len() as u32);
        let mut spans: Vec<Span> = load.symbols.iter().map(|symbol| symbol.span).collect();
        // The file that it loads comes first.
        let path = load.span.start + text.find('(')? as u32 + 1;
        let before = file.text.get(path as usize..spans.first()?.start as usize)?;
        let blank = before.len() - before.trim_start().len();
        let end = before.rfind(',').map(|comma| before[..comma].trim_end().len())?;
        spans.insert(0, Span::new(path + blank as u32, path + end as u32));
        Some((Elements { whole, first: path, spans }, own + 1))
    })
}

pub(super) fn is_python(path: &ProjectPath) -> bool {
    path.as_str().ends_with(".py") || path.as_str().ends_with(".pyi")
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
