//! Comments by which people say that they manage something by hand. Pure functions of the text.
//!
//! No document describes these; the forms are those found in public trees of exported Meta code.

use super::parse::Literal;
use crate::source::{LineIndex, Span};
use serde::{Deserialize, Serialize};

/// `# secateur: keep[check,…] reason`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The comment's bytes.
    pub span: Span,
    /// The line it stands on, counted from 1.
    pub line: u32,
    /// It is all that is on its line, so it speaks of the next one with code.
    pub alone: bool,
    /// The line it speaks of.
    pub speaks_of: u32,
    /// Checks that it silences; empty means all.
    pub checks: Vec<Box<str>>,
    /// Why, in the author's words.
    pub reason: Box<str>,
}

/// What the comments of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directives {
    /// `@noautodeps` somewhere: every target that this file defines is managed by hand.
    pub whole_file: bool,
    /// Offsets of `@autodeps-skip` comments: the call around, or the call that begins on the next line, is managed by hand.
    pub skips: Vec<u32>,
    /// `secateur: keep` comments.
    pub keeps: Vec<Keep>,
    /// Lines with a comment that says their element is managed by hand.
    manual: Vec<Line>,
    /// `# gazelle:key value`, in order.
    gazelle: Vec<(Box<str>, Box<str>)>,
    /// Text of comments that hide code from the exported tree (`@oss-disable`, `@fb-only`).
    pub conditional: Vec<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    line: u32,
    /// The comment is all that is on its line, so it speaks of the next line with code.
    alone: bool,
    /// For comments that are alone: the line they speak of.
    speaks_of: u32,
}

impl Directives {
    /// The values of a directive for gazelle, in order.
    pub fn gazelle<'d>(&'d self, key: &'d str) -> impl DoubleEndedIterator<Item = &'d str> {
        self.gazelle.iter().filter(move |(name, _)| &**name == key).map(|(_, value)| &**value)
    }

    /// Whether gazelle leaves Python alone in a directory, by what its build file and those above say, the nearest first.
    pub fn leave_python_alone<'d>(mut above: impl Iterator<Item = &'d Self>) -> bool {
        above.find_map(|own| own.gazelle("python_extension").last()) == Some("disabled")
    }

    /// Whether a comment above a line, alone on its own, says that what begins there is managed by hand.
    pub(super) fn speaks_of(&self, line: u32) -> bool {
        self.manual.iter().any(|comment| comment.alone && comment.speaks_of == line)
    }
}

/// Reads a file's comments.
pub(super) fn read(text: &str, lines: &LineIndex, comments: &[Span]) -> Directives {
    let mut found = Directives::default();
    for (position, &span) in comments.iter().enumerate() {
        let comment = text[span.range()].trim_start_matches('#').trim();
        let line = lines.line(span.start);
        let line_text = &text[lines.span_of_line(text, line).range()];
        let alone = line_text.trim_start().starts_with('#');
        let lowered = comment.to_ascii_lowercase();
        if has_word(&lowered, "@noautodeps") || has_word(&lowered, "@no-autodeps") {
            found.whole_file = true;
        }
        if lowered.contains("@autodeps-skip") {
            found.skips.push(span.start);
        }
        if lowered.contains("@oss-disable") || lowered.contains("@fb-only") {
            found.conditional.push(span);
        }
        if let Some(directive) = comment.strip_prefix("gazelle:") {
            let (key, value) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
            found.gazelle.push((key.into(), value.trim().into()));
        }
        let speaks_of =
            || if alone { next_code_line(lines, comments, position, text) } else { line };
        if is_manual(&lowered) {
            let speaks_of = speaks_of();
            found.manual.push(Line { line, alone, speaks_of });
        }
        if let Some(keep) = parse_keep(comment) {
            found.keeps.push(Keep { span, line, alone, speaks_of: speaks_of(), ..keep });
        }
    }
    found
}

/// Gives a literal the comments that speak of it.
pub(super) fn attach(literal: &mut Literal, directives: &Directives, lines: &LineIndex) {
    let own_line = lines.line(literal.span.end.saturating_sub(1));
    let bracket_line = match literal.container {
        Some((container, 1)) => Some(lines.line(container.end.saturating_sub(1))),
        _ => None,
    };
    literal.manual = directives.manual.iter().any(|comment| {
        comment.speaks_of == own_line || !comment.alone && Some(comment.line) == bracket_line
    });
    let keep = directives.keeps.iter().position(|keep| {
        keep.speaks_of == own_line || !keep.alone && Some(keep.line) == bracket_line
    });
    literal.keep = keep.map(|index| index as u32);
}

/// `@manual`, `@autodeps2-fixme-manual`, and a bare `keep` as other tools of this kind write it.
fn is_manual(lowered: &str) -> bool {
    has_word(lowered, "@manual")
        || lowered.contains("autodeps2-fixme-manual")
        || lowered == "keep"
        || lowered.starts_with("keep:")
        // `# keep sorted` is for buildifier.
        || lowered.starts_with("keep ") && !lowered.starts_with("keep sorted")
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[at + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_')
    })
}

/// The first line below a comment that does not begin with another comment.
fn next_code_line(lines: &LineIndex, comments: &[Span], position: usize, text: &str) -> u32 {
    let mut line = lines.line(comments[position].start) + 1;
    for next in &comments[position + 1..] {
        let at = lines.line(next.start);
        let whole = &text[lines.span_of_line(text, at).range()];
        if at != line || !whole.trim_start().starts_with('#') {
            break;
        }
        line += 1;
    }
    line
}

fn parse_keep(comment: &str) -> Option<Keep> {
    let rest = comment.strip_prefix("secateur:")?.trim_start().strip_prefix("keep")?;
    let (checks, reason) = match rest.strip_prefix('[') {
        Some(list) => list.split_once(']')?,
        None if rest.is_empty() || rest.starts_with([' ', ':']) => ("", rest),
        None => return None,
    };
    let checks = checks.split(',').map(str::trim).filter(|check| !check.is_empty());
    Some(Keep {
        span: Span::default(),
        line: 0,
        alone: false,
        speaks_of: 0,
        checks: checks.map(Into::into).collect(),
        reason: reason.trim_start_matches(':').trim().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buck::parse::ParsedFile;
    use crate::source::ProjectPath;

    fn manual(text: &str) -> Vec<String> {
        let file = ParsedFile::parse(&ProjectPath::new("BUCK"), text.as_bytes().to_vec(), None);
        let literals = file.collected.literals.iter();
        literals.filter(|literal| literal.manual).map(|literal| literal.text.to_string()).collect()
    }

    #[test]
    fn a_comment_speaks_of_its_own_element() {
        let text = "f(deps = [\n    \":a\",  # @manual for the tokenizer\n    \":b\",\n    # @manual\n    # more words\n    \":c\",\n    \":d\",  # @manually\n    \":e\",  # @autodeps2-fixme-manual\n    \":f\",  # keep\n])\n";
        assert_eq!(manual(text), [":a", ":c", ":e", ":f"]);
    }

    #[test]
    fn a_comment_behind_a_list_of_one_speaks_of_the_one() {
        assert_eq!(manual("f(\n    deps = [\":a\"],  # @manual\n)\n"), [":a"]);
        assert_eq!(manual("f(\n    deps = [\n        \":a\",\n    ],  # @manual\n)\n"), [":a"]);
        assert!(
            manual("f(\n    deps = [\n        \":a\",\n        \":b\",\n    ],  # @manual\n)\n")
                .is_empty()
        );
    }

    #[test]
    fn keep_names_checks_and_reason() {
        let keep = parse_keep("secateur: keep[unused-dep, dead-module] loaded by the plugin host")
            .unwrap();
        assert_eq!(keep.checks.len(), 2);
        assert_eq!(&*keep.reason, "loaded by the plugin host");
        assert!(parse_keep("secateur: keeper").is_none());
        assert!(parse_keep("secateur: keep").unwrap().checks.is_empty());
    }
}
