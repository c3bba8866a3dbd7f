//! Contents cut into chunks, and put together from them. Reads and writes the store.

use super::faults::{Moment, Trouble};
use super::shared::{Keeper, Service, Shared};
use super::uploads::mismatch;
use crate::cas::digest::{Digest, Hasher};
use crate::cas::remote::chunks::{Chunking, Part, size_of};
use crate::cas::store::Receiver;
use crate::cas::tree::message_of;
use api::chunking_function::Value::FastCdc2020;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use std::fs::File;
use std::io::{self, Read, Take};
use std::sync::Arc;
use tonic::{Status, Streaming};

/// How this server cuts.
const CHUNKING: Chunking = Chunking::RECOMMENDED;

/// Chunks of one content: what one message of 4 MiB holds, which is all that clients take.
const MAX_CHUNKS: usize = 40_000;

/// The chunks of a content, in one message: as many as there may be have room in it.
pub(super) type Mapping = tokio_stream::Once<Result<api::GetChunkMappingResponse, Status>>;

impl Service {
    fn check_able(&self) -> Result<(), Status> {
        let is_able = self.0.options.faults.can_cut();
        is_able.then_some(()).ok_or_else(|| Status::unimplemented("this server does not cut"))
    }

    /// The chunks of a content, which can be read from now on as if they were stored.
    pub(super) async fn split(
        &self,
        request: api::SplitBlobRequest,
    ) -> Result<api::SplitBlobResponse, Status> {
        self.0.check(&request.instance_name, request.digest_function)?;
        self.check_able()?;
        let digest = self.0.digest(request.blob_digest.as_ref())?;
        let trouble = self.strike(Moment::Read, &digest).await?;
        if let Some(Trouble::Stall(time)) = trouble {
            tokio::time::sleep(time).await;
        }
        let chunks = self.blocking(move |shared| split(shared, &digest)).await?;
        let mut chunk_digests: Vec<_> = chunks.iter().map(message_of).collect();
        match trouble {
            Some(Trouble::Corrupt) => chunk_digests.reverse(),
            Some(Trouble::Truncate) => chunk_digests.truncate(chunk_digests.len() / 2),
            _ => {}
        }
        Ok(api::SplitBlobResponse { chunk_digests, chunking_function: FastCdc2020.into() })
    }

    /// As [`Service::split`], for clients of version 2.13.
    pub(super) async fn mapping(
        &self,
        request: api::GetChunkMappingRequest,
    ) -> Result<Mapping, Status> {
        let request = api::SplitBlobRequest {
            instance_name: request.instance_name,
            blob_digest: request.blob_digest,
            digest_function: request.digest_function,
            chunking_function: request.chunking_function,
        };
        let api::SplitBlobResponse { chunk_digests, chunking_function } =
            self.split(request).await?;
        let answer = api::GetChunkMappingResponse { chunk_digests, chunking_function };
        Ok(tokio_stream::once(Ok(answer)))
    }

    /// As [`Service::splice`], for clients of version 2.13.
    pub(super) async fn register(
        &self,
        mut messages: Streaming<api::RegisterChunkMappingRequest>,
    ) -> Result<api::RegisterChunkMappingResponse, Status> {
        let mut request: Option<api::SpliceBlobRequest> = None;
        while let Some(message) = self.next(&mut messages).await? {
            let request = request.get_or_insert_with(|| api::SpliceBlobRequest {
                instance_name: message.instance_name,
                blob_digest: message.blob_digest,
                chunk_digests: Vec::new(),
                digest_function: message.digest_function,
                chunking_function: message.chunking_function,
            });
            request.chunk_digests.extend(message.chunk_digests);
            if request.chunk_digests.len() > MAX_CHUNKS {
                let message = format!("the content has more than {MAX_CHUNKS} chunks");
                return Err(Status::invalid_argument(message));
            }
        }
        let request = request.ok_or_else(|| Status::invalid_argument("the stream is empty"))?;
        let blob_digest = self.splice(request).await?.blob_digest;
        Ok(api::RegisterChunkMappingResponse { blob_digest })
    }

    /// Puts a content together.
    pub(super) async fn splice(
        &self,
        request: api::SpliceBlobRequest,
    ) -> Result<api::SpliceBlobResponse, Status> {
        self.0.check(&request.instance_name, request.digest_function)?;
        self.check_able()?;
        self.0.check_writable()?;
        let digest = self.0.digest(request.blob_digest.as_ref())?;
        let chunks = request.chunk_digests.iter().map(|chunk| self.0.digest(Some(chunk)));
        let chunks: Vec<Digest> = chunks.collect::<Result<_, _>>()?;
        if size_of(&chunks) != digest.size() {
            let message = format!("the chunks have another size than {digest}");
            return Err(Status::invalid_argument(message));
        }
        if self.strike(Moment::Write, &digest).await? == Some(Trouble::DiskFull) {
            return Err(self.0.failed_io(&io::ErrorKind::StorageFull.into()));
        }
        self.blocking(move |shared| splice(shared, &digest, chunks)).await?;
        Ok(api::SpliceBlobResponse { blob_digest: request.blob_digest })
    }
}

fn split(shared: &Shared, digest: &Digest) -> Result<Arc<[Digest]>, Status> {
    let missing = || Status::not_found(format!("{digest} is not there"));
    if !shared.keeper().keep(digest)? {
        return Err(missing());
    }
    if digest.size() < CHUNKING.max() {
        return Ok(Arc::from([*digest]));
    }
    if let Some(chunks) = shared.chunks.of(digest) {
        return Ok(chunks);
    }
    let mut source = Hashed::open(shared, &Part::whole(digest))?.ok_or_else(missing)?;
    let chunks = CHUNKING.cut(shared.function(), &mut source);
    let chunks: Arc<[Digest]> = chunks.map_err(|error| shared.failed_io(&error))?.into();
    if source.hasher.finish() != *digest {
        return Err(shared.reject(digest));
    }
    if chunks.len() > MAX_CHUNKS || !shared.chunks.has_room(chunks.len()) {
        return Err(Status::not_found(format!("{digest} is too large to be split")));
    }
    shared.chunks.add(*digest, Arc::clone(&chunks));
    Ok(chunks)
}

fn splice(shared: &Shared, digest: &Digest, chunks: Vec<Digest>) -> Result<(), Status> {
    let keeper = shared.keeper();
    if keeper.keep(digest)? {
        return Ok(());
    }
    shared.check_room(digest.size())?;
    let writer = shared.options.store.writer(shared.options.durability);
    let writer = writer.map_err(|error| shared.failed(&error))?;
    let mut receiver = writer.receiver(false).map_err(|error| shared.failed(&error))?;
    for chunk in &chunks {
        append(&keeper, chunk, &mut receiver)?;
    }
    receiver.finish_as(*digest).map_err(|error| mismatch(shared, &error))?;
    writer.commit().map_err(|error| shared.failed(&error))?;
    shared.options.faults.heal(digest);
    // What others cut in another way they may not want to have.
    if CHUNKING.fits(&chunks) && chunks.len() <= MAX_CHUNKS {
        shared.chunks.add(*digest, chunks.into());
    }
    Ok(())
}

/// Adds a chunk to what is being put together, from wherever it is.
fn append(keeper: &Keeper<'_>, chunk: &Digest, receiver: &mut Receiver<'_>) -> Result<(), Status> {
    let shared = keeper.shared;
    let missing = || Status::not_found(format!("the chunk {chunk} is not there"));
    let trouble = shared.struck(Moment::Read, chunk);
    if let Some(status) = trouble.as_ref().and_then(Trouble::status) {
        return Err(status);
    }
    let part = if keeper.keep(chunk)? { Some(Part::whole(chunk)) } else { keeper.part(chunk)? };
    let part = part.ok_or_else(missing)?;
    let mut source = Hashed::open(shared, &part)?.ok_or_else(missing)?;
    receiver.copy(&mut source).map_err(|error| shared.failed_io(&error))?;
    if source.hasher.finish() != *chunk || trouble == Some(Trouble::Corrupt) {
        return Err(shared.reject(&part.content));
    }
    Ok(())
}

/// Hashes what is read.
struct Hashed {
    source: Take<File>,
    hasher: Hasher,
}

impl Hashed {
    fn open(shared: &Shared, part: &Part) -> Result<Option<Self>, Status> {
        let source = part.open(&shared.options.store).map_err(|error| shared.failed(&error))?;
        Ok(source.map(|source| Self { source, hasher: Hasher::new(shared.function()) }))
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
