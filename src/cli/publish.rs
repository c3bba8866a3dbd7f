//! Where the report of `lint` goes: stdout, the files of `--output`, the summary of a GitHub job. Writes these files.

use super::args::{Lint, Output};
use super::context::Context;
use super::output_error;
use super::replace::replace;
use crate::error::{Error, Result};
use crate::finding::Report;
use crate::report::{self, Format};
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use std::fs;
use std::io::Write;
use std::path::Path;

/// GitHub drops the summary of a step that is longer:
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits>.
const SUMMARY: u64 = 1 << 20;

/// Every format that the report is written in.
pub(super) fn formats(args: &Lint) -> impl Iterator<Item = Format> {
    args.output.iter().map(|output| output.format).chain([args.format])
}

/// Writes the report wherever it is wanted. A file that cannot be written keeps no other from being written.
pub(super) fn write_report(
    args: &Lint,
    report: &Report,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<()> {
    let source = |path: &ProjectPath| String::from_utf8(workspace.files.read(path).ok()?).ok();
    let look = context.look();
    let bytes = context.work(|_| {
        let mut bytes = Vec::new();
        report::render(args.format, report, look, &source, &mut bytes).map_err(output_error)?;
        Ok(bytes)
    })?;
    context.write_now(|out| out.write_all(&bytes))?;
    let files = args.output.iter().map(|output| write_file(output, report, &source, context));
    let summary = formats(args).any(|format| format == Format::Github);
    let summary = summary.then(|| write_summary(report, context));
    let errors: Vec<Error> = files.chain(summary).filter_map(Result::err).collect();
    all(errors)
}

/// Several errors as one.
fn all(mut errors: Vec<Error>) -> Result<()> {
    if errors.len() > 1 {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let hint = errors.iter().find_map(Error::hint_text).unwrap_or_default().to_owned();
        return Err(Error::new(texts.join("; ")).hint(hint));
    }
    errors.pop().map_or(Ok(()), Err)
}

fn write_file(
    output: &Output,
    report: &Report,
    source: report::SourceText<'_>,
    context: &Context<'_>,
) -> Result<()> {
    let fail = |error| {
        Error::new(format!("cannot write {}", output.file.display()))
            .cause(error)
            .hint("--output needs a directory that is there and can be written to")
    };
    let mut bytes = Vec::new();
    report::render(output.format, report, context.file_look(), source, &mut bytes).map_err(fail)?;
    replace(&context.dir().join(&output.file), &bytes).map_err(fail)
}

/// Appends to what the step has said before, as far as there is room.
fn write_summary(report: &Report, context: &Context<'_>) -> Result<()> {
    let Some(file) = context.step_summary() else { return Ok(()) };
    append_summary(file, report).map_err(|error| {
        Error::new(format!("cannot write {}", file.display()))
            .cause(error)
            .hint("GITHUB_STEP_SUMMARY names this file; unset it if there is to be no summary")
    })
}

#[expect(clippy::disallowed_methods, reason = "GitHub says where the summary goes")]
fn append_summary(file: &Path, report: &Report) -> std::io::Result<()> {
    let taken = fs::metadata(file).map_or(0, |metadata| metadata.len());
    let room = SUMMARY.saturating_sub(taken) as usize;
    let text = report::job_summary(report, room);
    if text.len() > room {
        return Ok(());
    }
    let mut file = fs::OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(text.as_bytes())
}
