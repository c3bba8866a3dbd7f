//! The body of a `.pyc`, made the same for the same code: another name for the source, and no trace of how it was compiled. Pure.
//!
//! Bytes of one source differ from run to run in two things (`Python/marshal.c`):
//! - `co_filename` is the path that the source had when it was compiled. On import the interpreter puts the path there from
//!   which it loads (`_fix_co_filename`, called by `_compile_bytecode` in `Lib/importlib/_bootstrap_external.py`), so that any
//!   name does; see [`super`].
//! - An object is marked as one that is referred to later (`FLAG_REF`) if anybody held it while it was written (`w_ref` asks for
//!   its reference count), and so by what else the process had compiled before (python/cpython#129724). Marks that nothing refers
//!   to are taken away here, and what is left is counted anew: readers count marks, and see the same objects.

use super::header::Layout;
use std::ops::Range;

/// The bit of an object's type that puts it into the table of what can be referred to.
const FLAG_REF: u8 = 0x80;
/// How deep readers go (`MAX_MARSHAL_STACK_DEPTH`).
const MAX_DEPTH: usize = 2000;

/// The bytes are no code of the version that they say they are of: cut off, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The same code in its one form. `rename` gives the name of the source another form, or `None` to leave it.
pub(super) fn normalize(
    body: &[u8],
    layout: Layout,
    rename: impl FnOnce(&str) -> Option<String>,
) -> Result<Vec<u8>, Malformed> {
    let mut walk =
        Walk { body, at: 0, layout, marked: Vec::new(), references: Vec::new(), names: Vec::new() };
    let Seen::Code { name } = walk.object(0)? else { return Err(Malformed) };
    if walk.at != body.len() {
        return Err(Malformed);
    }
    Ok(walk.rewritten(name, rename))
}

/// What was read.
#[derive(Clone, Debug)]
enum Seen {
    /// A string, and its place in the table if it has one.
    Text {
        span: Range<usize>,
        mark: Option<usize>,
    },
    /// Something of the table.
    Reference(usize),
    /// Code, with the bytes of the string that names its source.
    Code {
        name: Option<Range<usize>>,
    },
    /// The end of a dictionary.
    End,
    Other,
}

/// An object that can be referred to.
#[derive(Clone, Debug)]
struct Marked {
    at: usize,
    /// Its bytes if it is a string.
    text: Option<Range<usize>>,
    /// How often something refers to it.
    uses: usize,
    /// How often it is the name of a source.
    uses_as_name: usize,
}

struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    layout: Layout,
    marked: Vec<Marked>,
    /// References: where, and to which place in the table.
    references: Vec<(usize, usize)>,
    /// Strings that name sources, where they are written out.
    names: Vec<(Range<usize>, Option<usize>)>,
}

impl Walk<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(Malformed)?;
        let bytes = self.body.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(bytes)
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.take(count)?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.take(1)?.first().copied().ok_or(Malformed)
    }

    fn number(&mut self) -> Result<i32, Malformed> {
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(i32::from_le_bytes(bytes))
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed)
    }

    /// Reads one object. The types are those of `Python/marshal.c`, as `r_object` reads them.
    fn object(&mut self, depth: usize) -> Result<Seen, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed);
        }
        let start = self.at;
        let kind = self.byte()?;
        let mark = (kind & FLAG_REF != 0).then_some(self.marked.len());
        let kind = kind & !FLAG_REF;
        let is_singleton = matches!(kind, b'0' | b'N' | b'F' | b'T' | b'S' | b'.' | b'r');
        let mark = mark.filter(|_| !is_singleton);
        if mark.is_some() {
            self.marked.push(Marked { at: start, text: None, uses: 0, uses_as_name: 0 });
        }
        match kind {
            b'0' => return Ok(Seen::End),
            b'N' | b'F' | b'T' | b'S' | b'.' => {}
            b'i' => self.skip(4)?,
            b'I' | b'g' => self.skip(8)?,
            b'y' => self.skip(16)?,
            b'l' => {
                let digits = self.number()?.unsigned_abs() as usize;
                self.skip(digits.checked_mul(2).ok_or(Malformed)?)?;
            }
            b'f' => self.short()?,
            b'x' => {
                self.short()?;
                self.short()?;
            }
            b's' => {
                let length = self.length()?;
                self.skip(length)?;
            }
            b'z' | b'Z' | b'a' | b'A' | b'u' | b't' => {
                let length = match kind {
                    b'z' | b'Z' => usize::from(self.byte()?),
                    _ => self.length()?,
                };
                self.skip(length)?;
                let span = start..self.at;
                if let Some(marked) = mark.and_then(|mark| self.marked.get_mut(mark)) {
                    marked.text = Some(span.clone());
                }
                return Ok(Seen::Text { span, mark });
            }
            b'r' => return self.reference(start),
            b')' => {
                let count = usize::from(self.byte()?);
                self.objects(count, depth)?;
            }
            b'(' | b'[' | b'<' | b'>' => {
                let count = self.length()?;
                self.objects(count, depth)?;
            }
            b'{' => while !matches!(self.object(depth + 1)?, Seen::End) {},
            b':' => self.objects(3, depth)?,
            b'c' => return self.code(depth),
            _ => return Err(Malformed),
        }
        Ok(Seen::Other)
    }

    fn short(&mut self) -> Result<(), Malformed> {
        let length = usize::from(self.byte()?);
        self.skip(length)
    }

    fn objects(&mut self, count: usize, depth: usize) -> Result<(), Malformed> {
        for _ in 0..count {
            if matches!(self.object(depth + 1)?, Seen::End) {
                return Err(Malformed);
            }
        }
        Ok(())
    }

    fn reference(&mut self, start: usize) -> Result<Seen, Malformed> {
        let to = self.length()?;
        self.marked.get_mut(to).ok_or(Malformed)?.uses += 1;
        self.references.push((start, to));
        Ok(Seen::Reference(to))
    }

    fn code(&mut self, depth: usize) -> Result<Seen, Malformed> {
        self.skip(4 * self.layout.numbers)?;
        self.objects(self.layout.before_name, depth)?;
        let name = match self.object(depth + 1)? {
            Seen::Text { span, mark } => {
                self.names.push((span.clone(), mark));
                Some(span)
            }
            Seen::Reference(to) => {
                let marked = self.marked.get_mut(to).ok_or(Malformed)?;
                marked.uses_as_name += 1;
                marked.text.clone()
            }
            _ => None,
        };
        self.objects(self.layout.after_name, depth)?;
        self.skip(4)?;
        self.objects(self.layout.tables, depth)?;
        Ok(Seen::Code { name })
    }

    /// The bytes with every edit made; `name` is the outermost code's.
    fn rewritten(
        &self,
        name: Option<Range<usize>>,
        rename: impl FnOnce(&str) -> Option<String>,
    ) -> Vec<u8> {
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut places = Vec::with_capacity(self.marked.len());
        let mut used = 0u32;
        for marked in &self.marked {
            places.push(used);
            if marked.uses > 0 {
                used += 1;
            } else if let Some(kind) = self.body.get(marked.at) {
                edits.push((marked.at..marked.at + 1, vec![kind & !FLAG_REF]));
            }
        }
        for (at, to) in &self.references {
            let place = places.get(*to).copied().unwrap_or_default();
            edits.push((at + 1..at + 5, place.to_le_bytes().to_vec()));
        }
        let old = name.and_then(|span| self.text(&span));
        if let Some(old) = old
            && let Some(new) = rename(old)
        {
            self.add_names(old, &new, &mut edits);
        }
        // The type of a renamed string is edited together with its text, and its mark may go, too: the longer edit wins.
        edits.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut out = Vec::with_capacity(self.body.len());
        let mut at = 0;
        for (span, bytes) in &edits {
            if span.start >= at {
                out.extend_from_slice(self.body.get(at..span.start).unwrap_or_default());
                out.extend_from_slice(bytes);
                at = span.end;
            }
        }
        out.extend_from_slice(self.body.get(at..).unwrap_or_default());
        out
    }

    /// Renames each string that names a source `old` and nothing else.
    fn add_names(&self, old: &str, new: &str, edits: &mut Vec<(Range<usize>, Vec<u8>)>) {
        for (span, mark) in &self.names {
            let marked = mark.and_then(|mark| self.marked.get(mark));
            let is_name_only = marked.is_none_or(|marked| marked.uses == marked.uses_as_name);
            if is_name_only && self.text(span) == Some(old) {
                let kind = self.body.get(span.start).copied().unwrap_or_default();
                let is_marked = marked.is_some_and(|marked| marked.uses > 0);
                edits.push((span.clone(), string(kind & !FLAG_REF, is_marked, new)));
            }
        }
    }

    /// What a string says; `None` if it is not UTF-8.
    fn text(&self, span: &Range<usize>) -> Option<&str> {
        let bytes = self.body.get(span.clone())?;
        let header = if matches!(bytes.first()? & !FLAG_REF, b'z' | b'Z') { 2 } else { 5 };
        std::str::from_utf8(bytes.get(header..)?).ok()
    }
}

/// A string as `w_object` writes it; `kind` says whether the one in its place is interned.
fn string(kind: u8, is_marked: bool, text: &str) -> Vec<u8> {
    let is_interned = matches!(kind, b'Z' | b'A' | b't');
    let (kind, length) = match (text.is_ascii(), u8::try_from(text.len())) {
        (true, Ok(length)) => (if is_interned { b'Z' } else { b'z' }, vec![length]),
        (true, Err(_)) => (if is_interned { b'A' } else { b'a' }, long(text)),
        (false, _) => (if is_interned { b't' } else { b'u' }, long(text)),
    };
    let mark = if is_marked { FLAG_REF } else { 0 };
    [&[kind | mark], length.as_slice(), text.as_bytes()].concat()
}

fn long(text: &str) -> Vec<u8> {
    (text.len() as u32).to_le_bytes().to_vec()
}

#[cfg(test)]
#[path = "marshal_tests.rs"]
mod tests;
