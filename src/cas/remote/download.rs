//! Fetches contents, each checked while it is written: many in one message, large ones as streams that go on where they broke
//! off. Writes to the store or into memory; touches the network.

use super::Remote;
use super::failure::{Failure, Outcome, refusal};
use super::line::{contents, streams};
use super::names::{Compression, ResourceName};
use super::plan::{Parcel, parcels};
use super::work::{Work, count};
use super::zip::{Unzip, unzip};
use crate::cas::digest::Digest;
use crate::cas::store::{Receiver, Writer};
use crate::cas::tree::{digest_of, message_of};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::bytestream::ReadRequest;
use prost::Message;
use rustc_hash::FxHashMap;
use std::io::{self, Write};
use tokio::time::timeout;
use tonic::Code;

/// A content and the twins of it that the store shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) digest: Digest,
    pub(super) is_plain: bool,
    pub(super) is_executable: bool,
}

/// Fetches contents.
pub(super) struct Download<'a> {
    pub(super) remote: &'a Remote,
    pub(super) work: &'a Work<'a>,
    pub(super) writer: &'a Writer,
}

impl<'a> Download<'a> {
    /// Fetches these, several messages at once; `deliver` gets the bytes of each.
    pub(super) fn each(
        &self,
        digests: &[Digest],
        deliver: impl Fn(&Digest, Vec<u8>) -> Result<()> + Sync,
    ) -> Outcome<()> {
        self.fetch(digests, |digest, bytes| {
            deliver(digest, bytes)?;
            self.work.moved(digest.size());
            Ok(())
        })
    }

    /// As [`Download::each`], for what may be chunks: it is not counted.
    pub(super) fn fetch(
        &self,
        digests: &[Digest],
        deliver: impl Fn(&Digest, Vec<u8>) -> Result<()> + Sync,
    ) -> Outcome<()> {
        let parcels = parcels(digests, self.remote.capabilities.max_batch, |digest| digest);
        self.work.each(&parcels, |parcel| match parcel {
            Parcel::Batch(digests) => self.batch(digests, |digest| digest, &deliver),
            Parcel::Stream(digest) => match self.stream(digest, || Ok(Place::memory()))? {
                Place::Memory(bytes) => Ok(deliver(digest, bytes)?),
                Place::Store(_) => Ok(()),
            },
        })
    }

    /// Fetches these into the store, several messages at once.
    pub(super) fn store(&self, wanted: &[Wanted]) -> Outcome<()> {
        let parcels = parcels(wanted, self.remote.capabilities.max_batch, |it| &it.digest);
        self.work.each(&parcels, |parcel| match parcel {
            Parcel::Batch(wanted) => self.batch(
                wanted,
                |it| &it.digest,
                |it, bytes| {
                    let mut receivers = self.receivers(it)?;
                    for receiver in &mut receivers {
                        receiver.write_all(&bytes).map_err(|error| receiver.failed(error))?;
                    }
                    self.finish(receivers, it.digest)
                },
            ),
            Parcel::Stream(it) => {
                let place = || Ok(Place::Store(self.receivers(it)?));
                match self.stream(&it.digest, place)? {
                    Place::Store(receivers) => Ok(self.finish(receivers, it.digest)?),
                    Place::Memory(_) => Ok(()),
                }
            }
        })
    }

    /// A content came whole.
    fn finish(&self, receivers: Vec<Receiver<'_>>, digest: Digest) -> Result<()> {
        finish(receivers, digest)?;
        self.work.moved(digest.size());
        Ok(())
    }

    pub(super) fn receivers(&self, wanted: &Wanted) -> Result<Vec<Receiver<'a>>> {
        let twins = [(wanted.is_plain, false), (wanted.is_executable, true)];
        let twins = twins.into_iter().filter(|(is_wanted, _)| *is_wanted);
        twins.map(|(_, is_executable)| self.writer.receiver(is_executable)).collect()
    }

    /// Fetches contents in one message; `deliver` gets the bytes of each once they are checked.
    fn batch<T: Copy>(
        &self,
        items: &[T],
        digest: impl Fn(&T) -> &Digest,
        deliver: impl Fn(&T, Vec<u8>) -> Result<()>,
    ) -> Outcome<()> {
        let mut left: Vec<T> = items.to_vec();
        self.work.persist(|attempts| {
            let request = api::BatchReadBlobsRequest {
                instance_name: self.remote.instance(),
                digests: left.iter().map(|it| message_of(digest(it))).collect(),
                acceptable_compressors: self.remote.accepted(),
                digest_function: self.remote.function(),
            };
            count(&self.work.counters.requests, 1);
            let answer = self
                .remote
                .line
                .ask(|service| async move { contents(service).batch_read_blobs(request).await })?;
            count(&self.work.counters.wire_bytes, answer.encoded_len() as u64);
            let mut waiting: FxHashMap<Digest, T> =
                left.iter().map(|it| (*digest(it), *it)).collect();
            let mut failure = None;
            for response in answer.responses {
                let Ok(name) = digest_of(response.digest.as_ref()) else { continue };
                let Some(item) = waiting.get(&name) else { continue };
                match self.checked(&name, response) {
                    Ok(bytes) => {
                        deliver(item, bytes)?;
                        waiting.remove(&name);
                    }
                    Err(refused) if refused.may_pass() => failure = Some(refused),
                    Err(refused) => return Err(refused),
                }
            }
            if waiting.len() < left.len() {
                attempts.progressed();
            }
            left.retain(|it| waiting.contains_key(digest(it)));
            match (failure, left.first()) {
                (_, None) => Ok(()),
                (Some(failure), _) => Err(failure),
                (None, Some(it)) => {
                    let words = format!("the server says nothing of {}", digest(it));
                    Err(Failure::Garbled(words))
                }
            }
        })
    }

    /// The bytes of a content of a batch, if they are what they shall be.
    fn checked(
        &self,
        digest: &Digest,
        response: api::batch_read_blobs_response::Response,
    ) -> Outcome<Vec<u8>> {
        if let Some(status) = refusal(response.status) {
            return Err(lost(digest, status.into()));
        }
        let is_zipped = response.compressor == api::compressor::Value::Zstd as i32;
        let bytes = if is_zipped {
            unzip(&response.data, digest)
                .map_err(|error| garbled(digest, &format!("cannot be decompressed: {error}")))?
        } else {
            response.data
        };
        if self.remote.options.function.digest(&bytes) != *digest {
            return Err(garbled(digest, "came with other bytes"));
        }
        Ok(bytes)
    }

    /// Fetches a content alone, into the place that is made for it.
    fn stream<'p>(
        &self,
        digest: &Digest,
        place: impl Fn() -> Result<Place<'p>>,
    ) -> Outcome<Place<'p>> {
        let compression =
            if self.remote.zips_streams() { Compression::Zstd } else { Compression::Identity };
        let name = ResourceName {
            instance: self.remote.instance(),
            upload: None,
            compression,
            function: self.remote.options.function,
            digest: *digest,
        };
        let mut sink = Sink::new(place()?, *digest);
        let mut furthest = 0;
        self.work.persist(|attempts| {
            let outcome = self.read(&name, &mut sink).map_err(|failure| lost(digest, failure));
            if sink.size > furthest {
                furthest = sink.size;
                attempts.progressed();
            }
            let is_short = outcome.is_ok() && sink.size < digest.size();
            if is_short {
                let words = format!("broke off after {} bytes", sink.size);
                return Err(garbled(digest, &words));
            }
            if matches!(outcome, Ok(()) | Err(Failure::Garbled(_))) {
                let read = std::mem::replace(&mut sink, Sink::new(place()?, *digest));
                outcome?;
                return read.place.checked(digest, self.remote);
            }
            Err(outcome.err().unwrap_or(Failure::Stopped))
        })
    }

    /// Reads on from where the sink ends, to the end of the stream.
    fn read(&self, name: &ResourceName, sink: &mut Sink<'_>) -> Outcome<()> {
        let line = &self.remote.line;
        let (service, headers) = line.service()?;
        let request = ReadRequest {
            resource_name: name.to_string(),
            read_offset: sink.size.cast_signed(),
            read_limit: 0,
        };
        count(&self.work.counters.requests, 1);
        let stall = line.patience.stall;
        let stream =
            line.answer(line.patience.call, async { streams(service).read(request).await });
        let mut stream = line.heed(stream, &headers)?.into_inner();
        let unzip = Unzip::new(sink, name.compression == Compression::Zstd);
        let mut unzip = unzip.map_err(|error| Error::new("cannot decompress").cause(error))?;
        loop {
            let message = line.wait(async { timeout(stall, stream.message()).await })?;
            let message = message.map_err(|_| Failure::Stalled(stall));
            let message = message.and_then(|it| it.map_err(Failure::from));
            let Some(message) = line.heed(message, &headers)? else { break };
            count(&self.work.counters.wire_bytes, message.encoded_len() as u64);
            unzip.write_all(&message.data).map_err(|error| trouble(&name.digest, error))?;
        }
        unzip.flush().map_err(|error| trouble(&name.digest, error))
    }
}

/// Where a content goes.
enum Place<'a> {
    Memory(Vec<u8>),
    Store(Vec<Receiver<'a>>),
}

impl Place<'_> {
    const fn memory() -> Self {
        Self::Memory(Vec::new())
    }

    /// Whether it holds what it shall.
    fn checked(self, digest: &Digest, remote: &Remote) -> Outcome<Self> {
        let is_right = match &self {
            Self::Memory(bytes) => remote.options.function.digest(bytes) == *digest,
            Self::Store(receivers) => receivers.iter().all(|it| it.digest() == *digest),
        };
        is_right.then_some(self).ok_or_else(|| garbled(digest, "came with other bytes"))
    }
}

/// Takes a content in pieces, and no more than its size.
struct Sink<'a> {
    place: Place<'a>,
    digest: Digest,
    size: u64,
}

impl<'a> Sink<'a> {
    const fn new(place: Place<'a>, digest: Digest) -> Self {
        Self { place, digest, size: 0 }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.digest.size() - self.size {
            let words = format!("came with more than {} bytes", self.digest.size());
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        match &mut self.place {
            Place::Memory(memory) => memory.extend_from_slice(bytes),
            Place::Store(receivers) => {
                for receiver in receivers {
                    receiver.write_all(bytes)?;
                }
            }
        }
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A content is whole, and has to be this one.
pub(super) fn finish(receivers: Vec<Receiver<'_>>, digest: Digest) -> Result<()> {
    receivers.into_iter().try_for_each(|receiver| receiver.finish_as(digest).map(drop))
}

/// Other bytes than those of a content came.
pub(super) fn garbled(digest: &Digest, words: &str) -> Failure {
    Failure::Garbled(format!("{digest} {words}"))
}

/// What went wrong while a content was written: the disk, or what came.
fn trouble(digest: &Digest, error: io::Error) -> Failure {
    match error.raw_os_error() {
        Some(_) => Error::new("cannot write").at(digest.to_string()).cause(error).into(),
        None => garbled(digest, &error.to_string()),
    }
}

/// The server does not have a content that it should have.
fn lost(digest: &Digest, failure: Failure) -> Failure {
    match failure.code() {
        Some(Code::NotFound) if !failure.speaks_of_instance() => Failure::Lost(*digest),
        _ => failure,
    }
}
