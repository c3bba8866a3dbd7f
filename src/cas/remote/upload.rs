//! Sends contents of the store: many in one message, large ones as streams. Reads the store; touches the network.

use super::Remote;
use super::chunks::{Part, cannot_read};
use super::failure::{Answer, Failure, Outcome, refusal};
use super::line::{contents, streams};
use super::names::{Compression, ResourceName};
use super::plan::{Parcel, parcels};
use super::work::{Work, count};
use super::zip;
use crate::cas::digest::Digest;
use crate::cas::store::Lease;
use crate::cas::tree::{digest_of, message_of};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::bytestream::{QueryWriteStatusRequest, WriteRequest, WriteResponse};
use prost::Message;
use rustc_hash::FxHashSet;
use std::io::{self, Read};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Response, Status};

/// Bytes of a stream's message.
const PIECE: usize = 512 << 10;

/// Messages of a stream that wait to be sent.
const WAITING: usize = 2;

/// The answer at the end of a stream.
type Written = Answer<Response<WriteResponse>>;

/// Sends contents of a store.
pub(super) struct Upload<'a> {
    pub(super) remote: &'a Remote,
    pub(super) work: &'a Work<'a>,
    pub(super) lease: &'a Lease,
}

impl Upload<'_> {
    /// Sends these, several messages at once.
    pub(super) fn send(&self, items: &[Part]) -> Outcome<()> {
        self.work.each(&self.parcels(items), |parcel| self.parcel(parcel))
    }

    /// Sends these one message after the other.
    pub(super) fn send_in_order(&self, items: &[Part]) -> Outcome<()> {
        // Large directories are streams of their own: their turn has to come where they stand.
        let is_large = |item: &Part| {
            matches!(self.parcels(std::slice::from_ref(item)).as_slice(), [Parcel::Stream(_)])
        };
        let runs = items.chunk_by(|one, other| !is_large(one) && !is_large(other));
        runs.flat_map(|run| self.parcels(run)).try_for_each(|parcel| self.parcel(&parcel))
    }

    pub(super) fn parcels(&self, items: &[Part]) -> Vec<Parcel<Part>> {
        parcels(items, self.remote.capabilities.max_batch, |item| &item.digest)
    }

    pub(super) fn parcel(&self, parcel: &Parcel<Part>) -> Outcome<()> {
        match parcel {
            Parcel::Batch(items) => self.batch(items),
            Parcel::Stream(item) => self.stream(item),
        }
    }

    fn moved(&self, item: &Part) {
        if item.is_whole() {
            self.work.moved(item.digest.size());
        } else {
            self.work.moved_chunk(item.digest.size());
        }
    }

    fn batch(&self, items: &[Part]) -> Outcome<()> {
        let mut left = Vec::with_capacity(items.len());
        for item in items {
            left.push((*item, self.request(item)?));
        }
        self.work.persist(|attempts| {
            let request = api::BatchUpdateBlobsRequest {
                instance_name: self.remote.instance(),
                requests: left.iter().map(|(_, request)| request.clone()).collect(),
                digest_function: self.remote.function(),
            };
            count(&self.work.counters.requests, 1);
            count(&self.work.counters.wire_bytes, request.encoded_len() as u64);
            let answer = self.remote.line.ask(|service| async move {
                contents(service).batch_update_blobs(request).await
            })?;
            let (taken, failure) = self.taken(items, answer)?;
            let before = left.len();
            left.retain(|(item, _)| !taken.contains(&item.digest));
            if left.len() < before {
                attempts.progressed();
            }
            match (failure, left.len()) {
                (_, 0) => Ok(()),
                (Some(failure), _) => Err(failure),
                (None, count) => {
                    let words = format!("the server says nothing of {count} contents");
                    Err(Failure::Garbled(words))
                }
            }
        })
    }

    /// What the server has taken, and a reason to try the others again.
    fn taken(
        &self,
        items: &[Part],
        answer: api::BatchUpdateBlobsResponse,
    ) -> Outcome<(FxHashSet<Digest>, Option<Failure>)> {
        let mut taken = FxHashSet::default();
        let mut failure = None;
        for response in answer.responses {
            let Ok(digest) = digest_of(response.digest.as_ref()) else { continue };
            let Some(item) = items.iter().find(|item| item.digest == digest) else { continue };
            match refusal(response.status).map(|status| self.refused(&item.content, status)) {
                Some(refused) if refused.may_pass() => failure = Some(refused),
                Some(refused) => return Err(refused),
                None => {
                    if taken.insert(digest) {
                        self.moved(item);
                    }
                }
            }
        }
        Ok((taken, failure))
    }

    fn request(&self, item: &Part) -> Result<api::batch_update_blobs_request::Request> {
        let bytes = self.bytes(item)?;
        let zipped = self.remote.zips_batches().then(|| zip::smaller(&bytes)).flatten();
        let compressor = match zipped {
            Some(_) => api::compressor::Value::Zstd,
            None => api::compressor::Value::Identity,
        };
        Ok(api::batch_update_blobs_request::Request {
            digest: Some(message_of(&item.digest)),
            data: zipped.unwrap_or(bytes),
            compressor: compressor.into(),
        })
    }

    /// The bytes of a content or chunk, checked.
    fn bytes(&self, item: &Part) -> Result<Vec<u8>> {
        let (store, content) = (self.lease.store(), &item.content);
        self.lease.keep(content)?;
        if item.is_whole() {
            return store.read(content)?.ok_or_else(|| missing(content));
        }
        let bytes = item.read(store)?.ok_or_else(|| missing(content))?;
        if self.remote.options.function.digest(&bytes) == item.digest {
            return Ok(bytes);
        }
        store.reject(content)?;
        Err(missing(content))
    }

    /// The server does not take a content: where it says that it is not what its name says, the store's may be damaged.
    fn refused(&self, digest: &Digest, status: Status) -> Failure {
        if status.code() == Code::InvalidArgument {
            let is_there = self
                .lease
                .store()
                .reject(digest)
                .and_then(|()| self.lease.store().contains(digest));
            match is_there {
                Ok(true) => {}
                Ok(false) => return missing(digest).into(),
                Err(error) => return error.into(),
            }
        }
        status.into()
    }

    fn stream(&self, item: &Part) -> Outcome<()> {
        let Part { digest, content, .. } = item;
        self.lease.keep(content)?;
        let open = || item.open(self.lease.store())?.ok_or_else(|| missing(content));
        let mut name = ResourceName {
            instance: self.remote.instance(),
            upload: Some(uuid()?),
            compression: Compression::Identity,
            function: self.remote.options.function,
            digest: *digest,
        };
        let failed = |error| cannot_read(content, error);
        if self.remote.zips_streams() && zip::is_worth_it(open()?.get_mut()).map_err(failed)? {
            name.compression = Compression::Zstd;
        }
        let mut tries = 0;
        let mut furthest = 0;
        self.work.persist(|attempts| {
            tries += 1;
            let offset = if tries == 1 { 0 } else { self.resume(&mut name)? };
            if offset > furthest {
                furthest = offset;
                attempts.progressed();
            }
            if offset == u64::MAX {
                return Ok(());
            }
            let mut source: Box<dyn Read> = match name.compression {
                Compression::Identity => Box::new(open()?),
                Compression::Zstd => Box::new(zip::reader(open()?).map_err(failed)?),
            };
            // Compressed again, the same content gives the same bytes.
            io::copy(&mut source.by_ref().take(offset), &mut io::sink()).map_err(failed)?;
            self.write(&name, content, source.as_mut(), offset)
        })?;
        self.moved(item);
        Ok(())
    }

    /// Where to go on after a failure: the end if all is there; the beginning, under a new name, where the server does
    /// not know.
    fn resume(&self, name: &mut ResourceName) -> Outcome<u64> {
        let request = QueryWriteStatusRequest { resource_name: name.to_string() };
        count(&self.work.counters.requests, 1);
        let answer = self
            .remote
            .line
            .ask(|service| async move { streams(service).query_write_status(request).await });
        match answer {
            Ok(status) if status.complete => return Ok(u64::MAX),
            Ok(status) if status.committed_size > 0 => {
                return Ok(status.committed_size.unsigned_abs());
            }
            _ => name.upload = Some(uuid()?),
        }
        Ok(0)
    }

    fn write(
        &self,
        name: &ResourceName,
        content: &Digest,
        source: &mut dyn Read,
        offset: u64,
    ) -> Outcome<()> {
        let line = &self.remote.line;
        let (service, headers) = line.service()?;
        let (sender, receiver) = mpsc::channel(WAITING);
        count(&self.work.counters.requests, 1);
        // Dropped with this call, it ends the stream.
        let mut call = JoinSet::new();
        line.wait(async {
            call.spawn(async move { streams(service).write(ReceiverStream::new(receiver)).await });
        })?;
        let limit = line.patience_for(&name.digest);
        let sent = self.feed(name, source, offset, &sender, &mut call);
        drop(sender);
        let answer = match sent {
            Ok((total, None)) => {
                line.answer(limit, async { join(&mut call).await }).map(|answer| (total, answer))
            }
            Ok((total, Some(answer))) => answer.map(|it| (total, it)).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let (total, answer) = match line.heed(answer, &headers) {
            Err(Failure::Status(status)) => return Err(self.refused(content, status)),
            answer => answer?,
        };
        let committed = answer.into_inner().committed_size;
        // Compressed, servers count what they got, what it is, or -1 where they had it already.
        let is_whole = name.compression == Compression::Zstd
            || u64::try_from(committed).is_ok_and(|it| it == name.digest.size());
        if is_whole {
            return Ok(());
        }
        let words = format!("the server took {committed} of {total} bytes of {}", name.digest);
        Err(Failure::Garbled(words))
    }

    /// Hands all pieces to the stream. Gives how far it came, and the server's answer if that came early: it may have
    /// the content already.
    fn feed(
        &self,
        name: &ResourceName,
        source: &mut dyn Read,
        mut offset: u64,
        sender: &mpsc::Sender<WriteRequest>,
        call: &mut JoinSet<Written>,
    ) -> Outcome<(u64, Option<Written>)> {
        let mut resource_name = name.to_string();
        loop {
            let mut data = Vec::with_capacity(PIECE);
            let read = source.take(PIECE as u64).read_to_end(&mut data);
            read.map_err(|error| cannot_read(&name.digest, error))?;
            let finish_write = data.len() < PIECE;
            let write_offset = offset.cast_signed();
            offset += data.len() as u64;
            let request = WriteRequest {
                resource_name: std::mem::take(&mut resource_name),
                write_offset,
                finish_write,
                data,
            };
            let stall = self.remote.line.patience.stall;
            count(&self.work.counters.wire_bytes, request.encoded_len() as u64);
            let early = self.remote.line.wait(async {
                tokio::select! {
                    biased;
                    answer = join(call) => Ok(Some(answer)),
                    // If nobody takes it any more, the answer is about to come.
                    sent = sender.send(request) => match sent {
                        Ok(()) => Ok(None),
                        Err(_) => Ok(Some(join(call).await)),
                    },
                    () = tokio::time::sleep(stall) => Err(Failure::Stalled(stall)),
                }
            })??;
            if early.is_some() || finish_write {
                return Ok((offset, early));
            }
        }
    }
}

/// The answer of the one call in the set.
async fn join(call: &mut JoinSet<Written>) -> Written {
    match call.join_next().await {
        Some(Ok(answer)) => answer,
        _ => Err(Status::cancelled("the call was ended")),
    }
}

fn missing(digest: &Digest) -> Error {
    Error::new("is neither on the server nor whole in the store")
        .at(digest.to_string())
        .hint("pack the bundle again, or repair the store with `caf verify`")
}

/// A random UUID, version 4.
fn uuid() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(format!("the system gives no random numbers: {error}")))?;
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 4 << 76 | 2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("").to_owned();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_the_form_of_version_4() {
        let text = uuid().unwrap();
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']));
        assert_ne!(text, uuid().unwrap());
    }
}
