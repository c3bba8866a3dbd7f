//! `secateur completions`: scripts that complete commands, options and checks.

use super::args::{Arguments, Completions};
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use clap::CommandFactory;

pub(super) fn run(args: &Completions, context: &mut Context<'_>) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "secateur", &mut script);
    context.write(|out| out.write_all(&script))?;
    Ok(Exit::Clean)
}
