//! Tests of the server over a real socket, with the plain clients of the API.

mod access;
mod actions;
mod chunks;
mod faults;
mod memo;
mod storage;
mod streams;

use super::{ServeOptions, Server};
use crate::cas::digest::Digest;
use crate::cas::remote::names::{Compression, ResourceName};
use crate::cas::store::{Durability, Store};
use crate::cas::testing::store;
use crate::cas::tree::message_of;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::bytestream as stream;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// The time at which every content in a store was written, as far as its inode says.
const SENTINEL: i64 = 946_684_800;

type Storage = api::content_addressable_storage_client::ContentAddressableStorageClient<Channel>;
type Streams = stream::byte_stream_client::ByteStreamClient<Channel>;
type Actions = api::action_cache_client::ActionCacheClient<Channel>;
type Capabilities = api::capabilities_client::CapabilitiesClient<Channel>;

/// A server over a new store, and a connection to it.
struct Bed {
    store: Store,
    server: Server,
    channel: Channel,
    _dir: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let (dir, store) = store();
        let mut options = ServeOptions::new(store.clone(), "127.0.0.1:0".parse().unwrap());
        options.durability = Durability::None;
        change(&mut options);
        let server = Server::start(options).unwrap();
        let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap();
        let channel = channel.connect().await.unwrap();
        Self { store, server, channel, _dir: dir }
    }

    fn storage(&self) -> Storage {
        Storage::new(self.channel.clone())
    }

    fn streams(&self) -> Streams {
        Streams::new(self.channel.clone())
    }

    fn actions(&self) -> Actions {
        Actions::new(self.channel.clone())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.channel.clone())
    }

    fn digest(&self, bytes: &[u8]) -> Digest {
        self.store.function().digest(bytes)
    }

    /// Puts a content into the store past the server.
    fn put(&self, bytes: &[u8]) -> Digest {
        let writer = self.store.writer(Durability::None).unwrap();
        let digest = writer.put(bytes, false).unwrap().digest;
        writer.commit().unwrap();
        digest
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.store.root().join("cas/sha256").join(&hex[..2]).join(hex)
    }

    /// Turns the last bit of a content, without a trace in its inode.
    fn damage(&self, digest: &Digest) {
        let path = self.path(digest);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        self.damage_in_place(digest);
    }

    /// The same, and without a trace in the directory: a bad disk.
    fn damage_in_place(&self, digest: &Digest) {
        let path = self.path(digest);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let untouched = SystemTime::UNIX_EPOCH + Duration::from_secs(SENTINEL.unsigned_abs());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o444)).unwrap();
        file.set_modified(untouched).unwrap();
    }

    /// A content that nobody has used for long.
    fn make_old(&self, digest: &Digest) {
        let long_ago = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
        let kept = Timespec { tv_sec: SENTINEL, tv_nsec: 0 };
        let times = Timestamps { last_access: long_ago, last_modification: kept };
        rustix::fs::utimensat(CWD, self.path(digest), &times, AtFlags::empty()).unwrap();
    }

    /// Whether a content counts as used just now.
    fn is_fresh(&self, digest: &Digest) -> bool {
        self.path(digest).metadata().unwrap().atime() > 1_700_000_000
    }

    /// How many files are being written.
    fn unfinished(&self) -> usize {
        std::fs::read_dir(self.store.root().join("tmp")).unwrap().count()
    }

    async fn read(&self, name: &ResourceName, offset: i64, limit: i64) -> Result<Vec<u8>, Status> {
        let (bytes, end) = self.read_pieces(name, offset, limit).await;
        end.map(|()| bytes)
    }

    /// What came of a content, and how that ended.
    async fn read_pieces(
        &self,
        name: &ResourceName,
        read_offset: i64,
        read_limit: i64,
    ) -> (Vec<u8>, Result<(), Status>) {
        let resource_name = name.to_string();
        let request = stream::ReadRequest { resource_name, read_offset, read_limit };
        let mut bytes = Vec::new();
        let mut pieces = match self.streams().read(request).await {
            Ok(response) => response.into_inner(),
            Err(status) => return (bytes, Err(status)),
        };
        loop {
            match pieces.message().await {
                Ok(Some(piece)) => bytes.extend(piece.data),
                Ok(None) => return (bytes, Ok(())),
                Err(status) => return (bytes, Err(status)),
            }
        }
    }

    /// Sends pieces from an offset on; gives the size that is answered.
    async fn write(
        &self,
        name: &ResourceName,
        offset: i64,
        pieces: &[&[u8]],
        is_finished: bool,
    ) -> Result<i64, Status> {
        let messages = messages(name, offset, pieces, is_finished);
        let response = self.streams().write(tokio_stream::iter(messages)).await?;
        Ok(response.into_inner().committed_size)
    }

    async fn status(&self, name: &ResourceName) -> Result<(i64, bool), Status> {
        let request = stream::QueryWriteStatusRequest { resource_name: name.to_string() };
        let status = self.streams().query_write_status(request).await?.into_inner();
        Ok((status.committed_size, status.complete))
    }

    async fn missing(&self, digests: &[Digest]) -> Result<Vec<api::Digest>, Status> {
        let request = api::FindMissingBlobsRequest {
            blob_digests: digests.iter().map(message_of).collect(),
            ..Default::default()
        };
        let response = self.storage().find_missing_blobs(request).await?;
        Ok(response.into_inner().missing_blob_digests)
    }

    /// Sends a batch; gives the codes that are answered.
    async fn update(
        &self,
        contents: &[(Digest, &[u8], api::compressor::Value)],
    ) -> Result<Vec<Code>, Status> {
        let requests = contents.iter().map(|(digest, data, compressor)| {
            api::batch_update_blobs_request::Request {
                digest: Some(message_of(digest)),
                data: data.to_vec(),
                compressor: (*compressor).into(),
            }
        });
        let request =
            api::BatchUpdateBlobsRequest { requests: requests.collect(), ..Default::default() };
        let response = self.storage().batch_update_blobs(request).await?.into_inner();
        let codes = response.responses.into_iter().map(|one| one.status.unwrap_or_default().code);
        Ok(codes.map(Code::from).collect())
    }

    async fn batch(
        &self,
        digests: &[Digest],
        compressors: Vec<i32>,
    ) -> Result<Vec<api::batch_read_blobs_response::Response>, Status> {
        let request = api::BatchReadBlobsRequest {
            digests: digests.iter().map(message_of).collect(),
            acceptable_compressors: compressors,
            ..Default::default()
        };
        Ok(self.storage().batch_read_blobs(request).await?.into_inner().responses)
    }
}

fn messages(
    name: &ResourceName,
    mut offset: i64,
    pieces: &[&[u8]],
    is_finished: bool,
) -> Vec<stream::WriteRequest> {
    let mut messages = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        messages.push(stream::WriteRequest {
            resource_name: if number == 0 { name.to_string() } else { String::new() },
            write_offset: offset,
            finish_write: is_finished && number + 1 == pieces.len(),
            data: piece.to_vec(),
        });
        offset += size(piece.len());
    }
    messages
}

/// A size as the API writes it.
fn size(bytes: usize) -> i64 {
    bytes.try_into().unwrap()
}

fn download(digest: Digest) -> ResourceName {
    ResourceName {
        instance: String::new(),
        upload: None,
        compression: Compression::Identity,
        function: crate::cas::digest::DigestFunction::Sha256,
        digest,
    }
}

fn upload(digest: Digest) -> ResourceName {
    ResourceName { upload: Some("0b0c".to_owned()), ..download(digest) }
}

fn compressed(name: ResourceName) -> ResourceName {
    ResourceName { compression: Compression::Zstd, ..name }
}

/// Bytes that compress a little, and differ everywhere.
fn noise(size: usize) -> Vec<u8> {
    (0..size as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Status>) -> Code {
    result.unwrap_err().code()
}

/// Waits until something holds that other threads bring about.
async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to hold");
}
