//! `--graph-from`: what Buck2 says about the targets, from a file or from Buck2 itself. Reads that file, and starts Buck2.

use super::context::Context;
use super::process;
use crate::buck;
use crate::error::{Error, Result};
use crate::workspace::{Outside, Recording, Workspace};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// The value that runs Buck2, and the program's name.
pub(super) const BUCK2: &str = "buck2";
/// `--keep-going` makes the error of a package an entry of its own.
const ARGUMENTS: [&str; 5] = ["targets", "//...", "--json-lines", "--streaming", "--keep-going"];

/// Buck2's answer, and where our own evaluation says something else.
pub(super) fn outside(
    from: &Path,
    workspace: &Workspace,
    context: &Context<'_>,
) -> Result<Arc<Outside>> {
    let recording = recording(from, workspace, context)?;
    context.work(|progress| {
        let evaluation = buck::evaluate(workspace, &workspace.cells, progress)?;
        let differences = evaluation.compare(&recording, workspace);
        Ok(Arc::new(Outside { recording, differences }))
    })
}

/// What Buck2 says.
pub(super) fn recording(
    from: &Path,
    workspace: &Workspace,
    context: &Context<'_>,
) -> Result<Recording> {
    if from == Path::new(BUCK2) { run(workspace, context) } else { read(from, workspace, context) }
}

#[expect(clippy::disallowed_methods, reason = "the file lies where the user says")]
fn read(file: &Path, workspace: &Workspace, context: &Context<'_>) -> Result<Recording> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(context.dir().join(file)).map_err(|error| {
        let error = Error::new("cannot be read").at(&shown).cause(error);
        error.hint("`buck2 targets //... --json-lines` prints such a file")
    })?;
    Recording::read(&bytes, &shown, &workspace.cells)
}

fn run(workspace: &Workspace, context: &Context<'_>) -> Result<Recording> {
    let program = context.program(BUCK2).ok_or_else(|| {
        let error = Error::new("there is no `buck2` on PATH");
        error.hint("run `buck2 targets //... --json-lines` where there is one, and give the file")
    })?;
    let mut arguments: Vec<OsString> = ARGUMENTS.map(OsString::from).to_vec();
    arguments.extend(context.buck2_arguments());
    let (succeeded, printed) = process::output(&program, &arguments, &workspace.root)?;
    let failed = || {
        let error = Error::new("`buck2 targets //...` failed");
        error.hint("what it said stands above; `buck2 targets //...` says it again")
    };
    if !succeeded && printed.is_empty() {
        return Err(failed());
    }
    let recording = Recording::read(&printed, "buck2 targets", &workspace.cells)?;
    // It fails as well if it had to leave packages out, and says which.
    if succeeded || !recording.failed.is_empty() { Ok(recording) } else { Err(failed()) }
}
