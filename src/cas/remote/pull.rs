//! Pulls a tree: its directories level by level, then the contents that the store lacks. Writes to the store; touches the
//! network.

use super::Remote;
use super::assemble::Bases;
use super::download::{Download, Wanted};
use super::failure::Failure;
use super::work::{Transfer, Work};
use crate::cas::digest::Digest;
use crate::cas::store::Writer;
use crate::cas::tree::{
    Change, Difference, Directories, Directory, Limits, MAX_DIRECTORY_BYTES, Manifest, diff,
};
use crate::error::{Error, Result};
use crate::progress::Progress;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        self.bring(&work, &manifest.contents(), &Bases::default(), writer, "pull")?;
        writer.commit()?;
        Ok((manifest, work.transfer()))
    }

    /// Makes the store have what is in the tree below `root` and not in that below `base`, and commits it. What is in both
    /// is neither loaded nor looked for: the store has it if it has all of the base, and what it lacks of that, it lacks
    /// afterwards. What is new is held to the limits. `None` if the store does not know the base, or the difference cannot
    /// be told: a [`Remote::pull`] says why.
    ///
    /// # Errors
    /// As [`Remote::pull`].
    pub fn pull_difference(
        &self,
        base: Digest,
        root: Digest,
        writer: &Writer,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<Option<Transfer>> {
        let work = Work::new(&self.line, progress);
        if !writer.lease().keep(&base)? {
            return Ok(None);
        }
        work.progress.start("reading the manifest", None);
        let source = Source::new(Download { remote: self, work: &work, writer });
        let differences = match diff(&source, Some(base), Some(root), limits) {
            Ok(differences) => differences,
            // The server would fail once more.
            Err(error) if source.is_cut_off.load(Ordering::Relaxed) => return Err(error),
            Err(_) => return Ok(None),
        };
        let new = differences.values().filter_map(|difference| match difference.after {
            Some(Change::File { digest, is_executable }) => Some((digest, is_executable)),
            _ => None,
        });
        let new: Vec<(Digest, bool)> = new.collect();
        if new.iter().fold(0, |sum: u64, (digest, _)| sum.saturating_add(digest.size()))
            > limits.bytes
        {
            return Ok(None);
        }
        self.bring(&work, &new, &bases_of(&differences), writer, "pull")?;
        writer.commit()?;
        Ok(Some(work.transfer()))
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
        let source = Source::new(Download { remote: self, work, writer });
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
        self.bring(&work, contents, &Bases::default(), writer, "fetch")?;
        Ok(work.transfer())
    }

    /// Fetches those of the contents that the store lacks; `what` is what errors say that could not be done.
    fn bring(
        &self,
        work: &Work<'_>,
        contents: &[(Digest, bool)],
        bases: &Bases,
        writer: &Writer,
        what: &str,
    ) -> Result<()> {
        let lacking = lacking(writer, contents)?;
        let stored = Download { remote: self, work, writer }.store_from(&lacking, bases);
        stored.map_err(|failure| self.line.explain(what, failure))
    }
}

/// What new files may have chunks of: the old one at the same path, or else the old ones that went or changed and have the
/// same name in other directories.
fn bases_of(differences: &BTreeMap<String, Difference>) -> Bases {
    let file = |change: &Option<Change>| match change {
        Some(Change::File { digest, .. }) => Some(*digest),
        _ => None,
    };
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let mut named: FxHashMap<String, Vec<Digest>> = FxHashMap::default();
    for (path, difference) in differences {
        if let Some(old) = file(&difference.before) {
            named.entry(name(path)).or_default().push(old);
        }
    }
    let mut bases = Bases::default();
    for (path, difference) in differences {
        let Some(new) = file(&difference.after) else { continue };
        let here = file(&difference.before).map(|old| vec![old]);
        if let Some(old) = here.or_else(|| named.get(&name(path)).cloned()) {
            bases.entry(new).or_default().extend(old);
        }
    }
    bases
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
    /// Those that came from the server: they are not in the store before the writer commits.
    fetched: Mutex<FxHashMap<Digest, Arc<Directory>>>,
    /// Whether the server failed by more than the lack of a directory.
    is_cut_off: AtomicBool,
}

impl<'a> Source<'a> {
    fn new(download: Download<'a>) -> Self {
        Self { download, fetched: Mutex::default(), is_cut_off: AtomicBool::new(false) }
    }

    fn fetched(&self) -> MutexGuard<'_, FxHashMap<Digest, Arc<Directory>>> {
        // A thread that panicked has left a whole map: single inserts only.
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, failure: Failure) -> Error {
        self.is_cut_off.fetch_or(!failure.is_loss(), Ordering::Relaxed);
        self.download.remote.line.explain("pull the manifest", failure)
    }
}

impl Directories for Source<'_> {
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>> {
        let writer = self.download.writer;
        if let Some(digest) = digests.iter().find(|it| it.size() > MAX_DIRECTORY_BYTES) {
            let message = format!("a directory of {} bytes is refused", digest.size());
            return Err(Error::new(message).at(digest.to_string()));
        }
        let here = |digest: &Digest| -> Result<Option<Arc<Directory>>> {
            if let Some(directory) = self.fetched().get(digest) {
                return Ok(Some(Arc::clone(directory)));
            }
            if !writer.lease().has(digest)? {
                return Ok(None);
            }
            Ok(writer.store().directory(digest)?.map(Arc::new))
        };
        let mut found: Vec<_> = digests.par_iter().map(here).collect::<Result<_>>()?;
        let lacking: Vec<Digest> =
            digests.iter().zip(&found).filter(|(_, it)| it.is_none()).map(|(it, _)| *it).collect();
        let done = self.download.each(&lacking, |digest, bytes| {
            let directory = Directory::decode(&bytes).map_err(|refusal| {
                Error::new(format!("the directory is refused: {refusal}")).at(digest.to_string())
            })?;
            writer.put(&bytes, false)?;
            self.fetched().insert(*digest, Arc::new(directory));
            Ok(())
        });
        done.map_err(|failure| self.failed(failure))?;
        for (digest, directory) in digests.iter().zip(&mut found) {
            if directory.is_none() {
                *directory = self.fetched().get(digest).map(Arc::clone);
            }
        }
        let lost = |digest: &Digest| self.failed(Failure::Lost(*digest));
        let whole = digests.iter().zip(found).map(|(digest, it)| it.ok_or_else(|| lost(digest)));
        whole.collect()
    }
}
