//! `secateur undo`: batches of changes listed, taken back, or completed.

use super::args::{Undo, UndoFormat};
use super::context::Context;
use super::exit::Exit;
use crate::edits::{self, Batch};
use crate::error::Result;
use crate::source::ProjectPath;
use serde::Serialize;
use std::io::{self, Write};

const SCHEMA_VERSION: u32 = 1;

/// What `--format json` gives.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    batches: Vec<BatchOutput<'a>>,
}

#[derive(Serialize)]
struct BatchOutput<'a> {
    batch: String,
    state: &'static str,
    title: &'a str,
    edited: Vec<&'a str>,
    deleted: Vec<&'a str>,
}

pub(super) fn run(args: &Undo, context: &mut Context<'_>) -> Result<Exit> {
    let root = context.project_root()?;
    let batches = if args.list {
        edits::batches(&root)?
    } else if args.finish {
        vec![edits::finish(&root)?]
    } else {
        vec![edits::undo(&root, args.batch.as_deref())?]
    };
    context.write(|out| match args.format {
        UndoFormat::Text => text(&batches, out),
        UndoFormat::Json => json(&batches, out),
    })?;
    Ok(Exit::Clean)
}

fn text(batches: &[Batch], out: &mut dyn Write) -> io::Result<()> {
    for batch in batches {
        let (edited, deleted) = (batch.edited.len(), batch.deleted.len());
        let state = batch.state.as_str();
        // What a terminal would act upon has no place in a line of text.
        let title = batch.title.replace(char::is_control, " ");
        let line = format!("{}  {state:8}  {edited} edited, {deleted} deleted  {title}", batch.id);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn json(batches: &[Batch], out: &mut dyn Write) -> io::Result<()> {
    let batches = batches.iter().map(BatchOutput::of).collect();
    serde_json::to_writer(&mut *out, &Output { schema_version: SCHEMA_VERSION, batches })?;
    writeln!(out)
}

impl<'a> BatchOutput<'a> {
    fn of(batch: &'a Batch) -> Self {
        Self {
            batch: batch.id.to_string(),
            state: batch.state.as_str(),
            title: &batch.title,
            edited: texts(&batch.edited),
            deleted: texts(&batch.deleted),
        }
    }
}

fn texts(paths: &[ProjectPath]) -> Vec<&str> {
    paths.iter().map(ProjectPath::as_str).collect()
}
