//! Contents in streams: read, written, resumed, damaged.

use super::*;

#[tokio::test]
async fn what_is_written_in_pieces_is_read_in_parts() {
    let bed = Bed::new().await;
    let bytes = noise(3 << 20);
    let digest = bed.digest(&bytes);
    let name = upload(digest);
    assert_eq!(code(bed.status(&name).await), Code::NotFound);
    let pieces: Vec<&[u8]> = bytes.chunks(700_000).collect();
    assert_eq!(bed.write(&name, 0, &pieces, true).await.unwrap(), 3 << 20);
    assert_eq!(bed.status(&name).await.unwrap(), (3 << 20, true));
    assert_eq!(bed.store.read(&digest).unwrap().unwrap(), bytes);
    assert_eq!(bed.unfinished(), 0);
    let whole = download(digest);
    for (offset, limit) in
        [(0, 0), (0, 5), (1 << 20, 0), (100, 2 << 20), (3 << 20, 0), (0, 9 << 20)]
    {
        let rest = &bytes[offset..];
        let most = if limit == 0 { rest.len() } else { rest.len().min(limit) };
        let read = bed.read(&whole, size(offset), size(limit)).await.unwrap();
        assert!(read == rest[..most], "{offset} {limit}");
    }
    // Small ones and the empty one go the same way.
    let small = bed.put(b"0123456789");
    assert_eq!(bed.read(&download(small), 3, 4).await.unwrap(), b"3456");
    let empty = bed.digest(b"");
    assert_eq!(bed.read(&download(empty), 0, 0).await.unwrap(), b"");
    assert_eq!(bed.write(&upload(empty), 0, &[b""], true).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_there_already_is_not_taken_again() {
    let bed = Bed::new().await;
    let digest = bed.put(&noise(100_000));
    assert_eq!(bed.write(&upload(digest), 0, &[b"whatever"], false).await.unwrap(), 100_000);
    assert_eq!(bed.write(&compressed(upload(digest)), 0, &[b"?"], false).await.unwrap(), -1);
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on_where_it_was() {
    let bed = Bed::new().await;
    let bytes = noise(100_000);
    let digest = bed.digest(&bytes);
    let name = upload(digest);
    // Ended by the client in good order.
    assert_eq!(bed.write(&name, 0, &[&bytes[..10_000]], false).await.unwrap(), 10_000);
    assert_eq!(bed.status(&name).await.unwrap(), (10_000, false));
    assert_eq!(bed.missing(&[digest]).await.unwrap().len(), 1);
    // Broken off.
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let mut streams = bed.streams();
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let call = tokio::spawn(async move { streams.write(stream).await });
    for message in messages(&name, 10_000, &[&bytes[10_000..30_000]], false) {
        sender.send(message).await.unwrap();
    }
    came(&bed, &name, 30_000).await;
    call.abort();
    assert_eq!(code(bed.write(&name, 20_000, &[b"x"], false).await), Code::OutOfRange);
    assert_eq!(code(bed.write(&name, -1, &[b"x"], false).await), Code::InvalidArgument);
    assert_eq!(bed.write(&name, 30_000, &[&bytes[30_000..]], true).await.unwrap(), 100_000);
    assert_eq!(bed.store.read(&digest).unwrap().unwrap(), bytes);
    eventually(|| bed.unfinished() == 0).await;
    // One that nobody began cannot be gone on with, and leaves nothing.
    let other = upload(bed.digest(b"other"));
    assert_eq!(code(bed.write(&other, 2, &[b"her"], true).await), Code::OutOfRange);
    assert_eq!(bed.unfinished(), 0);
}

/// Waits until so many bytes of an upload have come.
async fn came(bed: &Bed, name: &ResourceName, size: i64) {
    while bed.status(name).await.ok() != Some((size, false)) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn an_upload_can_begin_anew_and_be_taken_over() {
    let bed = Bed::new().await;
    let bytes = noise(50_000);
    let name = upload(bed.digest(&bytes));
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let mut streams = bed.streams();
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let stale = tokio::spawn(async move { streams.write(stream).await });
    let pieces = messages(&name, 0, &[b"wrong", b"more"], true);
    sender.send(pieces[0].clone()).await.unwrap();
    came(&bed, &name, 5).await;
    assert_eq!(bed.write(&name, 0, &[&bytes[..20_000]], false).await.unwrap(), 20_000);
    sender.send(pieces[1].clone()).await.unwrap();
    assert_eq!(code(stale.await.unwrap()), Code::Aborted);
    assert_eq!(bed.write(&name, 20_000, &[&bytes[20_000..]], true).await.unwrap(), 50_000);
}

#[tokio::test]
async fn what_is_not_what_it_claims_is_refused_and_leaves_nothing() {
    let bed = Bed::with(|options| options.max_blob = 1 << 20).await;
    let digest = bed.digest(b"right");
    let name = upload(digest);
    assert_eq!(code(bed.write(&name, 0, &[b"wrong"], true).await), Code::InvalidArgument);
    assert_eq!(code(bed.write(&name, 0, &[b"rig"], true).await), Code::InvalidArgument);
    assert_eq!(code(bed.write(&name, 0, &[b"right", b"!"], true).await), Code::InvalidArgument);
    assert_eq!(code(bed.status(&name).await), Code::NotFound);
    // The claim alone is enough.
    let huge = Digest::new(*digest.hash(), 10 << 30);
    let refused = bed.write(&upload(huge), 0, &[b"x"], false).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("1048576"), "{refused}");
    let mut wrong = messages(&name, 0, &[b"ri", b"ght"], true);
    wrong[1].write_offset = 3;
    let refused = bed.streams().write(tokio_stream::iter(wrong)).await;
    assert_eq!(code(refused), Code::InvalidArgument);
    let mut wrong = messages(&name, 0, &[b"ri", b"ght"], true);
    wrong[1].resource_name = upload(huge).to_string();
    let refused = bed.streams().write(tokio_stream::iter(wrong)).await;
    assert_eq!(code(refused), Code::InvalidArgument);
    assert_eq!(code(bed.streams().write(tokio_stream::empty()).await), Code::InvalidArgument);
    assert_eq!(bed.unfinished(), 0);
    assert!(!bed.store.contains(&digest).unwrap());
}

#[tokio::test]
async fn what_the_disk_has_no_room_for_is_refused_by_its_claim() {
    let bed = Bed::with(|options| options.max_blob = u64::MAX).await;
    let huge = Digest::new([7; 32], i64::MAX.unsigned_abs());
    assert_eq!(code(bed.write(&upload(huge), 0, &[b"x"], false).await), Code::ResourceExhausted);
    assert_eq!(bed.unfinished(), 0);
}

#[tokio::test]
async fn names_and_ranges_that_make_no_sense_are_refused() {
    let bed = Bed::new().await;
    let digest = bed.put(b"0123456789");
    let name = download(digest);
    assert_eq!(code(bed.read(&name, 11, 0).await), Code::OutOfRange);
    assert_eq!(code(bed.read(&name, -1, 0).await), Code::OutOfRange);
    assert_eq!(code(bed.read(&name, 0, -1).await), Code::InvalidArgument);
    assert_eq!(code(bed.read(&compressed(name.clone()), 0, 5).await), Code::InvalidArgument);
    assert_eq!(code(bed.read(&upload(digest), 0, 0).await), Code::InvalidArgument);
    assert_eq!(code(bed.write(&name, 0, &[b"x"], true).await), Code::InvalidArgument);
    let other = ResourceName { instance: "main".to_owned(), ..name };
    assert_eq!(code(bed.read(&other, 0, 0).await), Code::InvalidArgument);
    let wrong_empty = Digest::new([1; 32], 0);
    assert_eq!(code(bed.read(&download(wrong_empty), 0, 0).await), Code::InvalidArgument);
    let long = ResourceName { upload: Some("u".repeat(2000)), ..upload(digest) };
    assert_eq!(code(bed.write(&long, 0, &[b"x"], true).await), Code::InvalidArgument);
    let wrong_size = Digest::new(*digest.hash(), 9);
    assert_eq!(code(bed.read(&download(wrong_size), 0, 0).await), Code::NotFound);
}

#[tokio::test]
async fn zstd_goes_both_ways() {
    let bed = Bed::new().await;
    for bytes in [noise(3 << 20), vec![0; 5 << 20], b"tiny".to_vec()] {
        let digest = bed.digest(&bytes);
        let frame = zstd::bulk::compress(&bytes, 3).unwrap();
        let pieces: Vec<&[u8]> = frame.chunks(1_000_000).collect();
        let name = compressed(upload(digest));
        assert_eq!(bed.write(&name, 0, &pieces, true).await.unwrap(), size(frame.len()));
        assert_eq!(bed.read(&download(digest), 0, 0).await.unwrap(), bytes);
        for offset in [0, 3, bytes.len()] {
            let read = bed.read(&compressed(download(digest)), size(offset), 0).await.unwrap();
            let content = zstd::stream::decode_all(read.as_slice()).unwrap();
            assert_eq!(content, bytes[offset..]);
        }
    }
}

#[tokio::test]
async fn a_compressed_upload_goes_on_at_an_offset_of_the_content() {
    let bed = Bed::new().await;
    let bytes = noise(1 << 20);
    let name = compressed(upload(bed.digest(&bytes)));
    let first = zstd::bulk::compress(&bytes[..400_000], 3).unwrap();
    assert_eq!(bed.write(&name, 0, &[&first], false).await.unwrap(), 400_000);
    assert_eq!(bed.status(&name).await.unwrap(), (400_000, false));
    let rest = zstd::bulk::compress(&bytes[400_000..], 3).unwrap();
    let (one, other) = rest.split_at(1000);
    let sent = bed.write(&name, 400_000, &[one, other], true).await.unwrap();
    assert_eq!(sent, 400_000 + size(rest.len()));
    assert_eq!(bed.store.read(&name.digest).unwrap().unwrap(), bytes);
}

#[tokio::test]
async fn frames_that_lie_are_refused() {
    let bed = Bed::new().await;
    let name = compressed(upload(bed.digest(b"right")));
    // Some kilobytes that would become many megabytes.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let short = zstd::bulk::compress(b"righ", 1).unwrap();
    let right = zstd::bulk::compress(b"right", 1).unwrap();
    let trailing = [&right[..], b"more"].concat();
    let cut = &right[..right.len() - 2];
    for pieces in [&bomb[..], b"no frame at all", &short, &trailing, cut] {
        assert_eq!(code(bed.write(&name, 0, &[pieces], true).await), Code::InvalidArgument);
        assert_eq!(bed.unfinished(), 0);
    }
}

#[tokio::test]
async fn damage_is_never_served() {
    let bed = Bed::new().await;
    let bytes = noise(3 << 20);
    let digest = bed.put(&bytes);
    bed.damage(&digest);
    let (got, end) = bed.read_pieces(&download(digest), 0, 0).await;
    assert_eq!(end.unwrap_err().code(), Code::DataLoss);
    assert!(got.len() < bytes.len(), "the last piece is held back");
    assert_eq!(code(bed.read(&download(digest), 0, 0).await), Code::NotFound);
    assert!(bed.store.root().join("quarantine").join(digest.hex()).exists());
    // The same compressed: what came is no whole frame.
    assert_eq!(bed.put(&bytes), digest);
    bed.damage(&digest);
    let (got, end) = bed.read_pieces(&compressed(download(digest)), 0, 0).await;
    assert_eq!(end.unwrap_err().code(), Code::DataLoss);
    assert!(zstd::stream::decode_all(got.as_slice()).is_err());
    // A part that is right by itself is held back whole.
    bed.put(&bytes);
    bed.damage(&digest);
    let (got, end) = bed.read_pieces(&download(digest), 10, 10).await;
    assert_eq!((got.len(), end.unwrap_err().code()), (0, Code::DataLoss));
    // One that was checked, and damaged after.
    bed.put(&bytes);
    assert_eq!(bed.read(&download(digest), 10, 10).await.unwrap(), bytes[10..20]);
    assert_eq!(bed.read(&download(digest), 0, 0).await.unwrap(), bytes);
    bed.damage(&digest);
    assert_eq!(code(bed.read(&download(digest), 10, 10).await), Code::DataLoss);
    // A small one, and one that lost its end.
    let small = bed.put(b"small");
    bed.damage(&small);
    assert_eq!(code(bed.read(&download(small), 0, 0).await), Code::NotFound);
    bed.put(&bytes);
    std::fs::remove_file(bed.path(&digest)).unwrap();
    std::fs::write(bed.path(&digest), &bytes[..2 << 20]).unwrap();
    assert_eq!(code(bed.read(&download(digest), 0, 0).await), Code::NotFound);
    // The next upload puts it right.
    assert_eq!(bed.write(&upload(small), 0, &[b"small"], true).await.unwrap(), 5);
    assert_eq!(bed.read(&download(small), 0, 0).await.unwrap(), b"small");
}

#[tokio::test]
async fn who_is_too_slow_is_given_up_and_leaves_no_file() {
    let bed = Bed::with(|options| {
        options.idle = Duration::from_millis(30);
        options.resume = Duration::from_millis(30);
        options.uploads = 1;
    })
    .await;
    let bytes = noise(100_000);
    let name = upload(bed.digest(&bytes));
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    for message in messages(&name, 0, &[&bytes[..10]], false) {
        sender.send(message).await.unwrap();
    }
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    assert_eq!(code(bed.streams().write(stream).await), Code::DeadlineExceeded);
    drop(sender);
    eventually(|| bed.unfinished() == 0).await;
    assert_eq!(code(bed.status(&name).await), Code::NotFound);
    let leases = bed.store.root().join("leases");
    eventually(|| std::fs::read_dir(&leases).unwrap().count() == 0).await;
}

#[tokio::test]
async fn uploads_at_the_same_time_are_limited() {
    let bed = Bed::with(|options| options.uploads = 1).await;
    let (one, other) = (bed.digest(b"one"), bed.digest(b"other"));
    assert_eq!(bed.write(&upload(one), 0, &[b"o"], false).await.unwrap(), 1);
    let refused = bed.write(&upload(other), 0, &[b"o"], false).await;
    assert_eq!(code(refused), Code::ResourceExhausted);
    assert_eq!(bed.write(&upload(one), 1, &[b"ne"], true).await.unwrap(), 3);
    assert_eq!(bed.write(&upload(other), 0, &[b"other"], true).await.unwrap(), 5);
}
