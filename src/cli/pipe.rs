//! A writer whose reader may leave. Touches only the writer beneath.

use std::io::{self, ErrorKind, Write};

/// Drops everything once the reader has closed the other end: `secateur lint | head` is no failure, and the exit code
/// still tells what was found.
pub(super) struct Pipe<'a> {
    inner: &'a mut dyn Write,
    is_closed: bool,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(inner: &'a mut dyn Write) -> Self {
        Self { inner, is_closed: false }
    }

    /// `result`, or `otherwise` if the reader has left.
    fn unless_closed<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.unless_closed(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.unless_closed(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
        let mut closed = Failing(ErrorKind::BrokenPipe);
        let mut pipe = Pipe::new(&mut closed);
        assert!(pipe.write_all(b"x").is_ok() && pipe.write_all(b"y").is_ok());
        assert!(pipe.flush().is_ok());
        let mut full = Failing(ErrorKind::StorageFull);
        assert!(Pipe::new(&mut full).write_all(b"x").is_err());
    }
}
