//! `secateur graph`: targets or modules, for other programs.

use super::args::{Graph, GraphFormat, Nodes};
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::graph;
use crate::report::{Edges, dot};
use serde_json::Value;
use std::io::{self, Write};

pub(super) fn run(args: &Graph, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let graph = context.work(|progress| graph::build(&workspace, progress))?;
    let mut objects = Vec::new();
    let edges = match args.of {
        Nodes::Targets => {
            graph.export_targets(&mut |object| objects.push(object));
            Edges::TARGETS
        }
        Nodes::Modules => {
            graph.export_modules(&mut |object| objects.push(object));
            Edges::MODULES
        }
    };
    context.write(|out| match args.format {
        GraphFormat::Jsonl => lines(&objects, out),
        GraphFormat::Json => {
            serde_json::to_writer(&mut *out, &objects)?;
            writeln!(out)
        }
        GraphFormat::Dot => dot(&objects, edges, out),
    })?;
    Ok(Exit::Clean)
}

fn lines(objects: &[Value], out: &mut dyn Write) -> io::Result<()> {
    for object in objects {
        serde_json::to_writer(&mut *out, object)?;
        writeln!(out)?;
    }
    Ok(())
}
