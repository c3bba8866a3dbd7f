//! Uploads that are not finished: each can be gone on with for a while after its stream broke off. Writes to the store.

use super::frames::Decompressor;
use super::shared::{Service, Shared, lock};
use crate::cas::digest::Digest;
use crate::cas::remote::names::{Compression, ResourceName};
use crate::cas::store::{Receiver, Writer};
use crate::error::Error;
use rustc_hash::FxHashMap;
use std::error::Error as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tonic::Status;

/// All of them, by the names of their streams.
#[derive(Default)]
pub(super) struct Uploads(Mutex<FxHashMap<String, Arc<Mutex<Upload>>>>);

/// One of them.
struct Upload {
    digest: Digest,
    writer: Arc<Writer>,
    /// What came so far; taken when it is whole.
    receiver: Option<Receiver<'static>>,
    decompressor: Option<Decompressor>,
    /// Which call writes: the last that came. A client that lost its connection need not wait for the server to see that.
    turn: u64,
}

impl Upload {
    fn new(shared: &Shared, digest: Digest) -> Result<Self, Error> {
        let writer = Arc::new(shared.options.store.writer(shared.options.durability)?);
        let receiver = Some(writer.shared_receiver(false)?);
        Ok(Self { digest, writer, receiver, decompressor: None, turn: 0 })
    }

    /// Makes ready for a call that begins at an offset.
    fn prepare(&mut self, shared: &Shared, offset: u64, kind: Compression) -> Result<(), Status> {
        if offset == 0 && self.size() > 0 {
            let receiver = self.writer.shared_receiver(false);
            self.receiver = Some(receiver.map_err(|error| shared.failed(&error))?);
        }
        let decompressor = (kind == Compression::Zstd).then(Decompressor::new).transpose();
        self.decompressor = decompressor.map_err(|error| shared.failed_io(&error))?;
        Ok(())
    }

    fn size(&self) -> u64 {
        self.receiver.as_ref().map_or(0, Receiver::size)
    }
}

impl Uploads {
    /// Bytes of the content that came so far.
    pub(super) fn size(&self, name: &ResourceName) -> Option<u64> {
        let upload = lock(&self.0).get(&name.to_string()).cloned();
        upload.map(|upload| lock(&upload).size())
    }

    /// The upload of this name, begun if there is none.
    fn begun(
        &self,
        shared: &Shared,
        name: &ResourceName,
        offset: u64,
    ) -> Result<Arc<Mutex<Upload>>, Status> {
        let key = name.to_string();
        if let Some(upload) = lock(&self.0).get(&key) {
            return Ok(Arc::clone(upload));
        }
        if offset > 0 {
            return Err(wrong_offset(0));
        }
        let upload = Upload::new(shared, name.digest).map_err(|error| shared.failed(&error))?;
        let mut uploads = lock(&self.0);
        if uploads.len() >= shared.options.uploads {
            return Err(Status::resource_exhausted("too many uploads at the same time"));
        }
        let upload = Arc::new(Mutex::new(upload));
        Ok(Arc::clone(uploads.entry(key).or_insert(upload)))
    }

    /// Forgets an upload, unless a later call writes to it.
    fn forget(&self, key: &str, upload: &Arc<Mutex<Upload>>, turn: u64) {
        let mut uploads = lock(&self.0);
        let is_it = |there: &Arc<Mutex<Upload>>| Arc::ptr_eq(there, upload);
        if uploads.get(key).is_some_and(is_it) && lock(upload).turn == turn {
            uploads.remove(key);
        }
    }
}

/// A call that writes to an upload. Dropped before it is over, it leaves the upload to whoever goes on with it.
pub(super) struct Turn {
    service: Service,
    key: String,
    upload: Arc<Mutex<Upload>>,
    number: u64,
    is_over: AtomicBool,
}

impl Turn {
    /// Begins, or goes on at an offset of the content.
    pub(super) fn begin(
        service: Service,
        name: &ResourceName,
        offset: u64,
    ) -> Result<Self, Status> {
        let slot = service.0.uploads.begun(&service.0, name, offset)?;
        let mut upload = lock(&slot);
        if offset > 0 && offset != upload.size() {
            return Err(wrong_offset(upload.size()));
        }
        upload.turn += 1;
        let number = upload.turn;
        let prepared = upload.prepare(&service.0, offset, name.compression);
        drop(upload);
        let is_over = AtomicBool::new(false);
        let turn = Self { service, key: name.to_string(), upload: slot, number, is_over };
        prepared.inspect_err(|_| turn.end())?;
        Ok(turn)
    }

    /// Bytes of the content that came so far.
    pub(super) fn size(&self) -> u64 {
        lock(&self.upload).size()
    }

    /// Takes the next bytes as they came over the wire.
    pub(super) fn push(&self, data: &[u8], is_full: bool) -> Result<(), Status> {
        let mut upload = lock(&self.upload);
        let Upload { digest, receiver, decompressor, turn, .. } = &mut *upload;
        let receiver = receiver.as_mut().filter(|_| *turn == self.number).ok_or_else(taken)?;
        let mut write = |bytes: &[u8]| {
            if receiver.size() + bytes.len() as u64 > digest.size() {
                return Err(Trouble::TooMuch);
            }
            if is_full {
                return Err(Trouble::Disk(io::ErrorKind::StorageFull.into()));
            }
            receiver.write_all(bytes).map_err(Trouble::Disk)
        };
        let pushed = match decompressor {
            None => write(data),
            Some(decompressor) => decompressor.push(data, write),
        };
        pushed.map_err(|trouble| match trouble {
            Trouble::TooMuch => {
                Status::invalid_argument(format!("there are more bytes than {digest} has"))
            }
            Trouble::Frame(error) => {
                Status::invalid_argument(format!("the bytes are not zstd: {error}"))
            }
            Trouble::Disk(error) => self.service.0.failed_io(&error),
        })
    }

    /// All has come: checks it and makes it visible.
    pub(super) fn finish(&self) -> Result<(), Status> {
        let shared = &self.service.0;
        let (receiver, writer, digest) = {
            let mut upload = lock(&self.upload);
            let ours = upload.turn == self.number;
            let receiver = upload.receiver.take_if(|_| ours).ok_or_else(taken)?;
            (receiver, Arc::clone(&upload.writer), upload.digest)
        };
        receiver.finish_as(digest).map_err(|error| mismatch(shared, &error))?;
        writer.commit().map_err(|error| shared.failed(&error))?;
        shared.options.faults.heal(&digest);
        Ok(())
    }

    /// It is whole, or cannot become so.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.service.0.uploads.forget(&self.key, &self.upload, self.number);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let (service, key) = (self.service.clone(), std::mem::take(&mut self.key));
        let (upload, number) = (Arc::downgrade(&self.upload), self.number);
        // Without a runtime, the server ends, and all uploads with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(service.0.options.resume).await;
                if let Some(upload) = upload.upgrade() {
                    service.0.uploads.forget(&key, &upload, number);
                }
            });
        }
    }
}

/// Why bytes were not taken.
enum Trouble {
    TooMuch,
    Frame(io::Error),
    Disk(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Frame(error)
    }
}

fn wrong_offset(size: u64) -> Status {
    Status::out_of_range(format!("{size} bytes came so far: go on there"))
}

fn taken() -> Status {
    Status::aborted("another call goes on with this upload")
}

/// The answer when a content could not be finished: it is another, unless the disk failed.
pub(super) fn mismatch(shared: &Shared, error: &Error) -> Status {
    if error.source().is_some() {
        return shared.failed(error);
    }
    Status::invalid_argument(error.to_string())
}
