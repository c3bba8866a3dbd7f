//! What all services share: the store, the options, and what every call is checked for. Reads and writes the store.

use super::chunks::Chunks;
use super::faults::{Moment, Trouble};
use super::memo::{AHEAD, Memo, Recall};
use super::uploads::Uploads;
use super::{MAX_BATCH, ServeOptions, Stopper};
use crate::cas::digest::{Digest, DigestFunction};
use crate::cas::remote::names::{ResourceName, number_of};
use crate::cas::store::Lease;
use crate::cas::tree::digest_of;
use crate::error::{Error, Result as Outcome};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::rpc;
use rustc_hash::FxHashSet;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tonic::{Request, Status};

/// Bytes up to which it is not looked whether the disk has room.
const SMALL: u64 = 1 << 20;

/// Bytes of the longest name of an upload.
const MAX_NAME: usize = 1024;

/// So many contents are remembered as checked.
const MAX_CHECKED: usize = 4096;

/// The server behind every service.
pub(super) struct Shared {
    pub(super) options: ServeOptions,
    pub(super) uploads: Uploads,
    /// Inodes whose bytes were hashed and agreed, so that ranges of them need not be hashed again.
    checked: Mutex<FxHashSet<Inode>>,
    memo: Memo,
    pub(super) chunks: Chunks,
    stopper: Stopper,
}

/// What changes when a file does.
pub(super) type Inode = (Digest, u64, u64, i64, i64);

/// What the services are implemented on.
#[derive(Clone)]
pub(super) struct Service(pub(super) Arc<Shared>);

impl Service {
    /// Works with files on a thread that may wait for them.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let shared = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|_| Err(Status::internal("the server broke down")))
    }

    /// Lets go wrong what the test wants at the beginning of a call, and says what has to go wrong later.
    pub(super) async fn strike(
        &self,
        moment: Moment,
        digest: &Digest,
    ) -> Result<Option<Trouble>, Status> {
        let trouble = self.0.struck(moment, digest);
        match &trouble {
            Some(Trouble::Stall(time)) if moment != Moment::Read => {
                tokio::time::sleep(*time).await;
                Ok(None)
            }
            Some(trouble) => trouble.status().map_or(Ok(Some(trouble.clone())), Err),
            None => Ok(None),
        }
    }

    /// Bytes of contents that came or went; the server may have to die of them.
    pub(super) async fn pass(&self, bytes: usize) {
        if self.0.options.faults.dies_of_bytes(bytes as u64) {
            self.0.stopper.kill();
            std::future::pending::<()>().await;
        }
    }
}

/// Keeps what a client is told to be there. On a disk that is full or cannot be written, it is there all the same.
pub(super) struct Keeper<'a> {
    pub(super) shared: &'a Shared,
    lease: Option<Lease>,
}

impl Keeper<'_> {
    /// Whether the store has a content.
    pub(super) fn keep(&self, digest: &Digest) -> Result<bool, Status> {
        self.ask(digest, Lease::keep)
    }

    fn ask(
        &self,
        digest: &Digest,
        keep: impl Fn(&Lease, &Digest) -> Outcome<bool>,
    ) -> Result<bool, Status> {
        let store = &self.shared.options.store;
        if self.shared.options.faults.is_lost(digest) {
            return Ok(false);
        }
        match self.lease.as_ref().map(|lease| keep(lease, digest)) {
            Some(Ok(kept)) => Ok(kept),
            _ => store.contains(digest).map_err(|error| self.shared.failed(&error)),
        }
    }

    /// As [`Keeper::keep_named`], for what is going to be remembered; `None` if it cannot be marked as used.
    pub(super) fn keep_ahead(&self, digest: &Digest) -> Option<bool> {
        if self.shared.options.faults.is_lost(digest) {
            return Some(false);
        }
        let keep = || self.lease.as_ref()?.keep_ahead(digest, AHEAD).ok();
        let is_there = keep()? || self.keep_named(digest).ok()? && keep()?;
        Some(is_there)
    }

    /// What is remembered of the store; `None` if nothing can be marked as used.
    pub(super) fn recall(&self) -> Option<Recall<'_>> {
        let now = self.lease.as_ref()?.start_ns() / 1_000_000_000;
        let keep = |digest: &Digest| self.keep_ahead(digest) == Some(true);
        Some(self.shared.memo.recall(&self.shared.options.store, now, keep))
    }

    /// Whether the store has a content neither whole nor within another, at less cost. One that a collector is about to put
    /// back counts as missing: whoever asks sends it then.
    pub(super) fn is_missing(&self, digest: &Digest) -> Result<bool, Status> {
        Ok(!self.ask(digest, Lease::has)? && self.part(digest)?.is_none())
    }
}

impl Shared {
    pub(super) fn new(options: ServeOptions, stopper: Stopper) -> Self {
        Self {
            options,
            uploads: Uploads::default(),
            checked: Mutex::default(),
            memo: Memo::default(),
            chunks: Chunks::default(),
            stopper,
        }
    }

    /// Lets a call in that says the right token.
    pub(super) fn admit(&self, request: Request<()>) -> Result<Request<()>, Status> {
        if self.options.faults.dies_of_request() {
            self.stopper.kill();
            return Err(Status::unavailable("the server dies"));
        }
        let Some(token) = &self.options.token else { return Ok(request) };
        let said =
            request.metadata().get("authorization").map_or(&[][..], |value| value.as_bytes());
        let is_bearer = said.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
        let said = if is_bearer { said.get(7..).unwrap_or_default() } else { &[] };
        // Comparing hashes of this type takes the same time wherever they differ.
        if blake3::hash(said) == blake3::hash(token.as_bytes()) {
            Ok(request)
        } else if said.is_empty() {
            Err(Status::unauthenticated("this server wants `authorization: Bearer TOKEN`"))
        } else {
            Err(Status::unauthenticated("this server has another token"))
        }
    }

    /// Checks what every message says: instance and function.
    pub(super) fn check(&self, instance: &str, function: i32) -> Result<(), Status> {
        let ours = &self.options.instance;
        if instance != ours {
            let message = match ours.as_str() {
                "" => {
                    format!("this server has no instance `{}`: leave the name out", shown(instance))
                }
                _ => format!("this server's instance is `{ours}`, not `{}`", shown(instance)),
            };
            return Err(Status::invalid_argument(message));
        }
        let named_by = self.options.store.function();
        if function == 0 || function == number_of(named_by) {
            return Ok(());
        }
        let message = format!("this server's contents are named by {named_by}, not by {function}");
        Err(Status::invalid_argument(message))
    }

    /// Reads a digest of a message.
    pub(super) fn digest(&self, message: Option<&api::Digest>) -> Result<Digest, Status> {
        let digest = digest_of(message).map_err(|_| {
            let message = message.cloned().unwrap_or_default();
            let text = format!("{}/{}", shown(&message.hash), message.size_bytes);
            Status::invalid_argument(format!("`{text}` is no digest by {}", self.function()))
        })?;
        self.check_empty(&digest)
    }

    fn check_empty(&self, digest: &Digest) -> Result<Digest, Status> {
        if digest.is_empty() && *digest != self.function().digest(b"") {
            let message = format!("{digest} is not the name of the empty content");
            return Err(Status::invalid_argument(message));
        }
        Ok(*digest)
    }

    /// Reads the name of a stream.
    pub(super) fn resource(&self, name: &str) -> Result<ResourceName, Status> {
        let resource: ResourceName =
            name.parse().map_err(|error: Error| Status::invalid_argument(error.to_string()))?;
        if name.len() > MAX_NAME {
            return Err(Status::invalid_argument("the name is too long"));
        }
        // Who leaves the function out means that which the server has.
        let is_left_out = resource.function == DigestFunction::Sha256;
        let function = if is_left_out { 0 } else { number_of(resource.function) };
        self.check(&resource.instance, function)?;
        self.check_empty(&resource.digest)?;
        Ok(resource)
    }

    /// What names the contents.
    pub(super) fn function(&self) -> DigestFunction {
        self.options.store.function()
    }

    /// Refuses to write if nobody may.
    pub(super) fn check_writable(&self) -> Result<(), Status> {
        if self.options.is_read_only {
            return Err(Status::permission_denied("this server is read-only"));
        }
        Ok(())
    }

    /// Refuses a content of which it is clear that it cannot be stored, before anything is.
    pub(super) fn check_room(&self, size: u64) -> Result<(), Status> {
        let limit = self.options.max_blob;
        if size > limit {
            let message = format!("the content has {size} bytes; this server takes {limit}");
            return Err(Status::invalid_argument(message));
        }
        if size <= SMALL {
            return Ok(());
        }
        let root = self.options.store.root();
        let disk = rustix::fs::statvfs(root).map_err(|error| self.failed_io(&error.into()))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < size {
            return Err(self.failed_io(&io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }

    /// Refuses a batch that is too large.
    pub(super) fn check_batch(sizes: impl Iterator<Item = u64>) -> Result<(), Status> {
        let size = sizes.fold(0, u64::saturating_add);
        if size > MAX_BATCH {
            let message = format!("the batch has {size} bytes; this server takes {MAX_BATCH}");
            return Err(Status::invalid_argument(message));
        }
        Ok(())
    }

    /// What goes wrong with a content now. One that is lost leaves no trace in the store.
    pub(super) fn struck(&self, moment: Moment, digest: &Digest) -> Option<Trouble> {
        let trouble = self.options.faults.strike(moment, digest);
        if trouble == Some(Trouble::Lose) {
            self.memo.forget();
        }
        trouble
    }

    /// What keeps contents during a call.
    pub(super) fn keeper(&self) -> Keeper<'_> {
        Keeper { shared: self, lease: self.options.store.lease().ok() }
    }

    /// The answer to a failure of the store. Paths of the server are its own business.
    pub(super) fn failed(&self, error: &Error) -> Status {
        match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()) {
            Some(cause) => {
                self.tell(&error.to_string());
                status_of(cause)
            }
            None => {
                self.tell(&error.to_string());
                Status::internal("the server's store failed")
            }
        }
    }

    /// The answer to a failure of the disk.
    pub(super) fn failed_io(&self, error: &io::Error) -> Status {
        self.tell(&error.to_string());
        status_of(error)
    }

    /// Takes a content that is damaged out of the store.
    pub(super) fn reject(&self, digest: &Digest) -> Status {
        self.tell(&format!("{digest} is damaged"));
        if let Err(error) = self.options.store.reject(digest) {
            return self.failed(&error);
        }
        Status::data_loss(format!("{digest} is damaged on the server, and was taken out"))
    }

    /// Whether the bytes of an inode were hashed before and agreed.
    pub(super) fn was_checked(&self, inode: &Inode) -> bool {
        lock(&self.checked).contains(inode)
    }

    /// The bytes of an inode agreed.
    pub(super) fn is_checked(&self, inode: Inode) {
        let mut checked = lock(&self.checked);
        if checked.len() >= MAX_CHECKED {
            checked.clear();
        }
        checked.insert(inode);
    }

    fn tell(&self, message: &str) {
        if let Some(report) = &self.options.report {
            report(message);
        }
    }
}

fn status_of(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Status::resource_exhausted("the server's disk is full")
        }
        kind => Status::internal(format!("the server's disk failed: {kind}")),
    }
}

/// How one content of a batch fared.
pub(super) fn outcome(outcome: &Result<(), Status>) -> rpc::Status {
    match outcome {
        Ok(()) => rpc::Status::default(),
        Err(status) => rpc::Status {
            code: status.code().into(),
            message: status.message().to_owned(),
            ..rpc::Status::default()
        },
    }
}

/// What is behind a lock. A thread that panicked leaves single insertions, which are whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
