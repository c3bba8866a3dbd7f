//! `secateur lint --fix` and `--diff`: fixes are made in memory, round by round, and then shown or written.

use super::args::{Fixes, Lint};
use super::context::Context;
use super::exit::Exit;
use super::publish::write_report;
use super::verdict::verdict;
use crate::checks::Selection;
use crate::edits::{self, BatchInfo, Cascade, Wanted};
use crate::error::Result;
use crate::report;
use crate::workspace::Workspace;
use std::io::{self, Write};

pub(super) fn run(
    args: &Lint,
    workspace: &Workspace,
    selection: &Selection,
    context: &mut Context<'_>,
) -> Result<Exit> {
    let wanted = match args.fix {
        Some(Fixes::All) => Wanted::All,
        Some(Fixes::Safe) | None => Wanted::Safe,
    };
    let done = context.work(|progress| edits::cascade(workspace, selection, wanted, progress))?;
    let look = context.look();
    if args.diff {
        context.write(|out| report::diff(&done.changes, look, out))?;
        return Ok(verdict(args, &done.before, workspace, context));
    }
    let info = BatchInfo { title: "lint --fix".to_owned(), remove_empty_dirs: false };
    let batch = edits::apply(&workspace.root, &done.changes, &info)?;
    let batch = batch.map(|batch| batch.id.to_string());
    write_report(args, &done.after, workspace, context)?;
    if args.format == report::Format::Text {
        context.write(|out| summary(&done, wanted, batch.as_deref(), out))?;
    }
    Ok(verdict(args, &done.after, workspace, context))
}

fn summary(
    done: &Cascade,
    wanted: Wanted,
    batch: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (finding, reason) in &done.refused {
        let region = &finding.region;
        writeln!(out, "not fixed: {}:{}: {}: {reason}", region.path, region.line, finding.message)?;
    }
    let (fixed, files) = (done.fixed.len(), done.changes.len());
    let unsafe_too = if wanted == Wanted::All { ", unsafe ones among them" } else { "" };
    match batch {
        Some(batch) => writeln!(
            out,
            "fixed {fixed} findings in {files} files{unsafe_too}; `secateur undo {batch}` takes it back"
        ),
        None => writeln!(out, "nothing was fixed"),
    }
}
