//! Bytecode that is right wherever its tree stands. Reads sources beside the `.pyc` that are packed.
//!
//! A content-addressed tree carries no times, so that a `.pyc` that names its source's time (as pip and `compileall` write
//! them) is stale in every copy, and each start of the program compiles everything again. What is packed therefore is, by
//! PEP 552, *unchecked*: it names a hash of the source, and the interpreter takes it without looking. That is right only if the
//! source beside it is the one it was made of, which is checked here, once:
//!
//! | `.pyc` | what becomes of it |
//! |---|---|
//! | names the time and size that its source has, or the hash | unchecked |
//! | names another time, size or hash, even if it is unchecked already: the sources decide what a bundle does | left out |
//! | cut off, damaged, of `PyPy` or of a Python before 3.7 | left out |
//! | in `__pycache__`, without a source: no interpreter loads it | left out |
//! | elsewhere, without a source: it is the module itself (`SourcelessFileLoader`, which checks nothing) | unchecked, with 0 for the hash |
//!
//! The code is brought into one form, too, so that two checkouts and two runs give the same bytes: see `marshal`. Its
//! `co_filename` becomes the path in the bundle. Whoever imports a module with a source sees the path that it was loaded from
//! all the same; modules without a source have no such repair, and lose the part before their path in the bundle only.

mod compile;
mod header;
mod marshal;

pub use compile::{Compiled, Python, compile};

use crate::cas::pack::{FileStat, Rewrite, SourceEntry, SourceNode};
use crate::error::Result;
use header::{Header, LENGTH, Magic, Validation};
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Changes whenever other bytes come out for the same files.
const VERSION: &[u8] = b"pyc 1\0";

/// Has every `.pyc` among the entries brought into its one form when it is packed.
pub(super) fn attach(entries: &mut [SourceEntry]) {
    let sources = sources(entries);
    for entry in entries.iter_mut().filter(|entry| entry.path.ends_with(".pyc")) {
        let SourceEntry { path, node: SourceNode::File(file) } = entry else { continue };
        let place = Place::of(path);
        let source = place.source.as_ref().and_then(|source| sources.get(source).cloned());
        file.rewrite = Some(Arc::new(Normalize { place, source }));
    }
}

/// The sources among the entries, by path.
fn sources(entries: &[SourceEntry]) -> FxHashMap<String, Source> {
    let source = |entry: &SourceEntry| {
        let path = entry.path.ends_with(".py").then(|| entry.path.clone())?;
        Some((path, Source::of(&entry.node)?))
    };
    entries.iter().filter_map(source).collect()
}

/// Where a `.pyc` stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// In a `__pycache__`: there, it stands for its source and is nothing without it.
    is_cached: bool,
    /// The path of its source in the bundle; `None` for a name that no interpreter gives.
    source: Option<String>,
}

impl Place {
    /// `source_from_cache` of `Lib/importlib/_bootstrap_external.py`, and what was before it: `x.pyc` beside `x.py`.
    fn of(path: &str) -> Self {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let above = match dir.rsplit_once('/') {
            Some((above, "__pycache__")) => Some(above),
            None if dir == "__pycache__" => Some(""),
            _ => None,
        };
        let Some(above) = above else {
            let source = path.strip_suffix('c').map(str::to_owned);
            return Self { is_cached: false, source };
        };
        let parts: Vec<&str> = name.split('.').collect();
        let source = match parts.as_slice() {
            [stem, _tag, "pyc"] => Some(source_in(above, stem)),
            [stem, _tag, level, "pyc"] if level.starts_with("opt-") => Some(source_in(above, stem)),
            _ => None,
        };
        Self { is_cached: true, source }
    }
}

fn source_in(dir: &str, stem: &str) -> String {
    if dir.is_empty() { format!("{stem}.py") } else { format!("{dir}/{stem}.py") }
}

/// A source that may be what a `.pyc` was made of.
#[derive(Clone, Debug)]
enum Source {
    File { origin: PathBuf, stat: FileStat },
    Bytes(Arc<[u8]>),
}

impl Source {
    fn of(node: &SourceNode) -> Option<Self> {
        match node {
            SourceNode::File(file) => {
                Some(Self::File { origin: file.origin.clone(), stat: file.stat })
            }
            SourceNode::Bytes { bytes, .. } => Some(Self::Bytes(Arc::from(bytes.as_slice()))),
            SourceNode::Link(_) | SourceNode::Directory => None,
        }
    }

    /// The bytes that were listed; `None` if they cannot be read, or are others by now.
    #[expect(clippy::disallowed_methods, reason = "what is packed is read from the disk")]
    fn read(&self) -> Option<Arc<[u8]>> {
        match self {
            Self::Bytes(bytes) => Some(Arc::clone(bytes)),
            Self::File { origin, stat } => {
                let bytes = std::fs::read(origin).ok()?;
                (bytes.len() as u64 == stat.size).then(|| Arc::from(bytes))
            }
        }
    }

    /// The hash of the source, if it is what a `.pyc` says it was made of.
    fn agreed(&self, header: &Header) -> Option<u64> {
        if let Validation::Timestamp { mtime, size } = header.validation {
            let Self::File { stat, .. } = self else { return None };
            let seconds = stat.mtime.div_euclid(1_000_000_000);
            if (seconds.cast_unsigned() as u32, stat.size as u32) != (mtime, size) {
                return None;
            }
        }
        let hash = header.magic.source_hash(&self.read()?);
        match header.validation {
            Validation::Hash(recorded) if recorded != hash => None,
            _ => Some(hash),
        }
    }

    fn key(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => blake3::hash(bytes).as_bytes().to_vec(),
            Self::File { stat, .. } => {
                let FileStat { dev, ino, size, mtime, ctime } = *stat;
                let times = [mtime.cast_unsigned(), ctime.cast_unsigned()];
                [dev, ino, size].iter().chain(&times).flat_map(|part| part.to_le_bytes()).collect()
            }
        }
    }
}

/// Brings one `.pyc` into its one form.
#[derive(Debug)]
struct Normalize {
    place: Place,
    source: Option<Source>,
}

impl Rewrite for Normalize {
    fn key(&self) -> Vec<u8> {
        let source = self.source.as_ref().map(Source::key).unwrap_or_default();
        let path = self.place.source.as_deref().unwrap_or_default();
        [VERSION, &[u8::from(self.place.is_cached)], &source, path.as_bytes()].concat()
    }

    fn apply(&self, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(self.normalized(&bytes))
    }
}

impl Normalize {
    /// The bytes to pack; `None` if there are none.
    fn normalized(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(header) = Header::read(bytes) else {
            // The module itself, of an interpreter that is not known here.
            let is_module = !self.place.is_cached && self.source.is_none();
            return is_module.then(|| bytes.to_vec());
        };
        let hash = match &self.source {
            Some(source) => source.agreed(&header)?,
            None if self.place.is_cached => return None,
            None => 0,
        };
        let body = self.body(bytes.get(LENGTH..)?, header.magic)?;
        Some([&Header::unchecked(header.magic, hash)[..], &body].concat())
    }

    fn body(&self, body: &[u8], magic: Magic) -> Option<Vec<u8>> {
        let path = self.place.source.as_deref()?;
        let rename = |name: &str| {
            let is_repaired = self.source.is_some();
            let is_ours =
                is_repaired || name.strip_suffix(path).is_some_and(|dir| dir.ends_with('/'));
            (name.starts_with('/') && is_ours).then(|| path.to_owned())
        };
        match magic.layout() {
            Some(layout) => marshal::normalize(body, layout, rename).ok(),
            // Of a later version: as it is.
            None => Some(body.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests;
