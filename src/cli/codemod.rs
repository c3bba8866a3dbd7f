//! `secateur codemod`: fixes in batches, as a list, patches, a script for buildozer, or written.

use super::args::{Codemod, Fixes};
use super::context::Context;
use super::exit::Exit;
use super::history;
use super::interactive;
use super::selection;
use super::verify;
use crate::checks::Selection;
use crate::codemod::owners::{Codeowners, LOCATIONS};
use crate::codemod::patch::{Author, Mode, Number, file_name, patch};
use crate::codemod::{self, Batch, By, Filter, Plan, QUARANTINE, Quarantine, Request};
use crate::cost::History;
use crate::edits::{self, BatchInfo, Wanted};
use crate::error::{Error, Result};
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

/// Rebuilds are counted over this many commits.
const COMMITS: usize = 500;

/// What is to be fixed, as the options say.
pub(super) struct Wish {
    selection: Selection,
    owners: Vec<String>,
    wanted: Wanted,
    by: By,
    /// Without one no rebuilds are counted.
    history: Option<History>,
}

impl Wish {
    fn new(args: &Codemod, workspace: &Workspace) -> Result<Self> {
        let wanted = match args.fix {
            Fixes::All => Wanted::All,
            Fixes::Safe => Wanted::Safe,
        };
        let selection = selection::of_codemod(args, workspace)?;
        let history = history::read(&workspace.root, COMMITS).ok();
        let owners = args.owner.clone();
        Ok(Self { selection, owners, wanted, by: args.by.into(), history })
    }

    pub(super) fn request<'a>(&'a self, args: &Codemod, filter: Filter<'a>) -> Request<'a> {
        let Self { selection, owners, wanted, by, history } = self;
        let (history, max_files) = (history.as_ref(), args.max_files);
        Request { selection, owners, wanted: *wanted, by: *by, max_files, filter, history }
    }

    /// A text that is the same where plans of one tree are.
    pub(super) fn describe(&self, args: &Codemod) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let Self { selection, owners, wanted, by, .. } = self;
        let (files, retry) = (args.max_files, args.retry_quarantined);
        format!("{version} {selection:?} {owners:?} {wanted:?} {by:?} {files} {retry}")
    }
}

pub(super) fn run(args: &Codemod, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let wish = Wish::new(args, &workspace)?;
    let codeowners = codeowners(&workspace);
    if let Some(command) = &args.verify {
        return verify::run(args, command, &wish, &codeowners, context);
    }
    let left_out = quarantined(args, &workspace)?;
    let plan = if args.interactive {
        interactive::plan(args, &wish, &left_out, &codeowners, context)?
    } else {
        let request = wish.request(args, Filter::LeaveOut(&left_out));
        context.work(|progress| codemod::plan(&workspace, request, &codeowners, progress))?
    };
    let has_files = args.out.is_some() || args.buildozer.is_some();
    let applies = args.apply || args.interactive && !has_files;
    if let Some(dir) = &args.out {
        let dir = context.dir().join(dir);
        let count = write_patches(&dir, &workspace, &plan, context.today())?;
        context.write(|out| writeln!(out, "{count} patches in {}", dir.display()))?;
    }
    if let Some(file) = &args.buildozer {
        let file = context.dir().join(file);
        write(&file, codemod::script(&plan).as_bytes())?;
        context.write(|out| writeln!(out, "buildozer script in {}", file.display()))?;
    }
    if applies {
        apply(&workspace, &plan, context)?;
    }
    if args.json {
        context.write(|out| {
            serde_json::to_writer(&mut *out, &as_json(&plan))?;
            writeln!(out)
        })?;
    } else {
        context.write(|out| {
            if !has_files && !applies {
                list(&plan, out)?;
            }
            match plan.left_out {
                0 => Ok(()),
                count => writeln!(
                    out,
                    "quarantined fixes left out: {count}; --retry-quarantined makes them too"
                ),
            }
        })?;
    }
    Ok(if plan.batches.is_empty() || applies { Exit::Clean } else { Exit::Findings })
}

/// The fingerprints that `--verify` has put into quarantine, unless they are wanted.
fn quarantined(args: &Codemod, workspace: &Workspace) -> Result<BTreeSet<String>> {
    if args.retry_quarantined {
        return Ok(BTreeSet::new());
    }
    let bytes = edits::read_record(&workspace.root, QUARANTINE)?;
    Ok(Quarantine::read(bytes.as_deref())?.fingerprints())
}

/// The first CODEOWNERS file that there is; none is no trouble.
pub(super) fn codeowners(workspace: &Workspace) -> Codeowners {
    let paths = LOCATIONS.iter().map(|path| ProjectPath::new(*path));
    let found = paths.filter(|path| workspace.files.exists(path)).find_map(|path| {
        let text = String::from_utf8(workspace.files.read(&path).ok()?).ok()?;
        Some(Codeowners::parse(&path, &text).0)
    });
    found.unwrap_or_default()
}

pub(super) fn write_patches(
    dir: &Path,
    workspace: &Workspace,
    plan: &Plan,
    today: jiff::civil::Date,
) -> Result<usize> {
    make_dir(dir)?;
    let author = Author {
        name: "secateur".to_owned(),
        email: "secateur@localhost".to_owned(),
        date: midnight(today)?,
    };
    let mode = |path: &ProjectPath| mode(&workspace.root.join(path.as_str()));
    for (at, batch) in plan.batches.iter().enumerate() {
        let number = Number { this: at + 1, of: plan.batches.len() };
        let message = codemod::message(batch);
        let Some(bytes) = patch(number, &author, &message, &batch.changes, &mode) else {
            continue;
        };
        write(&dir.join(file_name(number, &message.subject)), &bytes)?;
    }
    Ok(plan.batches.len())
}

fn apply(workspace: &Workspace, plan: &Plan, context: &mut Context<'_>) -> Result<()> {
    for batch in &plan.batches {
        let title = codemod::message(batch).subject;
        let info = BatchInfo { title: title.clone(), remove_empty_dirs: false };
        let applied = edits::apply(&workspace.root, &batch.changes, &info)?;
        if let Some(applied) = applied {
            context.write(|out| writeln!(out, "{}  {title}", applied.id))?;
        }
    }
    if plan.batches.is_empty() {
        return Ok(());
    }
    context.write(|out| writeln!(out, "`secateur undo` takes back the last batch"))
}

fn list(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    for (at, batch) in plan.batches.iter().enumerate() {
        let subject = codemod::message(batch).subject;
        writeln!(out, "{:>4}  {subject}", at + 1)?;
        for change in &batch.changes {
            let what = if change.after.is_none() { "delete" } else { "edit" };
            writeln!(out, "      {what} {}", change.path)?;
        }
    }
    for (finding, reason) in &plan.refused {
        let region = &finding.region;
        writeln!(out, "by hand: {}:{}: {}: {reason}", region.path, region.line, finding.message)?;
    }
    let fixes: usize = plan.batches.iter().map(|batch| batch.fixes.len()).sum();
    writeln!(
        out,
        "{} batches, {fixes} fixes; {} findings to be fixed by hand",
        plan.batches.len(),
        plan.refused.len()
    )
}

pub(super) fn as_json(plan: &Plan) -> Value {
    let batch = |batch: &Batch| {
        let findings = batch.findings().map(|finding| {
            json!({
                "check": finding.check.as_str(),
                "confidence": finding.confidence.as_str(),
                "target": finding.target.as_ref().map(ToString::to_string),
                "dep": finding.dep.as_ref().map(ToString::to_string),
                "path": finding.region.path.as_str(),
                "line": finding.region.line,
                "message": finding.message,
            })
        });
        json!({
            "key": batch.key,
            "owner": batch.owner.as_ref().map(ToString::to_string),
            "round": batch.round,
            "subject": codemod::message(batch).subject,
            "saving": batch.saving,
            "findings": findings.collect::<Vec<_>>(),
            "files": batch.changes.iter().map(|change| json!({
                "path": change.path.as_str(),
                "delete": change.after.is_none(),
            })).collect::<Vec<_>>(),
        })
    };
    let refused = plan.refused.iter().map(|(finding, reason)| {
        json!({"path": finding.region.path.as_str(), "line": finding.region.line, "message": finding.message, "reason": reason})
    });
    json!({
        "schema_version": 1,
        "batches": plan.batches.iter().map(batch).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "quarantined": plan.left_out,
    })
}

/// Patches of one day carry one date: the same plan gives the same bytes.
fn midnight(day: jiff::civil::Date) -> Result<jiff::Timestamp> {
    let zoned = day.to_zoned(jiff::tz::TimeZone::UTC);
    Ok(zoned.map_err(|error| Error::new(format!("no such day: {error}")))?.timestamp())
}

/// git refuses to delete a file as another kind than it is.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "patches say which kind of file goes")]
fn mode(file: &Path) -> Mode {
    use std::os::unix::fs::PermissionsExt;
    let is_executable = |metadata: std::fs::Metadata| metadata.permissions().mode() & 0o100 != 0;
    if std::fs::metadata(file).is_ok_and(is_executable) { Mode::Executable } else { Mode::Regular }
}

#[expect(clippy::disallowed_methods, reason = "patches go where the user says")]
fn make_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)
        .map_err(|error| Error::new(format!("cannot make {}", dir.display())).cause(error))
}

#[expect(clippy::disallowed_methods, reason = "patches go where the user says")]
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes)
        .map_err(|error| Error::new(format!("cannot write {}", file.display())).cause(error))
}
