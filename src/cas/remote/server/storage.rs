//! Contents in batches, and what is missing of them. Reads and writes the store.

use super::faults::{Moment, Trouble};
use super::frames::{Decompressor, compressed};
use super::shared::{Keeper, Service, Shared, outcome};
use super::splice::Mapping;
use super::tree::Pages;
use super::uploads::mismatch;
use crate::cas::digest::Digest;
use crate::cas::store::Writer;
use crate::cas::tree::message_of;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use std::io::{self, Write};
use tonic::{Request, Response, Status, Streaming};

const IDENTITY: i32 = api::compressor::Value::Identity as i32;
const ZSTD: i32 = api::compressor::Value::Zstd as i32;

#[tonic::async_trait]
impl api::content_addressable_storage_server::ContentAddressableStorage for Service {
    type GetTreeStream = Pages;
    type GetChunkMappingStream = Mapping;

    async fn find_missing_blobs(
        &self,
        request: Request<api::FindMissingBlobsRequest>,
    ) -> Result<Response<api::FindMissingBlobsResponse>, Status> {
        let request = request.into_inner();
        self.0.check(&request.instance_name, request.digest_function)?;
        if let Some(first) = request.blob_digests.first() {
            self.strike(Moment::Ask, &self.0.digest(Some(first))?).await?;
        }
        let found = self.blocking(move |shared| {
            let keeper = shared.keeper();
            let mut missing_blob_digests = Vec::new();
            for message in request.blob_digests {
                if keeper.is_missing(&shared.digest(Some(&message))?)? {
                    missing_blob_digests.push(message);
                }
            }
            Ok(api::FindMissingBlobsResponse { missing_blob_digests })
        });
        found.await.map(Response::new)
    }

    async fn batch_update_blobs(
        &self,
        request: Request<api::BatchUpdateBlobsRequest>,
    ) -> Result<Response<api::BatchUpdateBlobsResponse>, Status> {
        let request = request.into_inner();
        self.0.check(&request.instance_name, request.digest_function)?;
        self.0.check_writable()?;
        let sizes = || request.requests.iter().map(|content| content.data.len());
        Shared::check_batch(sizes().map(|size| size as u64))?;
        self.pass(sizes().sum()).await;
        let mut incoming = Vec::new();
        for content in request.requests {
            let digest = self.0.digest(content.digest.as_ref())?;
            let trouble = self.trouble(Moment::Write, &digest).await?;
            incoming.push((digest, content, trouble));
        }
        let stored = self.blocking(move |shared| store_all(shared, &incoming));
        stored.await.map(Response::new)
    }

    async fn batch_read_blobs(
        &self,
        request: Request<api::BatchReadBlobsRequest>,
    ) -> Result<Response<api::BatchReadBlobsResponse>, Status> {
        let request = request.into_inner();
        self.0.check(&request.instance_name, request.digest_function)?;
        let mut digests = Vec::new();
        for message in &request.digests {
            digests.push(self.0.digest(Some(message))?);
        }
        Shared::check_batch(digests.iter().map(Digest::size))?;
        let mut wanted = Vec::new();
        for digest in digests {
            wanted.push((digest, self.trouble(Moment::Read, &digest).await?));
        }
        let takes_zstd = request.acceptable_compressors.contains(&ZSTD);
        let read = self.blocking(move |shared| {
            let keeper = shared.keeper();
            let read = |(digest, trouble)| {
                let read = read_bytes(shared, &keeper, &digest, trouble);
                answer(&digest, read, takes_zstd)
            };
            Ok(wanted.into_iter().map(read).collect::<Vec<_>>())
        });
        let responses = read.await?;
        self.pass(responses.iter().map(|response| response.data.len()).sum()).await;
        Ok(Response::new(api::BatchReadBlobsResponse { responses }))
    }

    async fn get_tree(
        &self,
        request: Request<api::GetTreeRequest>,
    ) -> Result<Response<Pages>, Status> {
        self.send_tree(request).await
    }

    async fn split_blob(
        &self,
        request: Request<api::SplitBlobRequest>,
    ) -> Result<Response<api::SplitBlobResponse>, Status> {
        self.split(request.into_inner()).await.map(Response::new)
    }

    async fn get_chunk_mapping(
        &self,
        request: Request<api::GetChunkMappingRequest>,
    ) -> Result<Response<Mapping>, Status> {
        self.mapping(request.into_inner()).await.map(Response::new)
    }

    async fn splice_blob(
        &self,
        request: Request<api::SpliceBlobRequest>,
    ) -> Result<Response<api::SpliceBlobResponse>, Status> {
        self.splice(request.into_inner()).await.map(Response::new)
    }

    async fn register_chunk_mapping(
        &self,
        request: Request<Streaming<api::RegisterChunkMappingRequest>>,
    ) -> Result<Response<api::RegisterChunkMappingResponse>, Status> {
        self.register(request.into_inner()).await.map(Response::new)
    }
}

impl Service {
    /// What goes wrong with one content of a batch: what concerns the call fails it as a whole.
    async fn trouble(&self, moment: Moment, digest: &Digest) -> Result<Option<Trouble>, Status> {
        match self.0.struck(moment, digest) {
            Some(Trouble::Stall(time)) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
            Some(trouble @ Trouble::Unavailable { .. }) => trouble.status().map_or(Ok(None), Err),
            trouble => Ok(trouble),
        }
    }
}

type Incoming = (Digest, api::batch_update_blobs_request::Request, Option<Trouble>);

/// Stores what can be stored; nothing of it can be seen before all of it is on the disk.
fn store_all(
    shared: &Shared,
    incoming: &[Incoming],
) -> Result<api::BatchUpdateBlobsResponse, Status> {
    let writer = shared.options.store.writer(shared.options.durability);
    let writer = writer.map_err(|error| shared.failed(&error))?;
    let outcomes: Vec<_> =
        incoming.iter().map(|content| store_one(shared, &writer, content)).collect();
    let committed = writer.commit().map_err(|error| shared.failed(&error)).map(|_| ());
    let responses = incoming.iter().zip(outcomes).map(|((digest, ..), stored)| {
        let stored = stored.and_then(|()| committed.clone());
        if stored.is_ok() {
            shared.options.faults.heal(digest);
        }
        api::batch_update_blobs_response::Response {
            digest: Some(message_of(digest)),
            status: Some(outcome(&stored)),
        }
    });
    Ok(api::BatchUpdateBlobsResponse { responses: responses.collect() })
}

fn store_one(
    shared: &Shared,
    writer: &Writer,
    (digest, content, trouble): &Incoming,
) -> Result<(), Status> {
    if let Some(status) = trouble.as_ref().and_then(Trouble::status) {
        return Err(status);
    }
    if *trouble == Some(Trouble::DiskFull) {
        return Err(shared.failed_io(&io::ErrorKind::StorageFull.into()));
    }
    shared.check_room(digest.size())?;
    if writer.has(digest).map_err(|error| shared.failed(&error))? {
        return Ok(());
    }
    let failed = |error| shared.failed_io(&error);
    let mut receiver = writer.receiver(false).map_err(|error| shared.failed(&error))?;
    match content.compressor {
        IDENTITY => receiver.write_all(&content.data).map_err(failed)?,
        ZSTD => {
            let too_much = || io::Error::other("it has more bytes than its digest says");
            let take = |bytes: &[u8]| {
                if receiver.size() + bytes.len() as u64 > digest.size() {
                    return Err(too_much());
                }
                receiver.write_all(bytes)
            };
            let mut decompressor = Decompressor::new().map_err(failed)?;
            decompressor.push(&content.data, take).map_err(|error| {
                Status::invalid_argument(format!("{digest} cannot be decompressed: {error}"))
            })?;
        }
        other => {
            let message = format!("this server knows no compressor {other}");
            return Err(Status::invalid_argument(message));
        }
    }
    receiver.finish_as(*digest).map_err(|error| mismatch(shared, &error))?;
    Ok(())
}

fn answer(
    digest: &Digest,
    read: Result<Vec<u8>, Status>,
    takes_zstd: bool,
) -> api::batch_read_blobs_response::Response {
    let status = outcome(&read.as_ref().map(|_| ()).map_err(Clone::clone));
    let mut response = api::batch_read_blobs_response::Response {
        digest: Some(message_of(digest)),
        status: Some(status),
        ..Default::default()
    };
    if let Ok(bytes) = read {
        let frame = takes_zstd.then(|| compressed(&bytes)).flatten();
        response.compressor = if frame.is_some() { ZSTD } else { IDENTITY };
        response.data = frame.unwrap_or(bytes);
    }
    response
}

fn read_bytes(
    shared: &Shared,
    keeper: &Keeper<'_>,
    digest: &Digest,
    trouble: Option<Trouble>,
) -> Result<Vec<u8>, Status> {
    if let Some(status) = trouble.as_ref().and_then(Trouble::status) {
        return Err(status);
    }
    let missing = || Status::not_found(format!("{digest} is not there"));
    let read = if keeper.keep(digest)? {
        shared.options.store.read(digest).map_err(|error| shared.failed(&error))?
    } else {
        keeper.chunk(digest)?
    };
    let mut bytes = read.ok_or_else(missing)?;
    match trouble {
        Some(Trouble::Corrupt) => bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1),
        Some(Trouble::Truncate) => bytes.truncate(bytes.len() / 2),
        _ => {}
    }
    Ok(bytes)
}
