//! `secateur man`: the manual, in roff.

use super::args::{Arguments, Man};
use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Result};
use clap::CommandFactory;

pub(super) fn run(args: &Man, context: &mut Context<'_>) -> Result<Exit> {
    let mut program = Arguments::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => {
            let command = program.find_subcommand(name).cloned();
            let names = || program.get_subcommands().map(clap::Command::get_name);
            command.ok_or_else(|| {
                let names = names().collect::<Vec<_>>().join(", ");
                Error::new(format!("no command `{name}`")).hint(format!("there are {names}"))
            })?
        }
    };
    context.write(|out| clap_mangen::Man::new(command).render(out))?;
    Ok(Exit::Clean)
}
