//! A cheap upper bound on how deep a parse tree gets, so that no input can exhaust the stack. Touches nothing.
//!
//! It holds for Python and for Starlark. Parsing, walking and dropping a tree recurse on it. Every level of
//! the tree costs at least one word or operator between two commas, so counting those bounds it. The
//! interpreter itself gives up far below the limits here, except on long operator chains.

/// Greatest bound on nesting within one statement. With it a debug build stays below 2 MB of stack.
const MAX_EXPRESSION: u32 = 1000;
/// Greatest number of nested blocks; the limit of the interpreter's tokenizer.
const MAX_BLOCKS: usize = 100;
/// F-strings in f-strings with different quotes; Python before 3.12 allows four levels, and same quotes need none.
const MAX_STRINGS: u32 = 6;

/// Bits of a byte's class.
const WORD: u8 = 1;
const OPERATOR: u8 = 2;
const DOT: u8 = 4;
/// Changes how the bytes after it count.
const STRUCTURE: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [OPERATOR; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => WORD,
            b'.' => DOT,
            b'(' | b'[' | b'{' | b')' | b']' | b'}' | b',' | b';' | b'=' | b'"' | b'\'' | b'#'
            | b'\\' | b'\n' | b'\r' => STRUCTURE,
            0..=b' ' => 0,
            _ => OPERATOR,
        };
        byte += 1;
    }
    classes
};

/// Offset at which `text` gets too deep to be walked, if it does.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    Scan::new(text.as_bytes(), 0).module().err()
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    /// Depths before each open bracket.
    open: Vec<u32>,
    /// No operator but dots and assignments since the statement began.
    plain: bool,
}

type Bounded = Result<(), usize>;

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8], depth: u32) -> Self {
        Self { bytes, at: 0, depth, open: Vec::new(), plain: false }
    }

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
        self.plain = true;
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
        loop {
            self.flat()?;
            let Some(byte) = self.peek() else { return Ok(()) };
            match byte {
                b'"' | b'\'' => {
                    self.string(strings)?;
                    continue;
                }
                b'#' => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    continue;
                }
                b'\\' => {
                    let crlf = self.bytes.get(self.at + 1..self.at + 3) == Some(b"\r\n");
                    self.at += if crlf { 3 } else { 2 };
                    continue;
                }
                _ => self.at += 1,
            }
            match byte {
                b'\n' | b'\r' => return Ok(()),
                b',' | b';' => self.depth = self.open.last().map_or(0, |&before| before + 1),
                b'=' if self.is_assignment() => self.depth = 0,
                b'(' | b'[' | b'{' => {
                    self.open.push(self.depth);
                    self.deeper(1)?;
                }
                b')' | b']' | b'}' => {
                    self.depth = self.open.pop().unwrap_or(self.depth);
                    self.deeper(1)?;
                }
                _ => {
                    self.plain = false;
                    self.deeper(1)?;
                }
            }
        }
    }

    /// Scans up to the next byte of structure, without a branch for each byte.
    #[inline]
    fn flat(&mut self) -> Bounded {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (mut before, mut seen, mut units, mut length) = (0, 0, 0, 0);
        for &byte in rest {
            let class = CLASSES[usize::from(byte)];
            if class == STRUCTURE {
                break;
            }
            let starts_word = class & !before & WORD;
            units += u32::from(starts_word + (class >> 1 & 1) + (class >> 2));
            seen |= class;
            before = class;
            length += 1;
        }
        self.at += length;
        self.plain &= seen & OPERATOR == 0;
        self.deeper(units)
    }

    /// `a = b = c` is flat. Only names, dots and brackets so far: a default of a `lambda` is no assignment.
    fn is_assignment(&self) -> bool {
        self.plain && self.open.is_empty() && self.peek() != Some(b'=')
    }

    #[inline]
    fn deeper(&mut self, units: u32) -> Bounded {
        self.depth += units;
        if self.depth > MAX_EXPRESSION { Err(self.at) } else { Ok(()) }
    }

    /// The letters before the quote, if they are a prefix: they count as no word then.
    fn prefix(&mut self) -> &'a [u8] {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let letters = before
            .iter()
            .rev()
            .take_while(|byte| CLASSES[usize::from(**byte)] == WORD)
            .take(3)
            .count();
        if letters == 0 || letters > 2 {
            return &[];
        }
        self.depth = self.depth.saturating_sub(1);
        before.get(before.len() - letters..).unwrap_or_default()
    }

    fn string(&mut self, strings: u32) -> Bounded {
        let formatted = self.prefix().iter().any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'));
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
        let mut nested = Scan::new(inner, self.depth);
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
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let mut field = Scan::new(field_of(rest), base + 1);
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
pub(crate) fn string_body(bytes: &[u8]) -> (&[u8], usize) {
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
            format!("x = {}1", "lambda y=1: ".repeat(n)),
            format!("x = {}1", "y == ".repeat(n)),
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
            format!("{}1", "a = b.c = ".repeat(n)),
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
