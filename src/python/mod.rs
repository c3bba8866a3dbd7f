//! Reading Python: one file's bytes to its facts, paths to module names. Reads no files; uses `source` only.
//!
//! The parser is ruff's: it accepts every version up to 3.15 and recovers around errors. Where a tree would be
//! too deep to walk or too large to hold, imports are found by lines instead, and the facts are marked incomplete.

use std::borrow::Cow;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{ModModule, PythonVersion, StringFlags};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use crate::depth;
use crate::source::{LineIndex, ProblemKind, ProjectPath};
use decode::Source;
use imports::Context;

mod decode;
mod directives;
pub mod distributions;
mod dynamic;
mod extract;
mod facts;
mod guards;
mod imports;
mod meaning;
pub mod modules;
mod names;
mod notebook;
mod pytest;
mod recover;
pub mod stdlib;
mod strings;
mod texts;
mod toplevel;
pub mod wheel;

#[cfg(test)]
mod tests;

pub use facts::*;

/// Larger texts are read by lines: a tree takes some twenty times the size of its text.
const MAX_PARSED: usize = 8 << 20;

/// The facts of one Python file. They depend on `bytes` and `kind` alone, so that they can be cached by content;
/// the path only names them for the caller and is not read.
pub fn facts(_path_hint: &ProjectPath, bytes: &[u8], kind: SourceKind) -> Facts {
    match kind {
        SourceKind::Module | SourceKind::Stub => facts_of_source(&Source::decode(bytes), kind),
        SourceKind::Notebook => facts_of_notebook(bytes),
    }
}

/// The facts of code that stands in a string.
fn facts_of_text(text: &str) -> Facts {
    facts_of_source(&Source::from_text(Cow::Borrowed(text)), SourceKind::Module)
}

fn facts_of_notebook(bytes: &[u8]) -> Facts {
    match notebook::code(bytes) {
        Ok(code) => {
            let source = Source::from_text(Cow::Borrowed(&code.text));
            let mut facts = facts_of_source(&source, SourceKind::Notebook);
            notebook::relocate(&mut facts, &code.lines, bytes);
            facts
        }
        Err(problem) => Facts { problems: vec![problem], incomplete: true, ..Facts::default() },
    }
}

/// The imports of the `>>>` examples in a file. Spans are empty.
pub fn doctest_imports(bytes: &[u8]) -> Vec<Import> {
    let source = Source::decode(bytes);
    // Examples stand in for their lines, so that lines stay right.
    let code = |line: &str| {
        let line = line.trim_start();
        let prompt = [">>>", "..."].into_iter().find_map(|prompt| line.strip_prefix(prompt));
        prompt.map_or_else(String::new, |code| code.strip_prefix(' ').unwrap_or(code).to_owned())
    };
    let examples: Vec<String> = source.text.lines().map(code).collect();
    let mut imports = facts_of_text(&examples.join("\n")).imports;
    for import in &mut imports {
        import.span = crate::source::Span::default();
        import.names.iter_mut().for_each(|name| name.span = crate::source::Span::default());
    }
    imports
}

fn facts_of_source(source: &Source<'_>, kind: SourceKind) -> Facts {
    let mut facts = match unparsable(source) {
        Some(problem) => facts_by_line(source, kind, problem),
        None => facts_by_tree(source, kind),
    };
    facts.incomplete |= !source.problems.is_empty();
    facts.generated = says_generated(&source.text);
    facts.problems.splice(0..0, source.problems.iter().cloned());
    facts.lines = count_lines(&source.lines, source.text.len());
    facts
}

/// Whether one of the first comments says so, as most generators write it.
fn says_generated(text: &str) -> bool {
    let comments = text.lines().take(10).filter(|line| line.starts_with('#'));
    comments.map(str::to_ascii_lowercase).any(|comment| {
        let forbids = ["do not edit", "do not modify"].iter().any(|words| comment.contains(words));
        comment.contains("@generated") || forbids && comment.contains("generated")
    })
}

fn count_lines(lines: &LineIndex, length: usize) -> u32 {
    // The empty rest after a final newline is no line.
    let last = lines.line(length as u32);
    match length.checked_sub(1) {
        None => 0,
        Some(before) => last.min(lines.line(before as u32)),
    }
}

/// Why the text must not be parsed.
fn unparsable(source: &Source<'_>) -> Option<FactProblem> {
    let problem = |line, message| Some(FactProblem { line, kind: ProblemKind::Limit, message });
    if source.text.len() > MAX_PARSED {
        let message = "larger than 8 MiB: only import statements were read";
        return problem(0, message.to_owned());
    }
    let offset = depth::too_deep(&source.text)?;
    let message = "nested too deeply: only import statements were read";
    problem(source.lines.line(offset as u32), message.to_owned())
}

fn facts_by_line(source: &Source<'_>, kind: SourceKind, problem: FactProblem) -> Facts {
    let context = Context { type_only: kind == SourceKind::Stub, ..Context::default() };
    let strings = recover::long_strings(source);
    let mut facts = Facts {
        imports: recover::imports_by_line(source, &[], &strings, context),
        problems: vec![problem],
        incomplete: true,
        ..Facts::default()
    };
    let comments = recover::comments_by_line(source, &strings);
    read_comments(source, &comments, &mut facts);
    facts
}

fn facts_by_tree(source: &Source<'_>, kind: SourceKind) -> Facts {
    let mode = if kind == SourceKind::Notebook { Mode::Ipython } else { Mode::Module };
    let options = ParseOptions::from(mode).with_target_version(PythonVersion::PY315);
    let Some(parsed) = parse_unchecked(&source.text, options).try_into_module() else {
        return Facts { incomplete: true, ..Facts::default() };
    };
    let mut facts = extract::extract(parsed.syntax(), source, kind);
    if !parsed.errors().is_empty() {
        add_errors(source, &parsed, kind, &mut facts);
    }
    if directives::worth_a_look(&source.text) {
        let comments = tokens_of(&parsed, |token| token.kind() == TokenKind::Comment);
        read_comments(source, &comments, &mut facts);
    }
    facts
}

/// Errors as problems; imports that the broken region swallowed are read by lines.
fn add_errors(
    source: &Source<'_>,
    parsed: &Parsed<ModModule>,
    kind: SourceKind,
    facts: &mut Facts,
) {
    facts.incomplete = true;
    let problem = |error: &ruff_python_parser::ParseError| FactProblem {
        line: source.lines.line(error.location.start().to_u32()),
        kind: ProblemKind::Syntax,
        message: first_lower(&error.error.to_string()),
    };
    facts.problems.extend(parsed.errors().iter().take(MAX_ERRORS).map(problem));
    let mut known: Vec<u32> =
        facts.imports.iter().map(|import| source.decoded(import.span.start)).collect();
    known.sort_unstable();
    let strings = tokens_of(parsed, |token| {
        let closed = token.string_flags().is_some_and(|flags| !flags.is_unclosed());
        closed && !matches!(token.kind(), TokenKind::FStringStart | TokenKind::TStringStart)
    });
    let context = Context { type_only: kind == SourceKind::Stub, ..Context::default() };
    let swallowed = recover::imports_by_line(source, &known, &strings, context);
    facts.imports.extend(swallowed);
    facts.imports.sort_by_key(|import| import.span);
}

/// Imports that run where the tree was exported from: they speak for what they import, and nothing is missing without them.
fn hidden_imports(source: &Source<'_>, range: TextRange, code: &str) -> Vec<Import> {
    let (span, line) = (source.span(range), source.lines.line(range.start().to_u32()));
    let mut imports =
        if code.contains("import") { facts_of_text(code).imports } else { Vec::new() };
    for import in &mut imports {
        (import.span, import.line, import.kind) = (span, line, ImportKind::Optional);
        import.names.iter_mut().for_each(|name| (name.span, name.line) = (span, line));
    }
    imports
}

/// The first errors of a file tell enough.
const MAX_ERRORS: usize = 20;

fn first_lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn tokens_of(parsed: &Parsed<ModModule>, wanted: impl Fn(&Token) -> bool) -> Vec<TextRange> {
    parsed.tokens().iter().filter(|token| wanted(token)).map(Ranged::range).collect()
}

fn read_comments(source: &Source<'_>, comments: &[TextRange], facts: &mut Facts) {
    for &range in comments {
        directives::read_comment(source, range, &mut facts.directives);
        if let Some(code) = directives::hidden_code(source.slice(range)) {
            facts.imports.extend(hidden_imports(source, range, code));
        }
        let types = directives::type_comment(source.slice(range)).unwrap_or("");
        for name in strings::names_in_type(types) {
            let (span, line) = (source.span(range), source.lines.line(range.start().to_u32()));
            let kind = StringKind::Annotation;
            facts.strings.push(DottedString { text: name.into(), kind, span, line });
        }
    }
    facts.imports.sort_by_key(|import| import.span);
    facts.strings.sort_by_key(|string| string.span);
    directives::attach(source, comments, facts);
}
