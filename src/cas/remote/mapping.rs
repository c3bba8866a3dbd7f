//! Asks a server how a content is cut, and tells it: in one message up to version 2.12 of the API, in streams from 2.13 on.
//! Touches the network.

use super::Remote;
use super::chunks::{Chunking, size_of};
use super::download::garbled;
use super::failure::{Failure, Outcome};
use super::line::contents;
use super::push::PAGE;
use super::work::{Work, count};
use crate::cas::digest::Digest;
use crate::cas::tree::{digest_of, message_of};
use api::chunking_function::Value::FastCdc2020;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use tonic::{Code, Response, Status};

impl Remote {
    /// Asks for the chunks of a content, which can be read from then on.
    pub(super) fn split(
        &self,
        work: &Work<'_>,
        chunking: Chunking,
        digest: &Digest,
    ) -> Outcome<Vec<Digest>> {
        let limit = self.line.patience_for(digest);
        let answer = work.persist(|_| {
            count(&work.counters.requests, 1);
            if self.capabilities.streams_chunks {
                self.line.ask_within(limit, |service| {
                    let request = self.mapping_request(digest);
                    async move {
                        let answer = contents(service).get_chunk_mapping(request).await?;
                        gather(answer.into_inner(), chunking.most(digest)).await
                    }
                })
            } else {
                let request = self.mapping_request(digest);
                let request = api::SplitBlobRequest {
                    instance_name: request.instance_name,
                    blob_digest: request.blob_digest,
                    digest_function: request.digest_function,
                    chunking_function: request.chunking_function,
                };
                let split = |service| async move { contents(service).split_blob(request).await };
                self.line.ask_within(limit, split)
            }
        })?;
        count(&work.counters.wire_bytes, answer.encoded_len() as u64);
        let chunks = answer.chunk_digests.iter().map(|chunk| digest_of(Some(chunk)));
        let chunks: Vec<Digest> = chunks
            .collect::<Result<_, _>>()
            .map_err(|refusal| garbled(digest, &format!("is said to have chunks: {refusal}")))?;
        let is_sane = chunks.iter().all(|chunk| (1..=chunking.max()).contains(&chunk.size()));
        if is_sane && size_of(&chunks) == digest.size() {
            return Ok(chunks);
        }
        Err(garbled(digest, "is said to have chunks of other sizes"))
    }

    fn mapping_request(&self, digest: &Digest) -> api::GetChunkMappingRequest {
        api::GetChunkMappingRequest {
            instance_name: self.instance(),
            blob_digest: Some(message_of(digest)),
            digest_function: self.function(),
            chunking_function: FastCdc2020.into(),
        }
    }

    /// Has the server put a content together from chunks that it has.
    pub(super) fn splice(
        &self,
        work: &Work<'_>,
        digest: &Digest,
        chunks: &[Digest],
    ) -> Outcome<()> {
        let request = api::SpliceBlobRequest {
            instance_name: self.instance(),
            blob_digest: Some(message_of(digest)),
            chunk_digests: chunks.iter().map(message_of).collect(),
            digest_function: self.function(),
            chunking_function: FastCdc2020.into(),
        };
        let limit = self.line.patience_for(digest);
        let answer = work.persist(|_| {
            count(&work.counters.requests, 1);
            count(&work.counters.wire_bytes, request.encoded_len() as u64);
            let request = request.clone();
            if self.capabilities.streams_chunks {
                self.line.ask_within(limit, |service| async move {
                    let pages = tokio_stream::iter(pages(request));
                    let answer = contents(service).register_chunk_mapping(pages).await?;
                    Ok(Response::new(answer.into_inner().blob_digest))
                })
            } else {
                self.line.ask_within(limit, |service| async move {
                    let answer = contents(service).splice_blob(request).await?;
                    Ok(Response::new(answer.into_inner().blob_digest))
                })
            }
        });
        match answer.map(|spliced| digest_of(spliced.as_ref())) {
            Ok(Ok(spliced)) if spliced == *digest => Ok(()),
            Ok(_) => Err(Failure::Garbled(format!("the server made something else of {digest}"))),
            Err(failure) if failure.code() == Some(Code::AlreadyExists) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// All chunks of a stream, if they are not more than so many.
async fn gather(
    mut stream: tonic::Streaming<api::GetChunkMappingResponse>,
    most: u64,
) -> Result<Response<api::SplitBlobResponse>, Status> {
    let mut all = api::SplitBlobResponse::default();
    while let Some(page) = stream.message().await? {
        all.chunk_digests.extend(page.chunk_digests);
        if all.chunk_digests.len() as u64 > most {
            return Err(Status::out_of_range("the content cannot have so many chunks"));
        }
    }
    Ok(Response::new(all))
}

/// The first says what all are about.
fn pages(request: api::SpliceBlobRequest) -> Vec<api::RegisterChunkMappingRequest> {
    let page = |chunks: &[api::Digest]| api::RegisterChunkMappingRequest {
        chunk_digests: chunks.to_vec(),
        ..Default::default()
    };
    let mut pages: Vec<_> = request.chunk_digests.chunks(PAGE).map(page).collect();
    if let Some(first) = pages.first_mut() {
        first.instance_name = request.instance_name;
        first.blob_digest = request.blob_digest;
        first.digest_function = match request.digest_function {
            // Streams have to say it.
            0 => api::digest_function::Value::Sha256.into(),
            function => function,
        };
        first.chunking_function = request.chunking_function;
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_go_in_pages() {
        let chunk = message_of(&Digest::new([7; 32], 7));
        let request = api::SpliceBlobRequest {
            instance_name: "main".into(),
            blob_digest: Some(chunk.clone()),
            chunk_digests: vec![chunk; PAGE + 1],
            digest_function: 0,
            chunking_function: FastCdc2020.into(),
        };
        let pages = pages(request.clone());
        let counts: Vec<usize> = pages.iter().map(|page| page.chunk_digests.len()).collect();
        assert_eq!(counts, [PAGE, 1]);
        assert!(pages[0].encoded_len() < 4 << 20);
        assert_eq!(
            (&pages[0].instance_name, &pages[0].blob_digest),
            (&request.instance_name, &request.blob_digest)
        );
        // The function has to be said.
        assert_eq!((pages[0].digest_function, pages[0].chunking_function), (1, 1));
        assert_eq!((&pages[1].blob_digest, pages[1].digest_function), (&None, 0));
    }
}
