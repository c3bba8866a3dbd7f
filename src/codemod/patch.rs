//! A batch as one patch file that `git am` takes. Pure; touches nothing.
//!
//! The form is the mbox of `git format-patch`. A change goes as a text diff wherever that survives the mail: `git am`
//! takes the carriage return off each line that ends in CRLF (unless told `--keep-cr`), and takes a NUL for the mark of a
//! binary file. Where a line of the diff has one of the two, the file goes as a `GIT binary patch`, which is exact under
//! all options but which nobody can read.
//!
//! Binary patches name blobs by SHA-1, and don't apply in a repository that uses SHA-256; text diffs do.

use super::mail;
use crate::edits::FileChange;
use crate::source::ProjectPath;
use flate2::{Compression, write::ZlibEncoder};
use sha1::{Digest, Sha1};
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};
use std::io::Write;

/// Lines of context, as git has them.
const CONTEXT: usize = 3;
/// What git calls a file that is not there.
const NO_BLOB: &str = "0000000000000000000000000000000000000000";
/// The digits of git's base 85, from `base85.c`.
const BASE_85: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
/// Bytes on a line of a binary patch.
const BINARY_LINE: usize = 52;

/// Who made a change, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name; must not be empty. Quotes, backslashes and `<>`, of which git loses some, are left out.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// When; whole seconds.
    pub date: jiff::Timestamp,
}

/// The message of a commit. Spaces that git would take away are taken away here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// What comes after an empty line; may be empty.
    pub body: String,
}

/// The place of a patch in its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// From 1.
    pub this: usize,
    /// How many there are.
    pub of: usize,
}

/// The kinds of file that a patch can delete; git refuses to delete a file as another kind than it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// An ordinary file.
    #[default]
    Regular,
    /// A file with the executable bit.
    Executable,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
        }
    }
}

/// The patch file's bytes; `None` if nothing changes, for which `git am` would stop.
///
/// `mode` tells the mode of a file that is deleted; others keep theirs.
pub fn patch(
    number: Number,
    author: &Author,
    message: &Message,
    changes: &[FileChange],
    mode: &dyn Fn(&ProjectPath) -> Mode,
) -> Option<Vec<u8>> {
    let mut changes: Vec<&FileChange> =
        changes.iter().filter(|change| change.after.as_ref() != Some(&change.before)).collect();
    changes.sort();
    changes.first()?;
    let mut patch = mail::head(number, author, message).into_bytes();
    for change in changes {
        patch.extend(diff(change, mode(&change.path)));
    }
    patch.extend(concat!("-- \nsecateur ", env!("CARGO_PKG_VERSION"), "\n\n").bytes());
    Some(patch)
}

/// The name of a patch's file, as git would choose it: `0003-remove-two-dependencies.patch`.
pub fn file_name(number: Number, subject: &str) -> String {
    let mut name = String::new();
    for c in subject.chars() {
        if name.len() >= 52 {
            break;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    let name = if name.is_empty() { "patch" } else { name };
    format!("{:04}-{name}.patch", number.this)
}

/// The change of one file in git's form.
fn diff(change: &FileChange, mode: Mode) -> Vec<u8> {
    let (a, b) = (quoted("a/", &change.path), quoted("b/", &change.path));
    let mut diff = format!("diff --git {a} {b}\n");
    if change.after.is_none() {
        diff.extend(["deleted file mode ", mode.as_str(), "\n"]);
    }
    let after = change.after.as_deref();
    let (old, new) = (blob(&change.before), after.map_or(NO_BLOB.into(), blob));
    diff.extend(["index ", &old, "..", &new, "\n"]);
    let after = after.unwrap_or_default();
    let mut diff = diff.into_bytes();
    let hunks = hunks(&change.before, after);
    if survives_mail(&hunks) {
        if !hunks.is_empty() {
            let b = if change.after.is_none() { "/dev/null".to_owned() } else { ended(b) };
            diff.extend(format!("--- {}\n+++ {b}\n", ended(a)).bytes());
            diff.extend(hunks);
        }
    } else {
        diff.extend(b"GIT binary patch\n");
        diff.extend(literal(after));
        diff.extend(literal(&change.before));
    }
    diff
}

/// A name with a space ends in a tab, so that no date is seen in it.
fn ended(name: String) -> String {
    if name.contains(' ') { name + "\t" } else { name }
}

/// Whether `git am` hands these lines of a diff on unchanged.
fn survives_mail(lines: &[u8]) -> bool {
    !lines.contains(&0) && memchr::memmem::find(lines, b"\r\n").is_none()
}

/// The hunks that make `after` of `before`.
fn hunks(before: &[u8], after: &[u8]) -> Vec<u8> {
    let lines = |text| <[u8]>::split_inclusive(text, |byte| *byte == b'\n').collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(after));
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let mut hunks = Vec::new();
    for ops in group_diff_ops(ops, CONTEXT) {
        hunks.extend(hunk(&ops, &old, &new));
    }
    hunks
}

fn hunk(ops: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut put = |mark: u8, of: &[&[u8]], range: std::ops::Range<usize>| {
        for line in of.get(range).unwrap_or_default() {
            lines.push(mark);
            lines.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                lines.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    };
    for op in ops {
        if op.tag() == DiffTag::Equal {
            put(b' ', old, op.old_range());
        } else {
            put(b'-', old, op.old_range());
            put(b'+', new, op.new_range());
        }
    }
    let range = |range: fn(&DiffOp) -> std::ops::Range<usize>| {
        let start = ops.first().map_or(0, |op| range(op).start);
        let length = ops.last().map_or(0, |op| range(op).end) - start;
        // Lines count from 1, and an empty range stands behind the line that it names.
        format!("{},{length}", if length == 0 { start } else { start + 1 })
    };
    let mut hunk =
        format!("@@ -{} +{} @@\n", range(DiffOp::old_range), range(DiffOp::new_range)).into_bytes();
    hunk.append(&mut lines);
    hunk
}

/// The name that git gives to these contents.
fn blob(contents: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", contents.len()));
    hash.update(contents);
    let digits = hash.finalize().into_iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// One half of a binary patch: all of the contents, deflated, in lines of base 85.
fn literal(contents: &[u8]) -> Vec<u8> {
    let mut text = format!("literal {}\n", contents.len()).into_bytes();
    for line in deflated(contents).chunks(BINARY_LINE) {
        // `A` to `Z` are 1 to 26 bytes, `a` to `z` are 27 to 52.
        let length = line.len() as u8;
        text.push(if length <= 26 { b'A' + length - 1 } else { b'a' + length - 27 });
        for group in line.chunks(4) {
            text.extend(base_85(group));
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text
}

fn deflated(contents: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // A vector takes whatever is written to it.
    encoder.write_all(contents).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// Up to four bytes, filled up with zeros, as five digits.
fn base_85(group: &[u8]) -> [u8; 5] {
    let mut number =
        (0..4).fold(0, |number, at| number << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
    let mut digits = [0; 5];
    for digit in digits.iter_mut().rev() {
        *digit = BASE_85[(number % 85) as usize];
        number /= 85;
    }
    digits
}

/// A path as git writes it: in quotes, with C's escapes, if there is anything in it that could be misread.
fn quoted(prefix: &str, path: &ProjectPath) -> String {
    let path = format!("{prefix}{path}");
    let plain = |byte: u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if path.bytes().all(plain) {
        return path;
    }
    let mut text = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte as char]),
            byte if plain(byte) => text.push(byte as char),
            byte => {
                let digits =
                    [byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| (b'0' + digit) as char);
                text.push('\\');
                text.extend(digits);
            }
        }
    }
    text + "\""
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
