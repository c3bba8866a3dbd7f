//! Pulls a tree: its directories level by level, then the contents that the store lacks. Writes to the store; touches the
//! network.

use super::Remote;
use super::download::{Download, Wanted};
use super::failure::Failure;
use super::work::{Transfer, Work};
use crate::cas::digest::Digest;
use crate::cas::store::Writer;
use crate::cas::tree::{Directories, Directory, Limits, MAX_DIRECTORY_BYTES, Manifest};
use crate::error::{Error, Result};
use crate::progress::Progress;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

impl Remote {
    /// Makes the store have the whole tree below `root`, and commits it. Every byte is checked while it is written.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, has lost a content, or sends other bytes again and again; the manifest
    /// is refused.
    pub fn pull(
        &self,
        root: Digest,
        writer: &Writer,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<(Manifest, Transfer)> {
        let work = Work::new(&self.line, progress);
        let manifest = self.load(&work, root, writer, limits)?;
        let lacking = lacking(writer, &manifest.contents())?;
        work.progress.start("downloading", Some(lacking.len()));
        let stored = Download { remote: self, work: &work, writer }.store(&lacking);
        stored.map_err(|failure| self.line.explain("pull", failure))?;
        writer.commit()?;
        Ok((manifest, work.transfer()))
    }

    /// The directories of the whole tree below `root` without the contents. Those that the store lacks are there once the
    /// writer commits.
    ///
    /// # Errors
    /// As [`Remote::pull`].
    pub fn manifest(
        &self,
        root: Digest,
        writer: &Writer,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<Manifest> {
        self.load(&Work::new(&self.line, progress), root, writer, limits)
    }

    fn load(
        &self,
        work: &Work<'_>,
        root: Digest,
        writer: &Writer,
        limits: &Limits,
    ) -> Result<Manifest> {
        work.progress.start("reading the manifest", None);
        let source = Source { download: Download { remote: self, work, writer } };
        Manifest::load(&source, root, limits)
    }

    /// Fetches contents that the store lacks, and whether each shall be executable. They are in the store once the
    /// writer commits.
    ///
    /// # Errors
    /// As [`Remote::pull`].
    pub fn fetch(
        &self,
        contents: &[(Digest, bool)],
        writer: &Writer,
        progress: &dyn Progress,
    ) -> Result<Transfer> {
        let work = Work::new(&self.line, progress);
        let lacking = lacking(writer, contents)?;
        work.progress.start("downloading", Some(lacking.len()));
        let stored = Download { remote: self, work: &work, writer }.store(&lacking);
        stored.map_err(|failure| self.line.explain("fetch", failure))?;
        Ok(work.transfer())
    }
}

/// What is neither in the store nor on its way there, each once.
fn lacking(writer: &Writer, contents: &[(Digest, bool)]) -> Result<Vec<Wanted>> {
    let mut wanted: BTreeMap<Digest, Wanted> = BTreeMap::new();
    for (digest, is_executable) in contents {
        let none = Wanted { digest: *digest, is_plain: false, is_executable: false };
        let it = wanted.entry(*digest).or_insert(none);
        it.is_plain |= !is_executable;
        it.is_executable |= is_executable;
    }
    let wanted: Vec<Wanted> = wanted.into_values().collect();
    let lacking = wanted.into_par_iter().filter_map(|it| match writer.has(&it.digest) {
        Ok(true) => None,
        Ok(false) => Some(Ok(it)),
        Err(error) => Some(Err(error)),
    });
    lacking.collect()
}

/// Directories of the store, and those of the server that it lacks.
struct Source<'a> {
    download: Download<'a>,
}

impl Directories for Source<'_> {
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>> {
        let Download { remote, writer, .. } = self.download;
        if let Some(digest) = digests.iter().find(|it| it.size() > MAX_DIRECTORY_BYTES) {
            let message = format!("a directory of {} bytes is refused", digest.size());
            return Err(Error::new(message).at(digest.to_string()));
        }
        let here = |digest: &Digest| -> Result<Option<Arc<Directory>>> {
            if !writer.lease().keep(digest)? {
                return Ok(None);
            }
            Ok(writer.store().directory(digest)?.map(Arc::new))
        };
        let mut found: Vec<_> = digests.par_iter().map(here).collect::<Result<_>>()?;
        let lacking: Vec<Digest> =
            digests.iter().zip(&found).filter(|(_, it)| it.is_none()).map(|(it, _)| *it).collect();
        let fetched: Mutex<FxHashMap<Digest, Arc<Directory>>> = Mutex::default();
        let done = self.download.each(&lacking, |digest, bytes| {
            let directory = Directory::decode(&bytes).map_err(|refusal| {
                Error::new(format!("the directory is refused: {refusal}")).at(digest.to_string())
            })?;
            writer.put(&bytes, false)?;
            let mut fetched = fetched.lock().unwrap_or_else(PoisonError::into_inner);
            fetched.insert(*digest, Arc::new(directory));
            Ok(())
        });
        done.map_err(|failure| remote.line.explain("pull the manifest", failure))?;
        let mut fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (digest, directory) in digests.iter().zip(&mut found) {
            if directory.is_none() {
                *directory = fetched.remove(digest);
            }
        }
        let lost =
            |digest: &Digest| remote.line.explain("pull the manifest", Failure::Lost(*digest));
        let whole = digests.iter().zip(found).map(|(digest, it)| it.ok_or_else(|| lost(digest)));
        whole.collect()
    }
}
