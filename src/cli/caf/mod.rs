//! `secateur caf`: bundles pushed, pulled, run and looked after. Reads and writes the store, and what it is told to.
#![expect(
    clippy::disallowed_methods,
    reason = "bundles, keys and certificates lie outside of the project"
)]

pub(super) mod args;
mod diff;
mod interpreter;
mod keygen;
mod names;
mod output;
mod place;
mod pull;
mod push;
mod run;
mod serve;
mod size;
mod target;
mod upkeep;
mod values;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use args::{Caf, CafCommand};
use place::Depot;

pub use output::schema;

pub(super) fn run(args: &Caf, context: &mut Context<'_>) -> Result<Exit> {
    let depot = Depot::new(args, context);
    let output = match &args.command {
        CafCommand::Push(args) => push::run(args, &depot, context)?,
        CafCommand::Pull(args) => pull::run(args, &depot, context)?,
        CafCommand::Run(args) => return run::run(args, &depot, context),
        CafCommand::Diff(args) => diff::run(args, &depot, context)?,
        CafCommand::Ls => names::list(&depot)?,
        CafCommand::Rm(args) => names::remove(args, &depot)?,
        CafCommand::Gc(args) => upkeep::collect(args, &depot, context)?,
        CafCommand::Verify => upkeep::verify(&depot, context)?,
        CafCommand::Stat => upkeep::stat(&depot, context)?,
        CafCommand::Serve(args) => return serve::run(args, &depot, context),
        CafCommand::Keygen(args) => keygen::run(args, context)?,
    };
    let is_quiet = context.is_quiet();
    context.write(|out| output.write(args.format, is_quiet, out))?;
    Ok(output.exit())
}
