//! Contents as zstd frames, a piece at a time. Pure; touches nothing.

use std::io::{self, Write};
use zstd::stream::raw::{DParameter, Decoder, Operation};
use zstd::stream::write::Encoder;

/// Fast rather than small: contents are sent once each.
const LEVEL: i32 = 1;

/// Memory that a frame may ask for, as a power of two: what RFC 8878 (3.1.1.1.2) wants every decoder to give, 8 MiB.
const WINDOW_LOG: u32 = 23;

/// Bytes below which compression is not tried.
const WORTHWHILE: usize = 512;

/// Writes one frame.
pub(super) struct Compressor(Encoder<'static, Vec<u8>>);

impl Compressor {
    pub(super) fn new() -> io::Result<Self> {
        Encoder::new(Vec::new(), LEVEL).map(Self)
    }

    /// Takes a piece; gives what is ready, which may be nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(bytes)?;
        Ok(std::mem::take(self.0.get_mut()))
    }

    /// Takes the last piece; gives the rest.
    pub(super) fn finish(mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(bytes)?;
        self.0.finish()
    }
}

/// A small content as one frame, if that is smaller.
pub(super) fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < WORTHWHILE {
        return None;
    }
    // What cannot be compressed is sent as it is.
    zstd::bulk::compress(bytes, LEVEL).ok().filter(|frame| frame.len() < bytes.len())
}

/// Reads frames one behind the other.
pub(super) struct Decompressor {
    decoder: Decoder<'static>,
    buffer: Vec<u8>,
}

impl Decompressor {
    pub(super) fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self { decoder, buffer: vec![0; 1 << 17] })
    }

    /// Takes a piece of the frames; gives the content to `sink`, whatever comes of it, in pieces of bounded size.
    pub(super) fn push<E: From<io::Error>>(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let status = self.decoder.run_on_buffers(bytes, &mut self.buffer)?;
            sink(self.buffer.get(..status.bytes_written).unwrap_or_default())?;
            bytes = bytes.get(status.bytes_read..).unwrap_or_default();
            let is_drained = status.bytes_written < self.buffer.len();
            let is_stuck = status.bytes_read == 0 && status.bytes_written == 0;
            if (bytes.is_empty() && is_drained) || is_stuck {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(pieces: &[&[u8]], size: usize) -> Vec<u8> {
        let mut compressor = Compressor::new().unwrap();
        let mut frame = Vec::new();
        for piece in pieces {
            frame.extend(compressor.push(piece).unwrap());
        }
        frame.extend(compressor.finish(b"").unwrap());
        let mut decompressor = Decompressor::new().unwrap();
        let mut content = Vec::new();
        for piece in frame.chunks(size) {
            let take = |bytes: &[u8]| -> io::Result<()> {
                content.extend_from_slice(bytes);
                Ok(())
            };
            decompressor.push(piece, take).unwrap();
        }
        content
    }

    #[test]
    fn what_goes_in_comes_out_however_it_is_cut() {
        let long = vec![7; 1 << 20];
        assert_eq!(through(&[b"a", b"", b"bc"], 1), b"abc");
        assert_eq!(through(&[&long, &long], 10).len(), 2 << 20);
        assert_eq!(through(&[], 3), b"");
        assert_eq!(compressed(&long).map(|frame| frame.len() < 1000), Some(true));
        assert_eq!(compressed(b"short"), None);
    }

    #[test]
    fn frames_that_want_too_much_memory_are_refused() {
        let mut encoder = Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![1; 1 << 20]).unwrap();
        let frame = encoder.finish().unwrap();
        let sink = |_: &[u8]| -> io::Result<()> { Ok(()) };
        assert!(Decompressor::new().unwrap().push(&frame, sink).is_err());
        assert!(Decompressor::new().unwrap().push(b"no frame at all", sink).is_err());
    }
}
