//! Build-language files as syntax: pieces that parse, loads, literals, names, comments. Pure functions of the text.

use super::marks::LiteralId;
use super::syntax::{self, Collected};
use crate::source::{LineIndex, Problem, ProblemKind, ProjectPath, Span};
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use std::ops::Range;

/// Brackets nested deeper than this are refused: the parser is recursive.
const MAX_DEPTH: usize = 200;
/// Larger build files are refused; the largest generated ones in the wild have a few megabytes.
const MAX_BYTES: usize = 32 << 20;

/// A string literal that may name a target or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The decoded text.
    pub text: Box<str>,
    /// The literal with its quotes.
    pub span: Span,
    /// The list, tuple or dictionary it is an element of, and how many elements that has.
    pub container: Option<(Span, u32)>,
    /// A comment says that people manage this element by hand.
    pub manual: bool,
    /// Checks named by a `# secateur: keep[…]` beside it; an index into [`super::SourceFile::keeps`].
    pub keep: Option<u32>,
}

/// One `load` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadStatement {
    /// The first argument as written.
    pub module: Box<str>,
    /// The statement's bytes.
    pub span: Span,
    /// What it brings in.
    pub symbols: Vec<LoadSymbol>,
}

/// One symbol of a `load`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The statements in order: one module if all is well, one a statement around syntax errors.
    pub(super) asts: Vec<AstModule>,
    /// The same with marks, or empty where there is nothing to mark.
    pub(super) marked: Vec<AstModule>,
    /// Where marks were inserted: offset in the text, and how many bytes.
    insertions: Vec<(u32, u32)>,
    marked_text: String,
    pub(super) collected: Collected,
    pub(super) problems: Vec<Problem>,
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

impl ParsedFile {
    /// Parses `bytes`; `file` is the number that the marks of its literals carry.
    pub(super) fn parse(path: &ProjectPath, bytes: Vec<u8>, file: u32) -> Self {
        let mut problems = Vec::new();
        let mut problem = |line: u32, kind, message: String| {
            problems.push(Problem { path: path.clone(), line, kind, message });
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                problem(
                    0,
                    ProblemKind::Unreadable,
                    "not valid UTF-8; read with replacements".into(),
                );
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let lines = LineIndex::new(&text);
        let text = match text.strip_prefix('\u{FEFF}') {
            Some(rest) => {
                problem(1, ProblemKind::Syntax, "begins with a byte order mark".into());
                // Three spaces keep the offsets; a statement must not be indented, so they become a comment.
                // Three line ends keep every offset; `lines` still counts as the file does.
                format!("\n\n\n{rest}")
            }
            None => text,
        };
        let (asts, pieces) = match limit(&text) {
            Some(message) => {
                problem(0, ProblemKind::Limit, message);
                (Vec::new(), Vec::new())
            }
            None => parse_whole_or_pieces(path, &text, &mut problem),
        };
        let mut collected = Collected::default();
        for ast in &asts {
            syntax::collect(ast, &mut collected);
        }
        collected.attach_comments(&text, &lines);
        let (marked_text, insertions) = insert_marks(&text, &collected.literals, file);
        let marked = if insertions.is_empty() {
            Vec::new()
        } else {
            let shifted = pieces
                .iter()
                .map(|piece| shift(&insertions, piece.start)..shift(&insertions, piece.end));
            shifted.filter_map(|piece| parse_piece(path, &marked_text, &piece).ok()).collect()
        };
        Self {
            path: path.clone(),
            text,
            lines,
            asts,
            marked,
            insertions,
            marked_text,
            collected,
            problems,
        }
    }

    /// The offset in the file of an offset in the marked text.
    pub(super) fn unmark_offset(&self, offset: u32) -> u32 {
        let mut inserted = 0;
        for &(at, length) in &self.insertions {
            if offset <= at + inserted {
                break;
            }
            inserted += length.min(offset - at - inserted);
        }
        offset - inserted
    }

    /// One module a top-level statement, for files in which a statement fails; with marks or without.
    pub(super) fn statements(&self, marked: bool) -> Vec<AstModule> {
        let (asts, text) = if marked && !self.marked.is_empty() {
            (&self.marked, &self.marked_text)
        } else {
            (&self.asts, &self.text)
        };
        let spans = asts.iter().flat_map(syntax::top_level_spans);
        spans.filter_map(|piece| parse_piece(&self.path, text, &piece).ok()).collect()
    }
}

fn limit(text: &str) -> Option<String> {
    if text.len() > MAX_BYTES {
        return Some(format!("larger than {} MiB; not read", MAX_BYTES >> 20));
    }
    let depth = syntax::bracket_depth(text);
    (depth > MAX_DEPTH).then(|| format!("brackets nested {depth} deep; not read"))
}

/// Parses the text; if that fails, parses each top-level statement alone and drops those that do not parse.
fn parse_whole_or_pieces(
    path: &ProjectPath,
    text: &str,
    problem: &mut impl FnMut(u32, ProblemKind, String),
) -> (Vec<AstModule>, Vec<Range<usize>>) {
    let whole = 0..text.len();
    if let Ok(ast) = parse_piece(path, text, &whole) {
        return (vec![ast], vec![whole]);
    }
    let mut asts = Vec::new();
    let mut pieces = Vec::new();
    for piece in syntax::split_statements(text) {
        match parse_piece(path, text, &piece) {
            Ok(ast) => {
                asts.push(ast);
                pieces.push(piece);
            }
            Err(error) => {
                let line = error.span().map_or(0, |span| span.resolve_span().begin.line as u32 + 1);
                let message = error.without_diagnostic().to_string();
                let first_line = message.lines().next().unwrap_or("syntax error").to_owned();
                problem(line, ProblemKind::Syntax, first_line);
            }
        }
    }
    (asts, pieces)
}

/// Parses `piece` of `text` with everything else blanked, so that spans stay those of the whole.
fn parse_piece(
    path: &ProjectPath,
    text: &str,
    piece: &Range<usize>,
) -> starlark::Result<AstModule> {
    let source = if piece.len() == text.len() {
        text.to_owned()
    } else {
        let blank = |part: &str| -> String {
            part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
        };
        let mut blanked = blank_lines(&text[..piece.start], blank);
        blanked.push_str(&text[piece.clone()]);
        blanked.push('\n');
        blanked
    };
    AstModule::parse(path.as_str(), source, &dialect())
}

/// Blanks the text before a statement. Its last line must be empty, or the statement would be indented.
fn blank_lines(before: &str, blank: impl Fn(&str) -> String) -> String {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let mut blanked = blank(&before[..line_start]);
    // A statement behind `;` on the same line: a blank line break in place of the last byte keeps the offsets.
    let rest = before.len() - line_start;
    if rest > 0 {
        blanked.push_str(&" ".repeat(rest - 1));
        blanked.push('\n');
    }
    blanked
}

fn insert_marks(text: &str, literals: &[Literal], file: u32) -> (String, Vec<(u32, u32)>) {
    let mut marked = String::with_capacity(text.len() + literals.len() * 12);
    let mut insertions = Vec::with_capacity(literals.len());
    let mut copied = 0;
    for (index, literal) in literals.iter().enumerate() {
        let written = &text[literal.span.range()];
        let quotes = if written.ends_with("\"\"\"") || written.ends_with("'''") { 3 } else { 1 };
        let at = literal.span.end as usize - quotes;
        let mark = LiteralId { file, index: index as u32 }.mark();
        marked.push_str(&text[copied..at]);
        marked.push_str(&mark);
        insertions.push((at as u32, mark.len() as u32));
        copied = at;
    }
    marked.push_str(&text[copied..]);
    (marked, insertions)
}

fn shift(insertions: &[(u32, u32)], offset: usize) -> usize {
    let before = insertions.iter().take_while(|(at, _)| (*at as usize) < offset);
    offset + before.map(|(_, length)| *length as usize).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ParsedFile {
        ParsedFile::parse(&ProjectPath::new("pkg/BUCK"), text.as_bytes().to_vec(), 7)
    }

    #[test]
    fn marks_move_offsets_and_back() {
        let text = "f(deps = [\":a\", \"//b:c\"], x = 1)\n";
        let file = parse(text);
        assert_eq!(file.collected.literals.len(), 2);
        let end = file.marked_text.find(", x").unwrap() as u32;
        assert_eq!(&text[file.unmark_offset(end) as usize..][..3], ", x");
    }

    #[test]
    fn a_syntax_error_costs_its_statement_only() {
        let file = parse("a(name = \"x\")\nb(name = \"y\",,)\nc(\n    name = \"z\",\n)\n");
        assert_eq!(file.asts.len(), 2);
        assert_eq!(file.problems.len(), 1);
        assert_eq!(file.problems[0].line, 2);
    }

    #[test]
    fn deep_nesting_is_refused_and_not_parsed() {
        let file = parse(&format!("x = {}{}\n", "(".repeat(10_000), ")".repeat(10_000)));
        assert_eq!(file.problems[0].kind, ProblemKind::Limit);
        assert!(file.asts.is_empty());
    }

    #[test]
    fn crlf_and_byte_order_mark_are_read() {
        let file = parse("\u{FEFF}f(deps = [\r\n    \":a\",\r\n])\r\n");
        assert_eq!(file.collected.literals.len(), 1);
        assert_eq!(&*file.collected.literals[0].text, ":a");
        assert_eq!(&file.text[file.collected.literals[0].span.range()], "\":a\"");
    }
}
