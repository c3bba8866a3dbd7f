//! Files that are looked at once: two states of a project are compared over the same contents, even if somebody writes
//! meanwhile. Touches nothing itself.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::files::{Content, Files};
use crate::digest::Digest;
use crate::source::ProjectPath;

/// Files whose contents are remembered, by their digests.
pub(super) struct RememberedFiles {
    base: Arc<dyn Files>,
    digests: Mutex<FxHashMap<ProjectPath, Digest>>,
}

impl RememberedFiles {
    /// The same files.
    pub(super) fn new(base: Arc<dyn Files>) -> Self {
        Self { base, digests: Mutex::default() }
    }
}

impl Files for RememberedFiles {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        self.base.read(path)
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        let digests = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let known = digests().get(path).copied();
        if let Some(digest) = known {
            return Ok(Content { digest, bytes: None });
        }
        let content = self.base.content(path)?;
        digests().insert(path.clone(), content.digest);
        Ok(content)
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        self.base.exists(path)
    }

    fn size(&self, path: &ProjectPath) -> io::Result<u64> {
        self.base.size(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::DiskFiles;
    use std::fs;

    #[test]
    fn a_content_is_what_it_was_at_the_first_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = ProjectPath::new("a");
        let files = RememberedFiles::new(Arc::new(DiskFiles::new(dir.path())));
        assert!(files.content(&path).is_err());
        fs::write(dir.path().join("a"), "one").unwrap();
        let first = files.content(&path).unwrap();
        fs::write(dir.path().join("a"), "two").unwrap();
        let second = files.content(&path).unwrap();
        assert_eq!((first.digest, second.digest), (Digest::of(b"one"), Digest::of(b"one")));
        assert_eq!((first.bytes.as_deref(), second.bytes), (Some(&b"one"[..]), None));
    }
}
