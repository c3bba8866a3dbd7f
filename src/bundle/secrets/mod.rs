//! What must not be shipped by mistake: private keys, tokens, files of passwords. Reads files of the tree that is packed.
//!
//! A bundle goes to servers and machines that many can read. The guard looks at the names of all files, and into those of up to
//! 1 MiB that are text. What it finds stops the push and is named by its place and kind, never by its text. Globs allow what is
//! meant to be there.
//!
//! A file that the `RECORD` of an installed distribution names, with the very hash that it has, was published with that
//! distribution: test keys in wheels are nobody's secret. Distributions that were installed from a directory or from version
//! control (those have a `direct_url.json`, PEP 610) were published by nobody.

mod contents;
mod names;
mod published;

use super::ignore::Patterns;
use crate::cas::pack::{Rewrite, SourceEntry, SourceFile, SourceNode};
use crate::error::{Error, Result};
use published::Published;
use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;

/// Larger files are known by their names only: no key or file of settings is as large.
const MAX_BYTES: u64 = 1 << 20;
/// So many bytes without a NUL make a text, as for git.
const TEXT_BYTES: usize = 8000;
/// Changes whenever something else is found.
const VERSION: &[u8] = b"secrets 1\0";
/// So many findings are named in one message.
const MAX_NAMED: usize = 20;

/// Something that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret {
    /// The path in the bundle.
    pub path: String,
    /// The line, counted from 1; 0 for a file that is one by its name.
    pub line: u32,
    /// What it looks like.
    pub kind: &'static str,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.kind),
            line => write!(f, "{}:{line}: {}", self.path, self.kind),
        }
    }
}

/// The error that refuses to pack these.
pub fn refuse(secrets: &[Secret]) -> Error {
    let named: Vec<String> = secrets.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    let more = match secrets.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        count => format!("\n  and {count} more"),
    };
    Error::new(format!("this looks like secrets, which don't go into bundles:\n  {}{more}", named.join("\n  ")))
        .hint("leave the files out in a `.cafignore`, or pass `--allow-secret GLOB` for those that are none")
}

/// Looks for secrets among entries.
#[derive(Debug)]
pub struct Guard {
    allow: Patterns,
    published: Arc<Published>,
}

impl Guard {
    /// A guard of these entries, but for paths that match one of the globs of `allow` (as in a `.gitignore` at the root).
    ///
    /// # Errors
    /// A glob is malformed.
    pub fn new(entries: &[SourceEntry], allow: &[String]) -> Result<Self> {
        let published = Arc::new(Published::new(entries));
        Ok(Self { allow: Patterns::new(allow)?, published })
    }

    /// Has files looked into when they are packed, each once for as long as it does not change.
    ///
    /// # Errors
    /// A file is a secret by its name.
    pub(super) fn attach(&self, entries: &mut [SourceEntry]) -> Result<()> {
        let named = entries.par_iter().filter_map(|entry| {
            let file = self.guarded(entry)?;
            self.by_name(&entry.path, file)
        });
        let mut named: Vec<Secret> = named.collect();
        named.sort();
        if !named.is_empty() {
            return Err(refuse(&named));
        }
        for entry in entries {
            if self.guarded(entry).is_none_or(|file| file.stat.size > MAX_BYTES) {
                continue;
            }
            let SourceEntry { path, node: SourceNode::File(file) } = entry else { continue };
            let inner = file.rewrite.take();
            let published = Arc::clone(&self.published);
            file.rewrite = Some(Arc::new(Inspect { path: path.clone(), published, inner }));
        }
        Ok(())
    }

    /// All that looks like a secret, sorted. Reads every file, so that it is for those who were told of one.
    pub fn all(&self, entries: &[SourceEntry]) -> Vec<Secret> {
        let found = entries.par_iter().filter_map(|entry| {
            let file = self.guarded(entry)?;
            let by_name = self.by_name(&entry.path, file);
            by_name.or_else(|| {
                let bytes =
                    (file.stat.size <= MAX_BYTES).then(|| published::read(&file.origin))??;
                inspect(&entry.path, &bytes, &self.published)
            })
        });
        let mut found: Vec<Secret> = found.collect();
        found.sort();
        found
    }

    fn guarded<'a>(&self, entry: &'a SourceEntry) -> Option<&'a SourceFile> {
        match &entry.node {
            // Cached bytecode is packed for a source that is looked into itself.
            SourceNode::File(_) if entry.path.contains("__pycache__/") => None,
            SourceNode::File(file) if !self.allow.matches(&entry.path) => Some(file),
            _ => None,
        }
    }

    fn by_name(&self, path: &str, file: &SourceFile) -> Option<Secret> {
        let kind = names::kind_of(path)?;
        let is_published =
            || published::read(&file.origin).is_some_and(|bytes| self.published.has(path, &bytes));
        (file.stat.size > 0 && !is_published()).then(|| Secret {
            path: path.to_owned(),
            line: 0,
            kind,
        })
    }
}

/// The first secret in a file's content.
fn inspect(path: &str, bytes: &[u8], published: &Published) -> Option<Secret> {
    let start = bytes.get(..TEXT_BYTES).unwrap_or(bytes);
    // Compiled modules hold the texts of their sources.
    if memchr::memchr(0, start).is_some() && !path.ends_with(".pyc") {
        return None;
    }
    let setting = names::settings_of(path)
        .and_then(|(kind, words)| Some((contents::find_setting(bytes, words)?, kind)));
    let (line, kind) = setting.or_else(|| contents::find(bytes))?;
    (!published.has(path, bytes)).then(|| Secret { path: path.to_owned(), line, kind })
}

/// Looks into one file on its way into the store.
#[derive(Debug)]
struct Inspect {
    path: String,
    published: Arc<Published>,
    /// What else is done to it.
    inner: Option<Arc<dyn Rewrite>>,
}

impl Rewrite for Inspect {
    fn key(&self) -> Vec<u8> {
        // What was published once stays so: the RECORD is no part of the key.
        let inner = self.inner.as_ref().map(|inner| inner.key()).unwrap_or_default();
        [VERSION, self.path.as_bytes(), b"\0", &inner].concat()
    }

    fn apply(&self, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if let Some(secret) = inspect(&self.path, &bytes, &self.published) {
            return Err(refuse(&[secret]));
        }
        match &self.inner {
            Some(inner) => inner.apply(bytes),
            None => Ok(Some(bytes)),
        }
    }
}

#[cfg(test)]
mod tests;
