//! `secateur why`: how one target or module reaches another, or who needs it.

use super::args::Why;
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::{graph, report};

pub(super) fn run(args: &Why, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let graph = context.work(|progress| graph::build(&workspace, progress))?;
    let answer = graph.why(&workspace, &args.from, args.to.as_deref())?;
    let look = context.look();
    context.write(|out| report::why(&answer, look, out))?;
    Ok(Exit::Clean)
}
