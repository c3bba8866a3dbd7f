//! What of the prelude can run while build files are evaluated: the half that needs an analysis never does. Pure functions of text.

use crate::depth::string_body;
use std::fmt::Write;

/// Types of which there are values only while a target is analysed. Buck2 checks parameters when it calls a function, so that
/// one that has to get such a value cannot be called before (`AnalysisContext` and others in Buck2's API reference).
const ONLY_IN_ANALYSIS: &[&str] =
    &["AnalysisContext", "AnalysisActions", "Artifact", "Dependency", "BxlContext", "bxl.Context"];

/// The text with functions that need an analysis emptied, on the same lines; `None` if it has none. They are a third of the
/// prelude, and what they alone load is another.
pub(super) fn without_analysis(text: &str) -> Option<String> {
    let mut kept = String::new();
    let (mut at, mut copied) = (0, 0);
    while at < text.len() {
        match function_at(text, at) {
            Some(function) if function.needs_analysis => {
                kept += &text[copied..at];
                let lines = text[at..function.end].matches('\n').count();
                write!(kept, "def {}(): pass{:\n<lines$}", function.name, "").ok()?;
                (at, copied) = (function.end, function.end);
            }
            Some(function) => at = function.end,
            None => at = end_of_line(text, at),
        }
    }
    (copied > 0).then(|| kept + &text[copied..])
}

/// A function at the top level.
struct Function<'t> {
    name: &'t str,
    needs_analysis: bool,
    /// Where the next statement begins, or a comment before it.
    end: usize,
}

fn function_at(text: &str, at: usize) -> Option<Function<'_>> {
    let rest = text[at..].strip_prefix("def ")?;
    let (name, _) = rest.split_once('(')?;
    let open = at + "def ".len() + name.len();
    let close = closing(text, open)?;
    let mut end = end_of_line(text, close);
    let is_alone = text[close..end].trim_end().ends_with(':');
    let needs_analysis = is_alone && has_value_of_analysis(&text[open + 1..close]);
    while text[end..].starts_with([' ', '\t', '\r', '\n']) {
        end = end_of_line(text, end);
    }
    Some(Function { name, needs_analysis, end })
}

/// Whether one of the parameters has to be a value of an analysis.
fn has_value_of_analysis(parameters: &str) -> bool {
    let code = parameters.lines().map(|line| line.split('#').next().unwrap_or_default());
    code.flat_map(|line| line.split(',')).any(|parameter| {
        let annotation = parameter.split_once(':').map(|(_, annotation)| annotation.trim());
        annotation.is_some_and(|annotation| ONLY_IN_ANALYSIS.contains(&annotation))
    })
}

/// Where the bracket is that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut at, mut depth) = (open, 0_u32);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 1 => return Some(at),
            b')' | b']' | b'}' => depth -= 1,
            _ => {
                at = past_opaque(text, at);
                continue;
            }
        }
        at += 1;
    }
    None
}

/// Where the next line begins that is not in a string.
fn end_of_line(text: &str, mut at: usize) -> usize {
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'\n' => return at + 1,
            b'"' | b'\'' | b'#' => at = past_opaque(text, at),
            _ => at += 1,
        }
    }
    text.len()
}

/// Past the string, the comment, or the one byte at `at`.
fn past_opaque(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    let length = match rest.first() {
        Some(b'"' | b'\'') => string_body(rest).1,
        Some(b'#') => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
        _ => 1,
    };
    at + length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_need_an_analysis_are_emptied_in_place() {
        let text = "\
load(\":a.bzl\", \"a\")

def _impl(ctx: AnalysisContext) -> list[Provider]:
    \"\"\"Says
what it does.\"\"\"
    x = a(')')

    return [x]

# About b.
def b(
        name: str,  # or, x: Artifact
        actions: AnalysisActions,
        deps: list[str] = []) -> dict[str, str]:
    return {}

def c(artifact: Artifact | None, deps: list[Dependency], d: Artifact = None):
    return 1
X = c
";
        let expected = "\
load(\":a.bzl\", \"a\")

def _impl(): pass






# About b.
def b(): pass





def c(artifact: Artifact | None, deps: list[Dependency], d: Artifact = None):
    return 1
X = c
";
        let found = without_analysis(text).unwrap();
        assert_eq!(found, expected);
        assert_eq!(without_analysis(&found), None);
    }

    #[test]
    fn what_looks_like_a_function_in_a_string_is_left() {
        let text = "DOC = \"\"\"\ndef f(ctx: AnalysisContext):\n    pass\n\"\"\"\n";
        assert_eq!(without_analysis(text), None);
        for cut in
            ["def f(ctx: AnalysisContext", "def f(ctx: AnalysisContext): return 1\nx = 1\n", "def "]
        {
            assert_eq!(without_analysis(cut), None, "{cut}");
        }
        let last = "def f(ctx: AnalysisContext):\n    return 1";
        assert_eq!(without_analysis(last).as_deref(), Some("def f(): pass\n"));
    }
}
