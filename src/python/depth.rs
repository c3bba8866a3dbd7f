//! A cheap upper bound on how deep a parse tree gets, so that no input can exhaust the stack. Touches nothing.
//!
//! The parser grows its own stack, but walking and dropping its tree recurse on the caller's. Every level of
//! the tree costs at least one word or operator between two commas, so counting those bounds it. CPython
//! itself gives up far below the limits here, except on long operator chains.

/// Greatest bound on nesting within one statement. With it a debug build stays below 2 MB of stack.
const MAX_EXPRESSION: u32 = 1000;
/// Greatest number of nested blocks; the limit of CPython's tokenizer.
const MAX_BLOCKS: usize = 100;
/// F-strings in f-strings with different quotes; Python before 3.12 allows four levels, and same quotes need none.
const MAX_STRINGS: u32 = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Skip,
    Word,
    Operator,
    Open,
    Close,
    Comma,
    Newline,
    Quote,
    Hash,
    Backslash,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Operator; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Word,
            b'(' | b'[' | b'{' => Class::Open,
            b')' | b']' | b'}' => Class::Close,
            b',' | b';' => Class::Comma,
            b'\n' | b'\r' => Class::Newline,
            b'"' | b'\'' => Class::Quote,
            b'#' => Class::Hash,
            b'\\' => Class::Backslash,
            0..=b' ' => Class::Skip,
            _ => Class::Operator,
        };
        byte += 1;
    }
    classes
};

/// Offset at which `text` gets too deep to be walked, if it does.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, depth: 0, open: Vec::new() };
    scan.module().err()
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    /// Depths before each open bracket.
    open: Vec<u32>,
}

type Bounded = Result<(), usize>;

impl Scan<'_> {
    fn module(&mut self) -> Bounded {
        let mut blocks: Vec<usize> = Vec::new();
        while self.at < self.bytes.len() {
            if self.open.is_empty() {
                self.indentation(&mut blocks)?;
            }
            self.line(0)?;
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn indentation(&mut self, blocks: &mut Vec<usize>) -> Bounded {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\x0c')) {
            self.at += 1;
        }
        self.depth = 0;
        if matches!(self.peek(), None | Some(b'#' | b'\n' | b'\r')) {
            return Ok(());
        }
        let width = self.at - start;
        while blocks.last().is_some_and(|&block| block > width) {
            blocks.pop();
        }
        if width > 0 && blocks.last() != Some(&width) {
            blocks.push(width);
        }
        if blocks.len() > MAX_BLOCKS { Err(self.at) } else { Ok(()) }
    }

    /// Scans up to and including the next newline outside of strings.
    fn line(&mut self, strings: u32) -> Bounded {
        while let Some(byte) = self.peek() {
            match CLASSES[usize::from(byte)] {
                Class::Skip => self.at += 1,
                Class::Word => self.word(strings)?,
                Class::Quote => self.string(false, strings)?,
                Class::Newline => {
                    self.at += 1;
                    return Ok(());
                }
                Class::Hash => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                Class::Backslash => {
                    let crlf = self.bytes.get(self.at + 1..self.at + 3) == Some(b"\r\n");
                    self.at += if crlf { 3 } else { 2 };
                }
                Class::Comma => {
                    self.at += 1;
                    self.depth = self.open.last().map_or(0, |&before| before + 1);
                }
                Class::Operator => {
                    self.at += 1;
                    self.deeper()?;
                }
                Class::Open => {
                    self.at += 1;
                    self.open.push(self.depth);
                    self.deeper()?;
                }
                Class::Close => {
                    self.at += 1;
                    self.depth = self.open.pop().unwrap_or(self.depth);
                    self.deeper()?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn deeper(&mut self) -> Bounded {
        self.depth += 1;
        if self.depth > MAX_EXPRESSION { Err(self.at) } else { Ok(()) }
    }

    #[inline]
    fn word(&mut self, strings: u32) -> Bounded {
        let start = self.at;
        while self.peek().is_some_and(|byte| CLASSES[usize::from(byte)] == Class::Word) {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'"' | b'\'')) && self.at - start <= 2 {
            let prefix = self.bytes.get(start..self.at).unwrap_or_default();
            let formatted = prefix.iter().any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'));
            return self.string(formatted, strings);
        }
        self.deeper()
    }

    fn string(&mut self, formatted: bool, strings: u32) -> Bounded {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (inner, length) = string_body(rest);
        self.at += length;
        if !formatted {
            return Ok(());
        }
        if strings >= MAX_STRINGS {
            return Err(self.at);
        }
        let base = self.at;
        let mut nested = Scan { bytes: inner, at: 0, depth: self.depth, open: Vec::new() };
        nested.replacement_fields(strings + 1).map_err(|_| base)
    }

    /// Scans the `{…}` parts of a formatted string's body.
    fn replacement_fields(&mut self, strings: u32) -> Bounded {
        let base = self.depth;
        while let Some(rest) = self.bytes.get(self.at..)
            && let Some(brace) = memchr::memchr(b'{', rest)
        {
            self.at += brace + 1;
            if self.peek() == Some(b'{') {
                self.at += 1;
                continue;
            }
            let mut field = Scan {
                bytes: field_of(self.bytes.get(self.at..).unwrap_or_default()),
                at: 0,
                depth: base + 1,
                open: Vec::new(),
            };
            while field.at < field.bytes.len() {
                field.line(strings)?;
            }
            self.at += field.bytes.len();
        }
        Ok(())
    }
}

/// The bytes up to the brace that closes a replacement field, or all of them.
fn field_of(bytes: &[u8]) -> &[u8] {
    let mut open = 0u32;
    for at in memchr::memchr2_iter(b'{', b'}', bytes) {
        match bytes.get(at) {
            Some(b'{') => open += 1,
            _ if open == 0 => return bytes.get(..at).unwrap_or_default(),
            _ => open -= 1,
        }
    }
    bytes
}

/// The body of the string literal that starts with the quote at the start of `bytes`, and the length with quotes.
pub(super) fn string_body(bytes: &[u8]) -> (&[u8], usize) {
    let Some(&quote) = bytes.first() else { return (&[], 0) };
    let triple = bytes.get(..3) == Some(&[quote; 3]);
    let start = if triple { 3 } else { 1 };
    let mut at = start;
    while let Some(rest) = bytes.get(at..)
        && let Some(found) = memchr::memchr3(quote, b'\\', b'\n', rest)
    {
        at += found;
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'\n') if !triple => return (bytes.get(start..at).unwrap_or_default(), at),
            Some(b'\n') => at += 1,
            _ if !triple => return (bytes.get(start..at).unwrap_or_default(), at + 1),
            _ if bytes.get(at..at + 3) == Some(&[quote; 3]) => {
                return (bytes.get(start..at).unwrap_or_default(), at + 3);
            }
            _ => at += 1,
        }
    }
    (bytes.get(start..).unwrap_or_default(), bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_code_is_found() {
        let n = 10_000;
        for text in [
            "(".repeat(n) + &")".repeat(n),
            format!("x = a{}", "+a".repeat(n)),
            format!("x = a{}", ".b".repeat(n)),
            format!("f{}", "()".repeat(n)),
            format!("x = {}1", "not ".repeat(n)),
            format!("x = {}1", "-".repeat(n)),
            format!("x = {}1", "lambda: ".repeat(n)),
            format!("x = {}1", "1 if 1 else ".repeat(n)),
            format!("x = f'{{{}}}'", "a+".repeat(n)),
            format!("x = {}1{}", "f\"{".repeat(n), "}\"".repeat(n)),
            (0..150).map(|depth| "\t".repeat(depth) + "if x:\n").collect(),
        ] {
            assert!(too_deep(&text).is_some(), "{}", &text[..40]);
        }
    }

    #[test]
    fn long_but_flat_code_is_not_deep() {
        let n = 10_000;
        for text in [
            format!("x = [{}]", "-1, (a.b + c), ".repeat(n)),
            format!("x = (\n{})", "    'a b c ((('\n".repeat(n)),
            format!("if x:\n  pass\n{}", "elif a.b(c):\n  pass\n".repeat(n)),
            format!("# {}\n'''{}'''", "(".repeat(n), "[ not\n".repeat(n)),
            format!("x = f'''{}'''", "not in a field ((( \n {{ {x} ".repeat(n)),
            "def f(a: int) -> None:\n    return a \\\n        + 1\n".repeat(n),
        ] {
            assert_eq!(too_deep(&text), None, "{}", &text[..40]);
        }
    }
}
