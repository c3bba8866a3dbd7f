//! A file as pieces that parse on their own, named so that a place in a piece is a place in the file. Pure functions.

use super::marks::Insertions;
use super::syntax;
use crate::depth;
use crate::source::{LineIndex, ProblemKind, ProjectPath};
use serde::{Deserialize, Serialize};
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use std::ops::Range;

/// Chains of `elif` longer than this are refused: each nests in the one before.
const MAX_BRANCHES: usize = 500;

/// A part of a text: the whole, or top-level statements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// How many lines end before it.
    pub(super) lines: u32,
}

impl Piece {
    /// The same part of the marked text.
    pub(super) fn marked(&self, insertions: &Insertions) -> Self {
        let span = insertions.mark(self.span.start)..insertions.mark(self.span.end);
        Self { span, lines: self.lines }
    }
}

/// Where a piece began, as the name says under which it was parsed. Errors and call frames carry that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin<'n> {
    /// The file.
    pub(super) path: &'n str,
    /// What to add to an offset in the piece.
    pub(super) offset: u32,
    /// What to add to a line of the piece.
    pub(super) lines: u32,
}

impl<'n> Origin<'n> {
    /// Reads the name of a piece.
    pub(super) fn of(name: &'n str) -> Self {
        let mut parts = name.split('\0');
        let path = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Self { path, offset: number(), lines: number() }
    }
}

/// Parses a piece of `text`. Its spans count from where it begins.
pub(super) fn parse(path: &ProjectPath, text: &str, piece: &Piece) -> starlark::Result<AstModule> {
    let name = match piece.span.start {
        0 => path.as_str().to_owned(),
        start => format!("{path}\0{start}\0{}", piece.lines),
    };
    AstModule::parse(&name, text[piece.span.clone()].to_owned(), &dialect())
}

/// Parses the text from `start` on; if that fails, parses each top-level statement alone and drops those that do not parse.
pub(super) fn parse_all(
    path: &ProjectPath,
    text: &str,
    start: usize,
    lines: &LineIndex,
    problem: &mut impl FnMut(u32, ProblemKind, String),
) -> (Vec<AstModule>, Vec<Piece>) {
    let whole = Piece { span: start..text.len(), lines: 0 };
    if let Ok(ast) = parse_within_limits(path, text, &whole) {
        return (vec![ast], vec![whole]);
    }
    let mut asts = Vec::new();
    let mut pieces = Vec::new();
    for span in syntax::split_statements(&text[start..]) {
        let span = span.start + start..span.end + start;
        let piece = Piece { lines: lines.line(span.start as u32) - 1, span };
        match parse_within_limits(path, text, &piece) {
            Ok(ast) => {
                asts.push(ast);
                pieces.push(piece);
            }
            Err(Refusal { line, kind, message }) => problem(piece.lines + line, kind, message),
        }
    }
    (asts, pieces)
}

/// Why a piece is not read, and at which of its lines.
struct Refusal {
    line: u32,
    kind: ProblemKind,
    message: String,
}

fn parse_within_limits(
    path: &ProjectPath,
    text: &str,
    piece: &Piece,
) -> Result<AstModule, Refusal> {
    let inner = &text[piece.span.clone()];
    let limit = |before: &str, message: &str| Refusal {
        line: memchr::memchr_iter(b'\n', before.as_bytes()).count() as u32 + 1,
        kind: ProblemKind::Limit,
        message: format!("{message}; not read"),
    };
    if let Some(offset) = depth::too_deep(inner) {
        return Err(limit(inner.get(..offset).unwrap_or(inner), "nested too deeply"));
    }
    if inner.matches("elif").count() > MAX_BRANCHES {
        return Err(limit("", &format!("more than {MAX_BRANCHES} times `elif`")));
    }
    let ast = parse(path, text, piece).map_err(|error| {
        let line = error.span().map_or(0, |span| span.resolve_span().begin.line as u32 + 1);
        let message = error.without_diagnostic().to_string();
        let message = message.lines().next().unwrap_or("syntax error").to_owned();
        Refusal { line, kind: ProblemKind::Syntax, message }
    })?;
    match syntax::multiplication_in_place(&ast) {
        Some(at) => Err(limit(inner.get(..at).unwrap_or(inner), "`*=` may fill the memory")),
        None => Ok(ast),
    }
}

fn dialect() -> Dialect {
    // More than Buck2 allows in build files: what it would refuse can still be read.
    Dialect {
        enable_def: true,
        enable_lambda: true,
        enable_load: true,
        enable_keyword_only_arguments: true,
        enable_positional_only_arguments: true,
        enable_types: DialectTypes::ParseOnly,
        enable_load_reexport: false,
        enable_top_level_stmt: true,
        enable_f_strings: true,
        ..Dialect::Standard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> (usize, Vec<(u32, ProblemKind)>) {
        let mut problems = Vec::new();
        let mut problem = |line, kind, _| problems.push((line, kind));
        let path = ProjectPath::new("BUCK");
        let (asts, _) = parse_all(&path, text, 0, &LineIndex::new(text), &mut problem);
        (asts.len(), problems)
    }

    #[test]
    fn names_say_where_a_piece_began() {
        assert_eq!(Origin::of("a/BUCK"), Origin { path: "a/BUCK", offset: 0, lines: 0 });
        let piece = Piece { span: 2..7, lines: 1 };
        let ast = parse(&ProjectPath::new("BUCK"), "#\nf(1)\n", &piece).unwrap();
        let span = ast.file_span(ast.statement().span);
        assert_eq!(Origin::of(span.filename()), Origin { path: "BUCK", offset: 2, lines: 1 });
    }

    #[test]
    fn what_is_too_deep_costs_its_statement() {
        let n = 10_000;
        for deep in [
            format!("x = {}1{}", "(".repeat(n), ")".repeat(n)),
            format!("x = 1{}", "+1".repeat(n)),
            format!("x = a{}", ".b".repeat(n)),
            format!("x = {}1", "-".repeat(n)),
            format!("x = {}1", "lambda: ".repeat(n)),
            format!("x = {}[1]{}", "[y for y in ".repeat(n), "]".repeat(n)),
            format!("if x:\n  pass\n{}", "elif x:\n  pass\n".repeat(n)),
        ] {
            let (parsed, problems) = parse_text(&format!("a = 1\n{deep}\nb = 1\n"));
            assert_eq!(parsed, 2, "{}", &deep[..20]);
            assert_eq!(problems, [(2, ProblemKind::Limit)], "{}", &deep[..20]);
        }
    }

    #[test]
    fn multiplication_in_place_is_refused() {
        let (parsed, problems) = parse_text("def f(x):\n  for y in x:\n    y *= 2\nz = 1\n");
        assert_eq!((parsed, problems), (1, vec![(3, ProblemKind::Limit)]));
    }
}
