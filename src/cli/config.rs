//! `secateur config`: the settings in effect, as TOML.

use super::args::Config;
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

pub(super) fn run(args: &Config, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    context.write(|out| {
        for (key, value, origin) in workspace.settings.origins() {
            if args.show_origin {
                writeln!(out, "{key} = {value}  # {origin}")?;
            } else {
                writeln!(out, "{key} = {value}")?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}
