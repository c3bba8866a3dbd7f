//! What the words of Python and Starlark are, for their colours: strings, comments, keywords, numbers. Never fails. Pure
//! functions of text.

use std::ops::Range;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A word of the language.
    Keyword,
    /// A string, with its prefix and quotes.
    String,
    /// From `#` to the end of the line.
    Comment,
    /// A number, or a constant with a name.
    Number,
}

/// The parts of `range` that are not plain, in order. The text before it is looked at only for strings that reach into it.
pub(super) fn parts(text: &str, range: Range<usize>) -> Vec<(Range<usize>, Class)> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut at = range.start;
    if let Some(end) = end_of_string_over(bytes, range.start) {
        parts.push((at..end.min(range.end), Class::String));
        at = end;
    }
    while at < range.end {
        let (end, class) = next(text, at);
        if let Some(class) = class {
            parts.push((at..end.min(range.end), class));
        }
        at = end.max(at + 1);
    }
    parts
}

/// Where the string ends that begins before an offset and reaches beyond it.
fn end_of_string_over(bytes: &[u8], offset: usize) -> Option<usize> {
    let mut at = 0;
    // Most of a file are neither quotes nor comments.
    while let Some(found) =
        bytes.get(at..offset).and_then(|rest| memchr::memchr3(b'"', b'\'', b'#', rest))
    {
        at += found;
        at = if bytes.get(at) == Some(&b'#') {
            end_of_line(bytes, at)
        } else {
            end_of_string(bytes, at)
        };
    }
    (at > offset).then_some(at)
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |end| at + end)
}

/// One past the string that begins with the quote at an offset. One that never ends goes to the end of its line, or of the
/// text.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let Some(&quote) = bytes.get(at) else { return bytes.len() };
    let is_triple = bytes.get(at..at + 3) == Some(&[quote; 3]);
    let mut at = at + if is_triple { 3 } else { 1 };
    while let Some(found) =
        bytes.get(at..).and_then(|rest| memchr::memchr3(quote, b'\\', b'\n', rest))
    {
        at += found;
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'\n') if !is_triple => return at,
            Some(b'\n') => at += 1,
            _ if !is_triple => return at + 1,
            _ if bytes.get(at..at + 3) == Some(&[quote; 3]) => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of what begins at an offset, and what it is.
fn next(text: &str, at: usize) -> (usize, Option<Class>) {
    let bytes = text.as_bytes();
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return (at + 1, None) };
    match first {
        '#' => (end_of_line(bytes, at), Some(Class::Comment)),
        '"' | '\'' => (end_of_string(bytes, at), Some(Class::String)),
        '0'..='9' => (at + length_of_number(rest), Some(Class::Number)),
        first if is_word(first) => {
            let end = at + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = text.get(at..end).unwrap_or_default();
            let is_quote = matches!(bytes.get(end), Some(b'"' | b'\''));
            if is_quote && is_prefix(word) {
                return (end_of_string(bytes, end), Some(Class::String));
            }
            (end, class_of(word))
        }
        other => (at + other.len_utf8(), None),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn length_of_number(rest: &str) -> usize {
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut before = ' ';
    let is_over = |c: char| {
        let is_sign = !is_hex && matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
        before = c;
        !(c == '.' || is_word(c) || is_sign)
    };
    rest.find(is_over).unwrap_or(rest.len())
}

fn is_prefix(word: &str) -> bool {
    word.len() <= 2
        && word.bytes().all(|c| matches!(c.to_ascii_lowercase(), b'r' | b'b' | b'f' | b'u' | b't'))
}

fn class_of(word: &str) -> Option<Class> {
    match word {
        "True" | "False" | "None" | "Ellipsis" | "NotImplemented" => Some(Class::Number),
        "and" | "as" | "assert" | "async" | "await" | "break" | "class" | "continue" | "def"
        | "del" | "elif" | "else" | "except" | "finally" | "for" | "from" | "global" | "if"
        | "import" | "in" | "is" | "lambda" | "load" | "nonlocal" | "not" | "or" | "pass"
        | "raise" | "return" | "try" | "while" | "with" | "yield" => Some(Class::Keyword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(&str, Class)> {
        let parts = parts(text, 0..text.len());
        parts.into_iter().map(|(range, class)| (&text[range], class)).collect()
    }

    #[test]
    fn words_strings_comments_and_numbers_are_told_apart() {
        use Class::{Comment, Keyword, Number, String};
        let text = "from a import b  # no 'string'\nx = rb'#\\'' + f\"{1}\" + 0x1f - 1.5e-3 if None else imports\n";
        let expected = [
            ("from", Keyword),
            ("import", Keyword),
            ("# no 'string'", Comment),
            ("rb'#\\''", String),
            ("f\"{1}\"", String),
            ("0x1f", Number),
            ("1.5e-3", Number),
            ("if", Keyword),
            ("None", Number),
            ("else", Keyword),
        ];
        assert_eq!(shown(text), expected);
        assert_eq!(shown("'open\nif"), [("'open", String), ("if", Keyword)]);
        assert_eq!(shown("'''a\n'b\n''' 1"), [("'''a\n'b\n'''", String), ("1", Number)]);
        assert_eq!(shown("\"\"\"never"), [("\"\"\"never", String)]);
    }

    proptest! {
        #[test]
        fn what_stands_before_does_not_change_what_is_seen(
            text in "([a-z '\"#\\\\\n01é]|\"\"\"|'''){0,80}",
            from in 0_usize..80,
        ) {
            let starts: Vec<usize> =
                std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            let from = starts[from % starts.len()];
            let class_at = |parts: &[(Range<usize>, Class)], at: usize| {
                parts.iter().find(|(range, _)| range.contains(&at)).map(|(_, class)| *class)
            };
            let (whole, rest) = (parts(&text, 0..text.len()), parts(&text, from..text.len()));
            for at in from..text.len() {
                prop_assert_eq!(class_at(&whole, at), class_at(&rest, at), "{} from {}", at, from);
            }
        }
    }
}
