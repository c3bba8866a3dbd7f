//! Labels as build files write them. Pure functions of text and cells.

use crate::label::{Label, PackageId};
use crate::workspace::Cells;
use serde::{Deserialize, Serialize};

/// A label with its sub-target, if it names one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The target.
    pub label: Label,
    /// What stands in the first `[…]`: one output of several.
    pub sub_target: Option<Box<str>>,
}

/// Reads a label as it stands in a build file of `package` (`buck2_core/src/pattern/pattern.rs`).
///
/// `None` for patterns and for text that is no label. A cell that nothing declares stands for itself, as something outside.
pub fn parse(text: &str, package: &PackageId, cells: &Cells) -> Option<Written> {
    if cells.is_bazel() {
        let label = super::bazel::labels::parse(text, package, cells)?;
        return Some(Written { label, sub_target: None });
    }
    let text = text.split('?').next().unwrap_or(text);
    let (text, sub_target) = match text.split_once('[') {
        Some((label, rest)) => (label, Some(rest.split(']').next().unwrap_or(rest).into())),
        None => (text, None),
    };
    let (package, name) = split(text, package, cells)?;
    let well_formed = !name.is_empty()
        && !name.contains(['*', '"', '\'', ' ', '\n', '$', '(', ')'])
        && !package.path.ends_with("...");
    well_formed.then(|| Written { label: package.target(name), sub_target })
}

fn split<'t>(text: &'t str, here: &PackageId, cells: &Cells) -> Option<(PackageId, &'t str)> {
    if let Some(name) = text.strip_prefix(':') {
        return Some((here.clone(), name));
    }
    let (cell, rest) = text.trim_start_matches('@').split_once("//")?;
    if cell.contains([' ', '/', ':', '.', '"']) {
        return None;
    }
    let cell = cells.resolve_alias(&here.cell, cell).unwrap_or_else(|| cell.into());
    let (path, name) = match rest.split_once(':') {
        Some((path, name)) => (path, name),
        // `//a/b` is `//a/b:b` where names are inferred, and a package elsewhere.
        None if cells.infers_target_names() => (rest, rest.rsplit('/').next()?),
        None => return None,
    };
    Some((PackageId::new(cell, path.trim_end_matches('/')), name))
}

/// Whether a source string names a target rather than a file (`attr_type/source.rs`). `@name` is a label in Bazel alone.
pub fn looks_like_label(text: &str) -> bool {
    text.starts_with(':') || text.contains("//") && text.contains(':') || text.starts_with("//")
}

/// The labels in the macros of an `attrs.arg` string: `$(location L)`, `$(exe L)`, `$(query_… "…")` and the like.
pub fn in_arg(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"$(") {
        let escaped = rest[..at].ends_with('\\');
        let body = &rest[at + 2..];
        let end = closing(body);
        if !escaped {
            labels_of_macro(&body[..end], &mut found);
        }
        rest = &body[end..];
    }
    found
}

/// The offset of the parenthesis that closes a macro, or the end.
fn closing(body: &str) -> usize {
    let mut depth = 1;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    body.len()
}

fn labels_of_macro<'t>(body: &'t str, found: &mut Vec<&'t str>) {
    let body = body.trim_start_matches('@');
    let Some((name, arguments)) = body.split_once(char::is_whitespace) else { return };
    match name {
        "source" => {}
        name if name.starts_with("query_") => found.extend(in_query(arguments)),
        _ => {
            let first = arguments.split_whitespace().next().unwrap_or("");
            let first = first.trim_matches(['"', '\'']);
            if looks_like_label(first) {
                found.push(first);
            }
        }
    }
}

/// The labels in a query.
pub(super) fn in_query(query: &str) -> Vec<&str> {
    let separators =
        |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"' | '\'' | '+' | '^');
    let words = query.split(separators).filter(|word| looks_like_label(word));
    words.filter(|word| !word.ends_with("...")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_give_their_labels() {
        let text = r#"cp $(location //a:b[out]) $(@exe :tool) \$(location :no) $(query_outputs "deps(//x:y, 1)") $(source f.txt)"#;
        assert_eq!(in_arg(text), ["//a:b[out]", ":tool", "//x:y"]);
    }

    #[test]
    fn an_unclosed_macro_ends_with_the_text() {
        assert_eq!(in_arg("$(location :x"), [":x"]);
        assert!(in_arg("$(").is_empty());
    }
}
