//! Contents read as streams: checked on the way, and the last piece held back until it is clear that all were right.
//! Reads the store.

use super::faults::{Moment, Trouble};
use super::frames::Compressor;
use super::shared::{Inode, Service, Shared};
use crate::cas::digest::{Digest, Hasher};
use crate::cas::remote::names::Compression;
use crate::cas::store::hash_file;
use bazel_remote_apis::google::bytestream::{ReadRequest, ReadResponse};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Bytes of the largest content that is read whole and checked before any of it is sent.
const SMALL: u64 = 1 << 20;

/// Bytes of a piece: far below what a message may have, and large enough that its price is that of hashing.
const PIECE: u64 = 256 << 10;

/// Pieces that wait for a slow client.
const WAITING: usize = 2;

/// The pieces of one answer.
pub(super) type Pieces = ReceiverStream<Result<ReadResponse, Status>>;

/// A content on its way out.
struct Reading {
    shared: Arc<Shared>,
    digest: Digest,
    source: Source,
    /// Bytes of the content that are still to be read.
    left: u64,
    compressor: Option<Compressor>,
    trouble: Option<Trouble>,
}

enum Source {
    /// Bytes that were checked.
    Memory(io::Cursor<Vec<u8>>),
    /// A file; what hashes it, unless it was checked.
    File(File, Option<Hasher>, Inode),
}

impl Service {
    /// Begins to send what is asked for.
    pub(super) async fn send(&self, request: ReadRequest) -> Result<Pieces, Status> {
        let name = self.0.resource(&request.resource_name)?;
        if name.upload.is_some() {
            return Err(Status::invalid_argument("uploads cannot be read"));
        }
        let size = name.digest.size();
        let offset = u64::try_from(request.read_offset).ok().filter(|offset| *offset <= size);
        let offset = offset.ok_or_else(|| {
            Status::out_of_range(format!("the content has {size} bytes: none at the offset"))
        })?;
        let limit = u64::try_from(request.read_limit)
            .map_err(|_| Status::invalid_argument("the limit is negative"))?;
        let is_compressed = name.compression == Compression::Zstd;
        if is_compressed && limit > 0 {
            return Err(Status::invalid_argument(
                "compressed contents cannot be read with a limit",
            ));
        }
        let trouble = self.strike(Moment::Read, &name.digest).await?;
        let count = if limit == 0 { size - offset } else { limit.min(size - offset) };
        let shared = Arc::clone(&self.0);
        let reading = self
            .blocking(move |_| {
                let source = Source::open(&shared, &name.digest, offset, count)?;
                let compressor = is_compressed.then(Compressor::new).transpose();
                let compressor = compressor.map_err(|error| shared.failed_io(&error))?;
                let digest = name.digest;
                Ok(Reading { shared, digest, source, left: count, compressor, trouble })
            })
            .await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(self.clone().send_pieces(reading, sender));
        Ok(ReceiverStream::new(receiver))
    }

    /// Sends piece by piece, for as long as somebody takes them.
    async fn send_pieces(
        self,
        mut reading: Reading,
        sender: mpsc::Sender<Result<ReadResponse, Status>>,
    ) {
        let idle = self.0.options.idle;
        let half = reading.left / 2;
        loop {
            let next = self.blocking(move |_| {
                let piece = reading.next()?;
                Ok((reading, piece))
            });
            let message = match next.await {
                Ok((_, None)) => return,
                Ok((rest, Some(data))) => {
                    reading = rest;
                    match &reading.trouble {
                        Some(Trouble::Truncate) if reading.left <= half => return,
                        Some(Trouble::Stall(time)) if reading.left == 0 => {
                            tokio::time::sleep(*time).await;
                        }
                        _ => {}
                    }
                    self.pass(data.len()).await;
                    ReadResponse { data }
                }
                Err(status) => {
                    // Nobody is left to hear it.
                    let _ = tokio::time::timeout(idle, sender.send(Err(status))).await;
                    return;
                }
            };
            if !matches!(tokio::time::timeout(idle, sender.send(Ok(message))).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

impl Source {
    /// Opens a content at an offset, for so many bytes.
    fn open(shared: &Shared, digest: &Digest, offset: u64, count: u64) -> Result<Self, Status> {
        let store = &shared.options.store;
        let missing = || Status::not_found(format!("{digest} is not there"));
        let in_memory = |bytes: Option<Vec<u8>>| {
            let mut bytes = io::Cursor::new(bytes.ok_or_else(missing)?);
            bytes.set_position(offset);
            Ok(Self::Memory(bytes))
        };
        let keeper = shared.keeper();
        if !keeper.keep(digest)? {
            return in_memory(keeper.chunk(digest)?);
        }
        if digest.size() <= SMALL {
            return in_memory(store.read(digest).map_err(|error| shared.failed(&error))?);
        }
        let opened = store.open_blob(digest).map_err(|error| shared.failed(&error))?;
        let file = opened.ok_or_else(missing)?.file;
        let failed = |error| shared.failed_io(&error);
        let inode = inode_of(&file, digest).map_err(failed)?;
        if offset == 0 && count == digest.size() {
            return Ok(Self::File(file, Some(Hasher::new(shared.function())), inode));
        }
        // A part says nothing about its bytes: the whole is checked first, once.
        if !shared.was_checked(&inode) {
            let again = file.try_clone().map_err(failed)?;
            if hash_file(shared.function(), again).map_err(failed)? != *digest {
                return Err(shared.reject(digest));
            }
            shared.is_checked(inode);
        }
        let mut file = file;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(Self::File(file, None, inode))
    }

    fn read(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        match self {
            Self::Memory(memory) => memory.take(count).read_to_end(&mut bytes)?,
            Self::File(file, ..) => file.take(count).read_to_end(&mut bytes)?,
        };
        if let Self::File(_, Some(hasher), _) = self {
            hasher.update(&bytes);
        }
        Ok(bytes)
    }
}

fn inode_of(file: &File, digest: &Digest) -> io::Result<Inode> {
    let metadata = file.metadata()?;
    let (time, nanos) = (metadata.ctime(), metadata.ctime_nsec());
    Ok((*digest, metadata.dev(), metadata.ino(), time, nanos))
}

impl Reading {
    /// The next piece, which is not empty; `None` when there is no more.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        while self.left > 0 {
            let wanted = self.left.min(PIECE);
            let read = self.source.read(wanted);
            let mut bytes = read.map_err(|error| self.shared.failed_io(&error))?;
            self.left -= wanted;
            if bytes.len() as u64 != wanted {
                return Err(self.shared.reject(&self.digest));
            }
            if self.left == 0 {
                self.check()?;
            }
            if let (Some(Trouble::Corrupt), Some(byte)) = (&self.trouble, bytes.first_mut()) {
                *byte ^= 1;
                self.trouble = None;
            }
            let piece = self.compress(bytes).map_err(|error| self.shared.failed_io(&error))?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        // The frame of nothing.
        let rest = self.compressor.take().map(|compressor| compressor.finish(b"")).transpose();
        rest.map_err(|error| self.shared.failed_io(&error))
    }

    fn compress(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match (self.compressor.take(), self.left) {
            (None, _) => Ok(bytes),
            (Some(compressor), 0) => compressor.finish(&bytes),
            (Some(mut compressor), _) => {
                let ready = compressor.push(&bytes);
                self.compressor = Some(compressor);
                ready
            }
        }
    }

    /// Refuses to send the last piece if the whole is not what it is called.
    fn check(&mut self) -> Result<(), Status> {
        let Source::File(_, hasher, inode) = &mut self.source else { return Ok(()) };
        let inode = *inode;
        match hasher.take().map(Hasher::finish) {
            Some(digest) if digest != self.digest => Err(self.shared.reject(&self.digest)),
            Some(_) => {
                self.shared.is_checked(inode);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
