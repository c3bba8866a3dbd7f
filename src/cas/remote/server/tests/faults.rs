//! What goes wrong on purpose goes wrong as it is meant to.

use super::super::faults::{FOREVER, Faults, Trouble};
use super::*;
use api::compressor::Value::Identity;
use std::time::Instant;

async fn bed(trouble: Trouble, times: u32) -> (Bed, Faults) {
    let faults = Faults::seeded(1).with(trouble, 1000, times);
    let planned = faults.clone();
    (Bed::with(|options| options.faults = planned).await, faults)
}

#[tokio::test]
async fn a_lost_content_is_there_until_it_is_read() {
    let (bed, faults) = bed(Trouble::Lose, FOREVER).await;
    let digest = bed.put(b"lost");
    assert!(bed.missing(&[digest]).await.unwrap().is_empty());
    assert_eq!(code(bed.read(&download(digest), 0, 0).await), Code::NotFound);
    assert_eq!(bed.missing(&[digest]).await.unwrap().len(), 1);
    let read = bed.batch(&[digest], Vec::new()).await.unwrap();
    assert_eq!(Code::from(read[0].status.clone().unwrap().code), Code::NotFound);
    assert_eq!(faults.count(), 2);
    assert_eq!(bed.update(&[(digest, b"lost", Identity)]).await.unwrap(), [Code::Ok]);
    assert!(bed.missing(&[digest]).await.unwrap().is_empty());
    assert_eq!(bed.read(&download(digest), 0, 0).await.unwrap(), b"lost");
}

#[tokio::test]
async fn a_content_can_be_lost_once() {
    let (bed, faults) = bed(Trouble::Lose, 1).await;
    let digest = bed.put(b"lost");
    assert_eq!(code(bed.read(&download(digest), 0, 0).await), Code::NotFound);
    assert!(bed.missing(&[digest]).await.unwrap().is_empty());
    assert_eq!(bed.read(&download(digest), 0, 0).await.unwrap(), b"lost");
    assert_eq!(faults.count(), 1);
}

#[tokio::test]
async fn corrupt_contents_are_of_the_right_size() {
    let (bed, _) = bed(Trouble::Corrupt, FOREVER).await;
    for bytes in [noise(100), noise(3 << 20)] {
        let digest = bed.put(&bytes);
        let read = bed.read(&download(digest), 0, 0).await.unwrap();
        assert!(read.len() == bytes.len() && read != bytes);
        let frame = bed.read(&compressed(download(digest)), 0, 0).await.unwrap();
        let read = zstd::stream::decode_all(frame.as_slice()).unwrap();
        assert!(read.len() == bytes.len() && read != bytes);
        if bytes.len() < 1000 {
            assert_ne!(bed.batch(&[digest], Vec::new()).await.unwrap()[0].data, bytes);
        }
    }
}

#[tokio::test]
async fn truncated_streams_end_as_if_that_were_all() {
    let (bed, _) = bed(Trouble::Truncate, FOREVER).await;
    for bytes in [noise(100), noise(3 << 20)] {
        let read = bed.read(&download(bed.put(&bytes)), 0, 0).await.unwrap();
        assert!(read.len() < bytes.len());
    }
    let digest = bed.put(b"0123");
    assert_eq!(bed.batch(&[digest], Vec::new()).await.unwrap()[0].data, b"01");
}

#[tokio::test]
async fn stalls_take_their_time() {
    let time = Duration::from_millis(100);
    let (bed, _) = bed(Trouble::Stall(time), 1).await;
    let bytes = noise(3 << 20);
    let digest = bed.put(&bytes);
    let start = Instant::now();
    assert_eq!(bed.read(&download(digest), 0, 0).await.unwrap().len(), bytes.len());
    assert!(start.elapsed() >= time);
    let start = Instant::now();
    assert_eq!(bed.missing(&[bed.digest(b"other")]).await.unwrap().len(), 1);
    assert!(start.elapsed() >= time);
}

#[tokio::test]
async fn exhausted_and_unavailable_are_answers() {
    let (exhausted, _) = bed(Trouble::Exhausted, 1).await;
    let digest = exhausted.digest(b"x");
    let upload = upload(digest);
    let answer = exhausted.write(&upload, 0, &[b"x"], true).await;
    assert_eq!(code(answer), Code::ResourceExhausted);
    assert_eq!(exhausted.write(&upload, 0, &[b"x"], true).await.unwrap(), 1);

    let retry_after = Duration::from_millis(1500);
    let (unavailable, _) = bed(Trouble::Unavailable { retry_after }, 1).await;
    let answer = unavailable.update(&[(digest, b"x", Identity)]).await.unwrap_err();
    assert_eq!(answer.code(), Code::Unavailable);
    // 1 s and 500,000,000 ns, in `RetryInfo.retry_delay`.
    let delay = b"google.rpc.RetryInfo\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01";
    assert!(answer.details().ends_with(delay), "{:?}", answer.details());
    assert_eq!(unavailable.update(&[(digest, b"x", Identity)]).await.unwrap(), [Code::Ok]);
}

#[tokio::test]
async fn a_full_disk_damages_nothing() {
    let (bed, faults) = bed(Trouble::DiskFull, 1).await;
    let bytes = noise(100_000);
    let digest = bed.digest(&bytes);
    assert_eq!(code(bed.write(&upload(digest), 0, &[&bytes], true).await), Code::ResourceExhausted);
    assert_eq!(bed.unfinished(), 0);
    assert_eq!(bed.missing(&[digest]).await.unwrap().len(), 1);
    assert_eq!(bed.write(&upload(digest), 0, &[&bytes], true).await.unwrap(), 100_000);
    let other = bed.digest(b"other");
    let codes = bed.update(&[(other, b"other", Identity)]).await.unwrap();
    assert_eq!(codes, [Code::ResourceExhausted]);
    assert_eq!(bed.update(&[(other, b"other", Identity)]).await.unwrap(), [Code::Ok]);
    assert_eq!(faults.count(), 2);
}

#[tokio::test]
async fn a_server_dies_when_it_is_told_to() {
    let faults = Faults::seeded(1).dying_after_requests(2);
    let bed = Bed::with(|options| options.faults = faults).await;
    let digest = bed.put(b"x");
    assert!(bed.missing(&[digest]).await.is_ok());
    assert!(bed.missing(&[digest]).await.is_ok());
    assert!(bed.missing(&[digest]).await.is_err());
    bed.server.wait().unwrap();

    let faults = Faults::seeded(1).dying_after_bytes(1 << 20);
    let bed = Bed::with(|options| options.faults = faults).await;
    let digest = bed.put(&noise(3 << 20));
    let (got, end) = bed.read_pieces(&download(digest), 0, 0).await;
    assert!(end.is_err() && got.len() <= 1 << 20);
    bed.server.wait().unwrap();
}
