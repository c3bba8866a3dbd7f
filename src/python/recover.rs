//! Imports by lines, for files that cannot or must not be parsed whole. Touches nothing.

use ruff_python_ast::{Mod, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::decode::Source;
use super::facts::Import;
use super::imports::{self, Context};
use crate::depth::{string_body, too_deep};

/// A statement longer than this is no import that somebody wrote.
const MAX_STATEMENT: usize = 64 * 1024;

/// Reads every line that starts like an import statement and is not at one of the offsets in `known`
/// (sorted) or within one of `strings` (sorted).
pub(super) fn imports_by_line(
    source: &Source<'_>,
    known: &[u32],
    strings: &[TextRange],
    context: Context,
) -> Vec<Import> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let code = line.trim_start_matches([' ', '\t', '\u{feff}', '\x0c']);
        let at = start + line.len() - code.len();
        start += line.len();
        if looks_like_import(code)
            && known.binary_search(&(at as u32)).is_err()
            && !inside(strings, at)
        {
            statement(source, at, context, &mut found);
        }
    }
    found
}

fn looks_like_import(code: &str) -> bool {
    let code = code.strip_prefix("lazy ").unwrap_or(code);
    let starts = |keyword: &str| {
        code.strip_prefix(keyword).is_some_and(|rest| rest.starts_with([' ', '\t', '.', '\\']))
    };
    starts("import") || starts("from")
}

fn inside(ranges: &[TextRange], offset: usize) -> bool {
    let offset = TextSize::new(offset as u32);
    let after = ranges.partition_point(|range| range.start() <= offset);
    let last = after.checked_sub(1).and_then(|last| ranges.get(last));
    last.is_some_and(|range| offset < range.end())
}

fn statement(source: &Source<'_>, start: usize, context: Context, found: &mut Vec<Import>) {
    let rest = source.text.get(start..).unwrap_or("");
    let text = rest.get(..length(rest)).unwrap_or("");
    if too_deep(text).is_some() {
        return;
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let Mod::Module(module) = parsed.into_syntax() else { return };
    let shifted = |range: TextRange| range + TextSize::new(start as u32);
    for statement in module.body {
        match statement {
            Stmt::Import(mut import) => {
                import.range = shifted(import.range());
                for alias in &mut import.names {
                    alias.range = shifted(alias.range);
                }
                imports::import(source, &import, context, found);
            }
            Stmt::ImportFrom(mut import) => {
                import.range = shifted(import.range());
                for alias in &mut import.names {
                    alias.range = shifted(alias.range);
                }
                imports::import_from(source, &import, context, found);
            }
            // Whatever follows on the line is not an import any more.
            _ => return,
        }
    }
}

/// Length of the statement at the start of `text`: to the end of its line, its brackets and its backslashes.
fn length(text: &str) -> usize {
    let window = text.as_bytes().get(..text.len().min(MAX_STATEMENT)).unwrap_or_default();
    let mut open = false;
    let mut comment = false;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'#' => comment = true,
            b'(' if !comment => open = true,
            b')' if !comment => open = false,
            b'\n' => {
                comment = false;
                let before = window.get(..at).unwrap_or_default();
                let continues = before.trim_ascii_end().ends_with(b"\\");
                // Names in brackets stand alone; a keyword means that the bracket was never closed.
                let next = text.get(at + 1..).unwrap_or("").trim_start();
                if !(open && !looks_like_import(next) || continues) {
                    return at;
                }
            }
            _ => {}
        }
    }
    (0..=window.len()).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0)
}

/// The closed string literals that span lines, found without tokens.
pub(super) fn long_strings(source: &Source<'_>) -> Vec<TextRange> {
    let bytes = source.text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Some(skipped) = memchr::memchr3(b'"', b'\'', b'#', rest)
    {
        let start = at + skipped;
        let rest = rest.get(skipped..).unwrap_or_default();
        if rest.starts_with(b"#") {
            at = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            continue;
        }
        let (body, length) = string_body(rest);
        at = start + length;
        if at < bytes.len() && memchr::memchr(b'\n', body).is_some() {
            found.push(TextRange::new(TextSize::new(start as u32), TextSize::new(at as u32)));
        }
    }
    found
}

/// The places of comments with directives, found without tokens; a `#` in a short string may be among them.
pub(super) fn comments_by_line(source: &Source<'_>, strings: &[TextRange]) -> Vec<TextRange> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let code = line.trim_end();
        if (code.contains("@manual") || code.contains("secateur:"))
            && let Some(hash) = code.find('#')
            && !inside(strings, start + hash)
        {
            let range = |from: usize, to: usize| {
                TextRange::new(TextSize::new(from as u32), TextSize::new(to as u32))
            };
            found.push(range(start + hash, start + code.len()));
        }
        start += line.len();
    }
    found
}
