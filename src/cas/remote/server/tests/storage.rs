//! Contents in batches, what is missing, and trees.

use super::*;
use crate::cas::tree::Directory;
use api::compressor::Value::{Deflate, Identity, Zstd};
use prost::Message;

#[tokio::test]
async fn batches_go_both_ways_each_content_for_itself() {
    let bed = Bed::new().await;
    let (text, noise) = (vec![b'a'; 10_000], noise(10_000));
    let (one, other, wrong) = (bed.digest(&text), bed.digest(&noise), bed.digest(b"wrong"));
    let frame = zstd::bulk::compress(&text, 3).unwrap();
    let empty = bed.digest(b"");
    let all = [one, other, wrong, empty];
    assert_eq!(bed.missing(&all).await.unwrap().len(), 3);
    let codes = bed
        .update(&[
            (one, &frame, Zstd),
            (other, &noise, Identity),
            (wrong, b"other", Identity),
            (wrong, b"no frame", Zstd),
            (wrong, &frame, Zstd),
            (wrong, b"wrong", Deflate),
            (empty, b"", Identity),
        ])
        .await
        .unwrap();
    let (good, bad, gone) = (Code::Ok, Code::InvalidArgument, Code::NotFound);
    assert_eq!(codes, [good, good, bad, bad, bad, bad, good]);
    assert_eq!(bed.missing(&all).await.unwrap(), [message_of(&wrong)]);
    assert_eq!(bed.unfinished(), 0);
    let read = bed.batch(&all, vec![Zstd.into()]).await.unwrap();
    let codes: Vec<Code> =
        read.iter().map(|one| Code::from(one.status.clone().unwrap().code)).collect();
    assert_eq!(codes, [good, good, gone, good]);
    assert_eq!(read[0].compressor, i32::from(Zstd));
    assert_eq!(zstd::bulk::decompress(&read[0].data, 10_000).unwrap(), text);
    let plain = bed.batch(&all, Vec::new()).await.unwrap();
    assert_eq!((&plain[0].data, &plain[1].data), (&text, &noise));
    bed.damage(&one);
    let read = bed.batch(&[one], Vec::new()).await.unwrap();
    assert_eq!(Code::from(read[0].status.clone().unwrap().code), gone);
}

#[tokio::test]
async fn batches_over_the_limit_are_refused_whole() {
    let bed = Bed::new().await;
    let half = noise(3 << 20);
    let digest = bed.digest(&half);
    let refused = bed.update(&[(digest, &half, Identity), (digest, &half, Identity)]).await;
    assert_eq!(code(refused), Code::InvalidArgument);
    assert!(!bed.store.contains(&digest).unwrap());
    // Claims alone are added up, however large.
    let huge = Digest::new([1; 32], i64::MAX.unsigned_abs());
    assert_eq!(code(bed.batch(&[huge, huge, huge], Vec::new()).await), Code::InvalidArgument);
    let long = vec![digest; 20_000];
    assert_eq!(bed.missing(&long).await.unwrap().len(), 20_000);
}

#[tokio::test]
async fn what_a_client_is_promised_counts_as_used() {
    let bed = Bed::new().await;
    let digest = bed.put(b"old");
    let make_old = || bed.make_old(&digest);
    let is_fresh = || bed.is_fresh(&digest);
    make_old();
    assert_eq!(bed.missing(&[digest]).await.unwrap(), []);
    assert!(is_fresh());
    make_old();
    bed.read(&download(digest), 0, 0).await.unwrap();
    assert!(is_fresh());
    make_old();
    bed.batch(&[digest], Vec::new()).await.unwrap();
    assert!(is_fresh());
    make_old();
    assert_eq!(bed.write(&upload(digest), 0, &[b"old"], true).await.unwrap(), 3);
    assert!(is_fresh());
}

#[tokio::test]
async fn messages_that_make_no_sense_are_refused() {
    let bed = Bed::with(|options| options.instance = "a/b".to_owned()).await;
    let ask = |instance_name: &str, digest: api::Digest, digest_function: i32| {
        let request = api::FindMissingBlobsRequest {
            instance_name: instance_name.to_owned(),
            blob_digests: vec![digest],
            digest_function,
        };
        let mut storage = bed.storage();
        async move { storage.find_missing_blobs(request).await }
    };
    let digest = message_of(&bed.digest(b"x"));
    assert!(ask("a/b", digest.clone(), 0).await.is_ok());
    assert!(ask("a/b", digest.clone(), 1).await.is_ok());
    let refused = ask("b", digest.clone(), 0).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("`a/b`, not `b`"), "{refused}");
    assert_eq!(code(ask("a/b", digest, 9).await), Code::InvalidArgument);
    let short = api::Digest { hash: "ab".to_owned(), size_bytes: 1 };
    assert_eq!(code(ask("a/b", short, 0).await), Code::InvalidArgument);
    let negative = api::Digest { size_bytes: -1, ..message_of(&bed.digest(b"x")) };
    assert_eq!(code(ask("a/b", negative, 0).await), Code::InvalidArgument);
}

/// A directory of directories; gives its encoding.
fn directory(below: &[(&str, Digest)]) -> api::Directory {
    let directories = below.iter().map(|(name, digest)| api::DirectoryNode {
        name: (*name).to_owned(),
        digest: Some(message_of(digest)),
    });
    api::Directory { directories: directories.collect(), ..Default::default() }
}

#[tokio::test]
async fn trees_come_in_pages_each_directory_once() {
    let bed = Bed::new().await;
    let leaf = bed.put(&Directory::default().encode());
    let one = directory(&[("x", leaf)]);
    let other = directory(&[("y", leaf), ("z", leaf)]);
    let gone = bed.digest(b"gone");
    let put = |directory: &api::Directory| bed.put(&directory.encode_to_vec());
    let root = directory(&[("a", put(&one)), ("b", put(&other)), ("c", gone)]);
    let digest = put(&root);
    let ask = |page_size, page_token: &str, digest: Digest| {
        let request = api::GetTreeRequest {
            root_digest: Some(message_of(&digest)),
            page_size,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let mut storage = bed.storage();
        async move {
            let mut stream = storage.get_tree(request).await?.into_inner();
            let mut pages = Vec::new();
            while let Some(page) = stream.message().await? {
                pages.push(page);
            }
            Ok::<_, Status>(pages)
        }
    };
    // What is missing is left out; the empty directory is the empty content.
    let expected = [root.clone(), one, other, api::Directory::default()];
    let pages = ask(0, "", digest).await.unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].directories, expected);
    let pages = ask(2, "", digest).await.unwrap();
    let all: Vec<_> = pages.iter().flat_map(|page| page.directories.clone()).collect();
    assert_eq!(all, expected);
    let token = &pages[0].next_page_token;
    assert!(pages.last().unwrap().next_page_token.is_empty());
    let rest = ask(2, token, digest).await.unwrap();
    assert_eq!(rest[0].directories, expected[2..]);
    assert_eq!(code(ask(0, "x", digest).await), Code::InvalidArgument);
    assert_eq!(code(ask(0, "", gone).await), Code::NotFound);
    let text = bed.put(b"no directory");
    assert_eq!(code(ask(0, "", text).await), Code::InvalidArgument);
}
