//! Files that were published with a distribution: those that its `RECORD` names, with the hash that they have. Reads `RECORD` files.
#![expect(clippy::disallowed_methods, reason = "what is packed is read from the disk")]

use crate::cas::digest::{DigestFunction, Hash};
use crate::cas::pack::{SourceEntry, SourceNode};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What distributions among the entries say was published. Read when somebody asks first.
#[derive(Debug)]
pub(super) struct Published {
    /// The directories that distributions are installed in, and their `RECORD` files.
    records: Vec<(String, PathBuf)>,
    hashes: OnceLock<FxHashMap<String, String>>,
}

impl Published {
    pub(super) fn new(entries: &[SourceEntry]) -> Self {
        let info = |path: &str, file: &str| {
            let dir = path.strip_suffix(file)?.strip_suffix('/')?;
            dir.ends_with(".dist-info").then(|| dir.to_owned())
        };
        let unpublished: FxHashSet<String> =
            entries.iter().filter_map(|entry| info(&entry.path, "direct_url.json")).collect();
        let record = |entry: &SourceEntry| {
            let SourceNode::File(file) = &entry.node else { return None };
            let dir = info(&entry.path, "RECORD").filter(|dir| !unpublished.contains(dir))?;
            let above = dir.rsplit_once('/').map_or("", |(above, _)| above);
            Some((above.to_owned(), file.origin.clone()))
        };
        Self { records: entries.iter().filter_map(record).collect(), hashes: OnceLock::new() }
    }

    /// Whether a file of this path was published with this content.
    pub(super) fn has(&self, path: &str, bytes: &[u8]) -> bool {
        if is_of_interpreter(path) {
            return true;
        }
        let hashes = self.hashes.get_or_init(|| self.read());
        let Some(recorded) = hashes.get(path) else { return false };
        *recorded == recorded_as(bytes)
    }

    fn read(&self) -> FxHashMap<String, String> {
        let mut hashes = FxHashMap::default();
        for (above, record) in &self.records {
            let Some(bytes) = read(record) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            hashes.extend(text.lines().filter_map(|line| {
                let (path, hash) = fields(line)?;
                Some((join(above, path), hash.strip_prefix("sha256=")?.to_owned()))
            }));
        }
        hashes
    }
}

/// Whether a path is among the tests of an interpreter (`lib/python3.11/test`), which have keys and come without a `RECORD`.
fn is_of_interpreter(path: &str) -> bool {
    let mut segments = path.split('/').skip_while(|segment| *segment != "lib").skip(1);
    let is_version = |segment: &str| {
        let version = segment.strip_prefix("python3.");
        version.is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
    };
    segments.next().is_some_and(is_version) && segments.next() == Some("test")
}

/// Path and hash of a line: comma-separated, with quotes around a path that has commas.
fn fields(line: &str) -> Option<(&str, &str)> {
    let (path, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\",")?,
        None => line.split_once(',')?,
    };
    Some((path, rest.split(',').next()?))
}

/// `dir/path`, where a path may lead up (`../../../bin/tool`).
fn join(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The bytes of a file; `None` if it cannot be read, in which case packing it says why.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

/// What a `RECORD` says of a content.
pub(super) fn recorded_as(bytes: &[u8]) -> String {
    base64(DigestFunction::Sha256.digest(bytes).hash())
}

/// A hash as `RECORD` files write it (PEP 376): base 64 for URLs, without padding.
fn base64(hash: &Hash) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in hash.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        let digits = [18, 12, 6, 0].map(|shift| DIGITS[(group >> shift) as usize & 63]);
        text.extend(digits.iter().take(chunk.len() + 1).map(|digit| char::from(*digit)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_in_records() {
        // `printf x | openssl dgst -sha256 -binary | basenc --base64url`
        let hash = DigestFunction::Sha256.digest(b"x");
        assert_eq!(base64(hash.hash()), "LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE");
    }

    #[test]
    fn lines_are_read() {
        assert_eq!(fields("a/b.py,sha256=x,3"), Some(("a/b.py", "sha256=x")));
        assert_eq!(fields("\"a,b.py\",sha256=x,3"), Some(("a,b.py", "sha256=x")));
        assert_eq!(fields("a.dist-info/RECORD,,"), Some(("a.dist-info/RECORD", "")));
        assert!(is_of_interpreter("lib/python3.11/test/certdata/ssl_key.pem"));
        assert!(!is_of_interpreter("lib/python3.11/site-packages/test/key.pem"));
        assert!(!is_of_interpreter("python3.11/test/key.pem"));
        assert_eq!(join("lib/site-packages", "../../bin/x"), "bin/x");
    }
}
