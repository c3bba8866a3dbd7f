//! Large contents in chunks.

use super::*;
use crate::cas::remote::chunks::{Chunking, size_of};
use crate::cas::testing::pseudo_random;
use crate::cas::tree::digest_of;
use api::compressor::Value::Identity;

/// Bytes of a content that is cut.
const LARGE: usize = 4 << 20;

impl Bed {
    async fn split(&self, digest: &Digest) -> Result<Vec<Digest>, Status> {
        let request =
            api::SplitBlobRequest { blob_digest: Some(message_of(digest)), ..Default::default() };
        let answer = self.storage().split_blob(request).await?.into_inner();
        Ok(answer.chunk_digests.iter().map(|chunk| digest_of(Some(chunk)).unwrap()).collect())
    }

    async fn splice(&self, digest: &Digest, chunks: &[Digest]) -> Result<(), Status> {
        let request = api::SpliceBlobRequest {
            blob_digest: Some(message_of(digest)),
            chunk_digests: chunks.iter().map(message_of).collect(),
            ..Default::default()
        };
        let answer = self.storage().splice_blob(request).await?.into_inner();
        assert_eq!(answer.blob_digest, Some(message_of(digest)));
        Ok(())
    }

    async fn first_byte(&self, digest: &Digest) -> Result<u8, Code> {
        let read = self.batch(&[*digest], Vec::new()).await.unwrap().remove(0);
        let code = Code::from(read.status.unwrap().code);
        if code == Code::Ok { Ok(read.data[0]) } else { Err(code) }
    }
}

/// A content, and its chunks with their bytes.
fn cut(seed: u64) -> (Vec<u8>, Vec<(Digest, Vec<u8>)>) {
    let bytes = pseudo_random(seed, LARGE);
    let function = crate::cas::digest::DigestFunction::Sha256;
    let chunks = Chunking::RECOMMENDED.cut(function, bytes.as_slice()).unwrap();
    let mut rest = bytes.as_slice();
    let piece = |chunk: Digest| {
        let (piece, after) = rest.split_at(chunk.size().try_into().unwrap());
        rest = after;
        (chunk, piece.to_vec())
    };
    let chunks = chunks.into_iter().map(piece).collect();
    (bytes, chunks)
}

#[tokio::test]
async fn chunks_are_read_out_of_their_content_and_go_with_it() {
    let bed = Bed::new().await;
    let (bytes, cut) = cut(1);
    let chunks: Vec<Digest> = cut.iter().map(|(chunk, _)| *chunk).collect();
    let digest = bed.put(&bytes);
    assert_eq!(bed.missing(&chunks).await.unwrap().len(), chunks.len());
    for _ in 0..2 {
        assert_eq!(bed.split(&digest).await.unwrap(), chunks);
    }
    assert_eq!(size_of(&chunks), bytes.len() as u64);
    let (chunk, piece) = &cut[1];
    bed.make_old(&digest);
    assert_eq!(bed.missing(&chunks).await.unwrap(), []);
    assert!(bed.is_fresh(&digest));
    bed.make_old(&digest);
    assert_eq!(bed.batch(&[*chunk], Vec::new()).await.unwrap()[0].data, *piece);
    assert!(bed.is_fresh(&digest));
    assert_eq!(bed.read(&download(*chunk), 0, 0).await.unwrap(), *piece);
    assert_eq!(bed.read(&download(*chunk), 100, 10).await.unwrap(), piece[100..110]);
    // Nothing is stored twice.
    assert!(!bed.store.contains(chunk).unwrap());
    // Other sizes are other names.
    let other = Digest::new(*chunk.hash(), chunk.size() - 1);
    assert_eq!(bed.missing(&[other]).await.unwrap().len(), 1);
    let small = bed.put(b"small");
    assert_eq!(bed.split(&small).await.unwrap(), [small]);
    std::fs::remove_file(bed.path(&digest)).unwrap();
    assert_eq!(bed.missing(&chunks).await.unwrap().len(), chunks.len());
    assert_eq!(bed.first_byte(chunk).await, Err(Code::NotFound));
    assert_eq!(code(bed.read(&download(*chunk), 0, 0).await), Code::NotFound);
    assert_eq!(code(bed.split(&digest).await), Code::NotFound);
}

#[tokio::test]
async fn a_content_is_put_together_from_what_came_and_what_was_there() {
    let bed = Bed::new().await;
    let (bytes, cut) = cut(2);
    let digest = bed.digest(&bytes);
    let chunks: Vec<Digest> = cut.iter().map(|(chunk, _)| *chunk).collect();
    // A content that ends alike.
    let mut old = pseudo_random(3, 1 << 20);
    old.extend(&bytes[usize::try_from(chunks[0].size()).unwrap()..]);
    let old = bed.put(&old);
    assert!(bed.split(&old).await.unwrap().contains(&chunks[2]));
    let missing: Vec<_> = bed.missing(&chunks).await.unwrap();
    assert!(!missing.is_empty() && missing.len() < chunks.len(), "{}", missing.len());
    assert_eq!(code(bed.splice(&digest, &chunks).await), Code::NotFound);
    for (chunk, piece) in cut.iter().filter(|(chunk, _)| missing.contains(&message_of(chunk))) {
        assert_eq!(bed.update(&[(*chunk, piece, Identity)]).await.unwrap(), [Code::Ok]);
    }
    let mut turned = chunks.clone();
    turned.reverse();
    assert_eq!(code(bed.splice(&digest, &turned).await), Code::InvalidArgument);
    assert_eq!(code(bed.splice(&digest, &chunks[1..]).await), Code::InvalidArgument);
    assert!(!bed.store.contains(&digest).unwrap());
    bed.splice(&digest, &chunks).await.unwrap();
    assert_eq!(bed.store.read(&digest).unwrap().unwrap(), bytes);
    // What is there is not made again.
    bed.splice(&digest, &turned).await.unwrap();
    // The chunks that came are not needed any more.
    for message in &missing {
        std::fs::remove_file(bed.path(&digest_of(Some(message)).unwrap())).unwrap();
    }
    std::fs::remove_file(bed.path(&old)).unwrap();
    assert_eq!(bed.missing(&chunks).await.unwrap(), []);
    assert_eq!(bed.split(&digest).await.unwrap(), chunks);
    assert_eq!(bed.unfinished(), 0);
}

#[tokio::test]
async fn lists_go_in_streams_too() {
    let bed = Bed::new().await;
    let (bytes, cut) = cut(7);
    let digest = bed.digest(&bytes);
    let page = |blob_digest, pieces: &[(Digest, Vec<u8>)]| api::RegisterChunkMappingRequest {
        blob_digest,
        chunk_digests: pieces.iter().map(|(chunk, _)| message_of(chunk)).collect(),
        ..Default::default()
    };
    let first = || page(Some(message_of(&digest)), &cut[..2]);
    let register = |pages: Vec<api::RegisterChunkMappingRequest>| {
        let mut storage = bed.storage();
        async move { storage.register_chunk_mapping(tokio_stream::iter(pages)).await }
    };
    let whole = || vec![first(), page(None, &[]), page(None, &cut[2..])];
    assert_eq!(code(register(whole()).await), Code::NotFound);
    for (chunk, piece) in &cut {
        assert_eq!(bed.put(piece), *chunk);
    }
    assert_eq!(code(register(vec![]).await), Code::InvalidArgument);
    assert_eq!(code(register(vec![first()]).await), Code::InvalidArgument);
    let answer = register(whole()).await.unwrap().into_inner();
    assert_eq!(answer.blob_digest, Some(message_of(&digest)));
    assert_eq!(bed.store.read(&digest).unwrap().unwrap(), bytes);
    let request = api::GetChunkMappingRequest {
        blob_digest: Some(message_of(&digest)),
        ..Default::default()
    };
    let mut pages = bed.storage().get_chunk_mapping(request).await.unwrap().into_inner();
    let answer = pages.message().await.unwrap().unwrap();
    assert!(answer.chunk_digests.iter().eq(&page(None, &cut).chunk_digests));
    assert_eq!(answer.chunking_function, 1);
    assert!(pages.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_damaged_content_gives_no_chunks() {
    let bed = Bed::new().await;
    let (bytes, cut) = cut(4);
    let digest = bed.put(&bytes);
    bed.split(&digest).await.unwrap();
    bed.damage(&digest);
    // What is still right is served; what is not takes the content out.
    assert_eq!(bed.first_byte(&cut[0].0).await, Ok(bytes[0]));
    assert_eq!(bed.first_byte(&cut.last().unwrap().0).await, Err(Code::DataLoss));
    assert!(!bed.store.contains(&digest).unwrap());
    assert_eq!(bed.first_byte(&cut[0].0).await, Err(Code::NotFound));
    let again = bed.put(&bytes);
    bed.damage(&again);
    assert_eq!(code(bed.split(&again).await), Code::DataLoss);
}

#[tokio::test]
async fn a_chunk_that_is_named_stays_when_its_content_goes() {
    let bed = Bed::new().await;
    let (bytes, cut) = cut(5);
    let digest = bed.put(&bytes);
    bed.split(&digest).await.unwrap();
    let chunk = cut[1].0;
    let named = actions::file("chunk", &chunk);
    let directory = api::Directory { files: vec![named], ..Default::default() };
    let root = bed.put(&prost::Message::encode_to_vec(&directory));
    let result = api::ActionResult {
        output_directories: vec![api::OutputDirectory {
            root_directory_digest: Some(message_of(&root)),
            ..Default::default()
        }],
        ..Default::default()
    };
    let action = bed.digest(b"action");
    bed.keep(&action, &result).await;
    assert_eq!(bed.result(&action).await.unwrap(), result);
    std::fs::remove_file(bed.path(&digest)).unwrap();
    assert!(bed.store.read(&chunk).unwrap().is_some());
    assert_eq!(bed.result(&action).await.unwrap(), result);
}

#[tokio::test]
async fn who_may_only_read_can_split() {
    let bed = Bed::with(|options| options.is_read_only = true).await;
    let (bytes, cut) = cut(6);
    let digest = bed.put(&bytes);
    assert_eq!(bed.split(&digest).await.unwrap().len(), cut.len());
    assert_eq!(code(bed.splice(&digest, &[digest]).await), Code::PermissionDenied);
}
