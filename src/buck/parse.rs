//! Build-language files as syntax: pieces that parse, loads, literals, names, comments. Pure functions of the text.

use super::bounds;
use super::marks::Insertions;
use super::pieces::{self, Piece};
use super::syntax::{self, Collected};
use crate::digest::Digest;
use crate::source::{LineIndex, Problem, ProblemKind, ProjectPath, Span};
use serde::{Deserialize, Serialize};
use starlark::syntax::AstModule;
use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Larger build files are refused; the largest generated ones in the wild have a few megabytes.
const MAX_BYTES: usize = 8 << 20;

/// A string literal that may name a target or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Literal {
    /// The decoded text.
    pub text: Box<str>,
    /// The literal with its quotes.
    pub span: Span,
    /// The list, tuple or dictionary it is an element of, and how many elements that has.
    pub container: Option<(Span, u32)>,
    /// A comment says that people manage this element by hand.
    pub manual: bool,
    /// Checks named by a `# secateur: keep[…]` beside it; an index into [`super::Directives::keeps`].
    pub keep: Option<u32>,
}

/// One `load` statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadStatement {
    /// The first argument as written.
    pub module: Box<str>,
    /// The statement's bytes.
    pub span: Span,
    /// What it brings in.
    pub symbols: Vec<LoadSymbol>,
}

/// One symbol of a `load`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadSymbol {
    /// Its name in this file.
    pub local: Box<str>,
    /// Its name in the loaded file.
    pub remote: Box<str>,
    /// The argument's bytes.
    pub span: Span,
}

/// A file as far as it parses.
#[derive(Debug)]
pub(super) struct ParsedFile {
    pub(super) path: ProjectPath,
    pub(super) text: String,
    pub(super) lines: LineIndex,
    /// What parses, in order: the whole if all is well, single statements around syntax errors.
    pieces: Vec<Piece>,
    /// Their trees without marks and with, until somebody takes them: most files are evaluated once in each way, and the
    /// trees of a prelude fill a hundred megabytes.
    trees: [Mutex<Vec<AstModule>>; 2],
    /// What the marks of its literals carry, `None` if it gets none.
    number: Option<u32>,
    /// The text with marks, and where they are.
    marked: OnceLock<(String, Insertions)>,
    pub(super) collected: Collected,
    pub(super) problems: Vec<Problem>,
    /// Of what the file holds on disk, if somebody asked.
    pub(super) digest: Option<Digest>,
}

/// What a file says before it is evaluated: a pure function of its bytes and its path.
#[derive(Serialize, Deserialize)]
pub(super) struct Syntax<'f> {
    text: Cow<'f, str>,
    pieces: Cow<'f, [Piece]>,
    collected: Cow<'f, Collected>,
    problems: Cow<'f, [Problem]>,
}

impl ParsedFile {
    /// Parses `bytes`; `file` is the number that the marks of its literals carry, `None` if it gets none.
    pub(super) fn parse(path: &ProjectPath, bytes: Vec<u8>, file: Option<u32>) -> Self {
        let mut problems = Vec::new();
        let mut problem = |line: u32, kind, message: String| {
            problems.push(Problem { path: path.clone(), line, kind, message });
        };
        let is_huge = bytes.len() > MAX_BYTES;
        if is_huge {
            let message = format!("larger than {} MiB; not read", MAX_BYTES >> 20);
            problem(0, ProblemKind::Limit, message);
        }
        let text = match String::from_utf8(if is_huge { Vec::new() } else { bytes }) {
            Ok(text) => text,
            Err(error) => {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                problem(
                    memchr::memchr_iter(b'\n', valid).count() as u32 + 1,
                    ProblemKind::Unreadable,
                    "not valid UTF-8; read with replacements".into(),
                );
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let lines = LineIndex::new(&text);
        let start = match text.strip_prefix('\u{FEFF}') {
            Some(rest) => {
                problem(1, ProblemKind::Syntax, "begins with a byte order mark".into());
                text.len() - rest.len()
            }
            None => 0,
        };
        let (mut asts, pieces) = pieces::parse_all(path, &text, start, &lines, &mut problem);
        let mut collected = Collected::default();
        for ast in &asts {
            syntax::collect(ast, &mut collected);
        }
        collected.attach_comments(&text, &lines);
        asts.iter_mut().for_each(bounds::guard);
        let parsed = Self {
            path: path.clone(),
            text,
            lines,
            pieces,
            trees: [asts, Vec::new()].map(Mutex::new),
            number: file,
            marked: OnceLock::new(),
            collected,
            problems,
            digest: None,
        };
        if !parsed.marks().1.is_empty() {
            *parsed.kept(true) = parsed.parse_pieces(true);
        }
        parsed
    }

    /// A file that was parsed before; its trees are parsed again when somebody wants them.
    pub(super) fn restore(
        path: &ProjectPath,
        syntax: Syntax<'_>,
        file: Option<u32>,
        digest: Digest,
    ) -> Self {
        let text = syntax.text.into_owned();
        Self {
            path: path.clone(),
            lines: LineIndex::new(&text),
            text,
            pieces: syntax.pieces.into_owned(),
            trees: [Vec::new(), Vec::new()].map(Mutex::new),
            number: file,
            marked: OnceLock::new(),
            collected: syntax.collected.into_owned(),
            problems: syntax.problems.into_owned(),
            digest: Some(digest),
        }
    }

    /// What [`Self::restore`] takes.
    pub(super) fn syntax(&self) -> Syntax<'_> {
        Syntax {
            text: Cow::Borrowed(&self.text),
            pieces: Cow::Borrowed(&self.pieces),
            collected: Cow::Borrowed(&self.collected),
            problems: Cow::Borrowed(&self.problems),
        }
    }

    fn marks(&self) -> &(String, Insertions) {
        self.marked.get_or_init(|| {
            let number = self.number;
            let marks = number.map(|it| Insertions::of(&self.text, &self.collected.literals, it));
            marks.unwrap_or_default()
        })
    }

    fn kept(&self, marked: bool) -> MutexGuard<'_, Vec<AstModule>> {
        self.trees[usize::from(marked)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parse_pieces(&self, marked: bool) -> Vec<AstModule> {
        let (marked_text, insertions) = self.marks();
        let text = if marked { marked_text } else { &self.text };
        let place = |piece: &Piece| if marked { piece.marked(insertions) } else { piece.clone() };
        let parse = |piece: &Piece| pieces::parse(&self.path, text, &place(piece)).ok();
        self.pieces.iter().filter_map(parse).map(guarded).collect()
    }

    /// The offset in the file of an offset in the marked text.
    pub(super) fn unmark_offset(&self, offset: u32) -> u32 {
        self.marks().1.unmark(offset)
    }

    /// Whether some of it parses.
    pub(super) fn has_statements(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The trees of all that parses, with marks or, where there is nothing to mark, without.
    pub(super) fn trees(&self, marked: bool) -> Vec<AstModule> {
        let marked = marked && !self.marks().1.is_empty();
        let kept = std::mem::take(&mut *self.kept(marked));
        if kept.is_empty() { self.parse_pieces(marked) } else { kept }
    }

    /// One tree a top-level statement, for files in which a statement fails.
    pub(super) fn statements(&self, marked: bool) -> Vec<AstModule> {
        let (marked_text, insertions) = self.marks();
        let is_marked = marked && !insertions.is_empty();
        let text = if is_marked { marked_text } else { &self.text };
        let line_of = |start: usize| {
            let start = start as u32;
            self.lines.line(if is_marked { self.unmark_offset(start) } else { start })
        };
        let trees = self.trees(marked);
        let spans = trees.iter().flat_map(syntax::top_level_spans);
        let pieces = spans.map(|span| Piece { lines: line_of(span.start) - 1, span });
        let parsed = pieces.filter_map(|piece| pieces::parse(&self.path, text, &piece).ok());
        parsed.map(guarded).collect()
    }
}

fn guarded(mut ast: AstModule) -> AstModule {
    bounds::guard(&mut ast);
    ast
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ParsedFile {
        ParsedFile::parse(&ProjectPath::new("pkg/BUCK"), text.as_bytes().to_vec(), Some(7))
    }

    #[test]
    fn marks_move_offsets_and_back() {
        let text = "f(deps = [\":a\", \"//b:c\"], x = 1)\n";
        let file = parse(text);
        assert_eq!(file.collected.literals.len(), 2);
        let end = file.marks().0.find(", x").unwrap() as u32;
        assert_eq!(&text[file.unmark_offset(end) as usize..][..3], ", x");
    }

    #[test]
    fn a_syntax_error_costs_its_statement_only() {
        let file = parse("a(name = \"x\")\nb(name = \"y\",,)\nc(\n    name = \"z\",\n)\n");
        assert_eq!(file.trees(false).len(), 2);
        assert_eq!(file.problems.len(), 1);
        assert_eq!(file.problems[0].line, 2);
    }

    #[test]
    fn deep_nesting_is_refused_and_not_parsed() {
        let file = parse(&format!("x = {}{}\n", "(".repeat(10_000), ")".repeat(10_000)));
        assert_eq!(file.problems[0].kind, ProblemKind::Limit);
        assert!(!file.has_statements());
    }

    #[test]
    fn crlf_and_byte_order_mark_are_read() {
        let file = parse("\u{FEFF}f(deps = [\r\n    \":a\",\r\n])\r\n");
        assert_eq!(file.collected.literals.len(), 1);
        assert_eq!(&*file.collected.literals[0].text, ":a");
        assert_eq!(&file.text[file.collected.literals[0].span.range()], "\":a\"");
    }
}
