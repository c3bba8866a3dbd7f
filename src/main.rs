//! The program: arguments to the library, its answer to an exit code. Touches the standard streams only.

use anstream::AutoStream;
use secateur::cli::{self, Surroundings};
use std::io::{self, BufWriter};
use std::process::ExitCode;

/// Syntax trees are many small allocations made on one thread and freed together; see docs/decisions/0004-allocator.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the arguments")]
fn main() -> ExitCode {
    let surroundings = Surroundings::of_process();
    // The command decides about colour; the streams only translate it for old consoles.
    let mut out = BufWriter::new(AutoStream::always(io::stdout()));
    let mut err = AutoStream::always(io::stderr());
    cli::run(std::env::args_os(), &surroundings, &mut out, &mut err).into()
}
