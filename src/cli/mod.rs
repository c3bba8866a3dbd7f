//! The command line: arguments to calls of the library, results to the writers. The only part that reads the environment
//! and writes reports to files.

pub mod args;
mod baseline;
mod caf;
mod codemod;
mod completions;
mod config;
mod context;
mod cost;
mod doctor;
mod exit;
mod explain;
mod fix;
mod graph;
mod graph_from;
mod history;
mod interactive;
mod keep;
mod lint;
mod man;
mod narrow;
mod pipe;
mod process;
mod progress;
mod publish;
mod replace;
mod revision;
mod selection;
mod shell;
mod surroundings;
mod tui;
mod undo;
mod values;
mod verdict;
mod verify;
mod why;
mod work_tree;

pub use caf::schema as caf_schema;
pub use exit::Exit;
pub use surroundings::{Color, Surroundings};

use crate::error::{Error, Result};
use args::{Arguments, Command};
use clap::Parser;
use clap::builder::StyledStr;
use clap::error::ErrorKind;
use context::Context;
use pipe::Pipe;
use std::ffi::OsString;
use std::io::Write;

/// Runs one command. Results go to `out`, all else to `err`.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    surroundings: &Surroundings,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let (mut out, mut err) = (Pipe::new(out), Pipe::new(err));
    let arguments = Arguments::try_parse_from(args);
    let color = arguments.as_ref().map_or(Color::Auto, |arguments| arguments.global.color);
    let exit = match arguments {
        Ok(arguments) => command(&arguments, surroundings, &mut out, &mut err),
        Err(error) => refuse(&error, surroundings, &mut out, &mut err),
    };
    let exit = exit.and_then(|exit| out.flush().map_err(output_error).map(|()| exit));
    exit.unwrap_or_else(|error| {
        // Where nobody hears of it, the exit code is all there is.
        report(&error, surroundings.stderr_color(color), &mut err).ok();
        Exit::Failed
    })
}

fn command(
    arguments: &Arguments,
    surroundings: &Surroundings,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit> {
    let mut context = Context::new(&arguments.global, surroundings, out, err);
    let exit = match &arguments.command {
        Command::Lint(args) => lint::run(args, &mut context),
        Command::Codemod(args) => codemod::run(args, &mut context),
        Command::Baseline(args) => baseline::run(args, &mut context),
        Command::Why(args) => why::run(args, &mut context),
        Command::Cost(args) => cost::run(args, &mut context),
        Command::Tui(args) => tui::run(args, &mut context),
        Command::Graph(args) => graph::run(args, &mut context),
        Command::Doctor(args) => doctor::run(args, &mut context),
        Command::Keep(args) => keep::run(args, &mut context),
        Command::Undo(args) => undo::run(args, &mut context),
        Command::Caf(args) => caf::run(args, &mut context),
        Command::Explain(args) => explain::run(args, &mut context),
        Command::Config(args) => config::run(args, &mut context),
        Command::Completions(args) => completions::run(args, &mut context),
        Command::Man(args) => man::run(args, &mut context),
    };
    context.out.flush().map_err(output_error)?;
    context.save_cache();
    exit
}

/// What clap has to say: help and version, or a mistake in the arguments.
fn refuse(
    error: &clap::Error,
    surroundings: &Surroundings,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit> {
    let text = error.render();
    let written = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            write_styled(&text, surroundings.stdout_color(Color::Auto), out).map(|()| Exit::Clean)
        }
        _ => {
            write_styled(&text, surroundings.stderr_color(Color::Auto), err).map(|()| Exit::Failed)
        }
    };
    written.map_err(output_error)
}

fn write_styled(text: &StyledStr, color: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if color { write!(out, "{}", text.ansi()) } else { write!(out, "{text}") }
}

/// `error: …`, and what the user can do about it.
fn report(error: &Error, color: bool, err: &mut dyn Write) -> std::io::Result<()> {
    let styles =
        if color { clap::builder::Styles::styled() } else { clap::builder::Styles::plain() };
    let (bad, good) = (styles.get_error(), styles.get_valid());
    writeln!(err, "{bad}error:{bad:#} {error}")?;
    match error.hint_text().filter(|hint| !hint.is_empty()) {
        Some(hint) => writeln!(err, "{good}hint:{good:#} {hint}"),
        None => Ok(()),
    }
}

/// The error of a writer that does not take the results.
fn output_error(error: std::io::Error) -> Error {
    Error::new("cannot write the results").cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_with(args: &[&str], out: &mut dyn Write) -> (Exit, String) {
        let mut err = Vec::new();
        let args = args.iter().map(OsString::from);
        let exit = run(args, &Surroundings::default(), out, &mut err);
        (exit, String::from_utf8(err).unwrap())
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn output_that_cannot_be_written_is_a_failure() {
        let (exit, err) = run_with(&["secateur", "explain"], &mut Full);
        assert_eq!(exit, Exit::Failed);
        assert!(err.starts_with("error: cannot write the results: "), "{err}");
    }

    #[test]
    fn help_is_a_result_and_a_bad_argument_is_not() {
        let mut out = Vec::new();
        assert_eq!(run_with(&["secateur", "--help"], &mut out), (Exit::Clean, String::new()));
        assert!(!out.is_empty());
        let (exit, err) = run_with(&["secateur", "lnt"], &mut Full);
        assert_eq!(exit, Exit::Failed);
        assert!(err.contains("'lint'"), "{err}");
    }
}
