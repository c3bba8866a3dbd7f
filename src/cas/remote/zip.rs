//! Compression on the way to a server and back. Pure, but for what it is told to read.

use crate::cas::digest::Digest;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Half a gigabyte a second on one core, and most of what higher levels save.
const LEVEL: i32 = 1;

/// Below, a frame's own bytes are too much of it.
const SMALLEST: usize = 128;

/// Bytes of a piece that is looked at, and how many pieces.
const PIECE: usize = 32 << 10;
const PIECES: u64 = 3;

/// Whether compression saves at least a sixteenth: less is not worth the reader's time.
const fn saves(zipped: usize, plain: usize) -> bool {
    zipped <= plain - plain / 16
}

/// A small content, compressed; `None` where that is no use.
pub(super) fn smaller(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < SMALLEST {
        return None;
    }
    zstd::bulk::compress(bytes, LEVEL).ok().filter(|zipped| saves(zipped.len(), bytes.len()))
}

/// Whether compression is of use for a large content, by pieces of it.
pub(super) fn is_worth_it(file: &mut File) -> io::Result<bool> {
    let size = file.metadata()?.len();
    let mut sample = Vec::with_capacity(PIECE * PIECES as usize);
    for piece in 0..PIECES {
        file.seek(SeekFrom::Start(size / PIECES * piece))?;
        file.take(PIECE as u64).read_to_end(&mut sample)?;
    }
    let zipped = zstd::bulk::compress(&sample, LEVEL)?;
    Ok(saves(zipped.len(), sample.len()))
}

/// A large content, compressed as it is read.
pub(super) fn reader(from: impl Read) -> io::Result<impl Read> {
    zstd::stream::read::Encoder::new(from, LEVEL)
}

/// The bytes of a small content; an error if they are more than its size, however little they were.
pub(super) fn unzip(bytes: &[u8], digest: &Digest) -> io::Result<Vec<u8>> {
    zstd::bulk::decompress(bytes, usize::try_from(digest.size()).unwrap_or(usize::MAX))
}

/// Undoes the compression of what is written to it, or passes it on.
pub(super) enum Unzip<W: Write> {
    /// What comes is the content.
    Plain(W),
    /// What comes is compressed.
    Zstd(Box<zstd::stream::write::Decoder<'static, W>>),
}

impl<W: Write> Unzip<W> {
    pub(super) fn new(to: W, is_zipped: bool) -> io::Result<Self> {
        if !is_zipped {
            return Ok(Self::Plain(to));
        }
        Ok(Self::Zstd(Box::new(zstd::stream::write::Decoder::new(to)?)))
    }
}

impl<W: Write> Write for Unzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(to) => to.write(bytes),
            Self::Zstd(decoder) => decoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.flush(),
            Self::Zstd(decoder) => decoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::digest::DigestFunction;

    fn noise(size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        getrandom::fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn only_what_gets_smaller_is_compressed() {
        let text = b"def f():\n    return 1\n".repeat(100);
        let digest = DigestFunction::Sha256.digest(&text);
        let zipped = smaller(&text).unwrap();
        assert_eq!(unzip(&zipped, &digest).unwrap(), text);
        assert_eq!(smaller(&noise(5000)), None);
        assert_eq!(smaller(b"aaaa"), None);
        let lies = Digest::new(*digest.hash(), 10);
        assert!(unzip(&zipped, &lies).is_err());
    }

    #[test]
    fn large_contents_are_judged_by_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        for (bytes, expected) in [(noise(1 << 20), false), (vec![1; 1 << 20], true)] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(is_worth_it(&mut File::open(&path).unwrap()).unwrap(), expected);
        }
    }
}
