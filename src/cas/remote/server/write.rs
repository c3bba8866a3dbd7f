//! Contents written as streams, and how far that got. Writes to the store.

use super::faults::{Moment, Trouble};
use super::read::Pieces;
use super::shared::{Service, Shared};
use super::uploads::Turn;
use crate::cas::remote::names::{Compression, ResourceName};
use bazel_remote_apis::google::bytestream as api;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

#[tonic::async_trait]
impl api::byte_stream_server::ByteStream for Service {
    type ReadStream = Pieces;

    async fn read(&self, request: Request<api::ReadRequest>) -> Result<Response<Pieces>, Status> {
        self.send(request.into_inner()).await.map(Response::new)
    }

    async fn write(
        &self,
        request: Request<Streaming<api::WriteRequest>>,
    ) -> Result<Response<api::WriteResponse>, Status> {
        let mut messages = request.into_inner();
        let first = self.next(&mut messages).await?;
        let first = first.ok_or_else(|| Status::invalid_argument("the stream is empty"))?;
        let name = self.upload_of(&first.resource_name)?;
        self.0.check_writable()?;
        let trouble = self.strike(Moment::Write, &name.digest).await?;
        let committed_size = match self.begin(&name, first.write_offset).await? {
            None if name.compression == Compression::Zstd => -1,
            None => name.digest.size().cast_signed(),
            Some(turn) => {
                let call = Call {
                    service: self,
                    turn: Arc::new(turn),
                    offset: first.write_offset,
                    is_full: trouble == Some(Trouble::DiskFull),
                };
                call.receive(first, messages).await?
            }
        };
        Ok(Response::new(api::WriteResponse { committed_size }))
    }

    async fn query_write_status(
        &self,
        request: Request<api::QueryWriteStatusRequest>,
    ) -> Result<Response<api::QueryWriteStatusResponse>, Status> {
        let name = self.upload_of(&request.get_ref().resource_name)?;
        let response = self.blocking(move |shared| {
            if shared.keeper().keep(&name.digest)? {
                let committed_size = name.digest.size().cast_signed();
                return Ok(api::QueryWriteStatusResponse { committed_size, complete: true });
            }
            let size = shared.uploads.size(&name);
            let size = size.ok_or_else(|| Status::not_found("no such upload was begun"))?;
            let committed_size = size.cast_signed();
            Ok(api::QueryWriteStatusResponse { committed_size, complete: false })
        });
        response.await.map(Response::new)
    }
}

impl Service {
    fn upload_of(&self, name: &str) -> Result<ResourceName, Status> {
        let name = self.0.resource(name)?;
        if name.upload.is_none() {
            return Err(Status::invalid_argument("the name is not that of an upload"));
        }
        Ok(name)
    }

    /// The next message of a client that is not too slow.
    pub(super) async fn next<T>(&self, messages: &mut Streaming<T>) -> Result<Option<T>, Status> {
        let next = tokio::time::timeout(self.0.options.idle, messages.message()).await;
        next.unwrap_or_else(|_| Err(Status::deadline_exceeded("nothing came for too long")))
    }

    /// Begins to write; `None` if the content is there.
    async fn begin(&self, name: &ResourceName, offset: i64) -> Result<Option<Turn>, Status> {
        let (name, service) = (name.clone(), self.clone());
        let begun = self.blocking(move |shared| {
            if shared.keeper().keep(&name.digest)? {
                return Ok(None);
            }
            shared.check_room(name.digest.size())?;
            let offset = u64::try_from(offset)
                .map_err(|_| Status::invalid_argument("the offset is negative"))?;
            Turn::begin(service, &name, offset).map(Some)
        });
        begun.await
    }
}

/// One stream that writes. However it ends, its upload is finished, given up, or left to be gone on with.
struct Call<'a> {
    service: &'a Service,
    turn: Arc<Turn>,
    /// What the next message has to say: for compressed contents too, this counts bytes as they are sent.
    offset: i64,
    is_full: bool,
}

impl Call<'_> {
    /// Takes all messages; gives the size to be answered.
    async fn receive(
        mut self,
        first: api::WriteRequest,
        mut messages: Streaming<api::WriteRequest>,
    ) -> Result<i64, Status> {
        let stream = first.resource_name.clone();
        let mut message = Some(first);
        while let Some(piece) = message {
            let is_last = piece.finish_write;
            self.take(piece, &stream).await.inspect_err(|_| self.turn.end())?;
            if is_last {
                self.turn.end();
                return Ok(self.offset);
            }
            message = self.service.next(&mut messages).await?;
        }
        // Where to go on.
        Ok(self.turn.size().cast_signed())
    }

    async fn take(&mut self, piece: api::WriteRequest, stream: &str) -> Result<(), Status> {
        if piece.write_offset != self.offset {
            let text = format!("the offset is {}, not {}", self.offset, piece.write_offset);
            return Err(Status::invalid_argument(text));
        }
        if !piece.resource_name.is_empty() && piece.resource_name != stream {
            return Err(Status::invalid_argument("the name changed on the way"));
        }
        self.service.pass(piece.data.len()).await;
        self.offset = self.offset.saturating_add_unsigned(piece.data.len() as u64);
        let (turn, is_full) = (Arc::clone(&self.turn), self.is_full);
        let push = move |_: &Shared| {
            turn.push(&piece.data, is_full)?;
            if piece.finish_write { turn.finish() } else { Ok(()) }
        };
        self.service.blocking(push).await
    }
}
