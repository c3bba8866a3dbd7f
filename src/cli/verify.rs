//! `secateur codemod --verify`: a build after each batch, with the guilty fixes taken out. Runs the command, writes the tree
//! through `edits`, and keeps its state in `.secateur/`.

use super::args::Codemod;
use super::codemod::{Wish, as_json};
use super::context::{Context, Opener};
use super::exit::Exit;
use super::process::{Ending, Runner};
use super::progress::BuildBar;
use super::shell;
use super::work_tree;
use crate::codemod::bisect::Outcome;
use crate::codemod::owners::Codeowners;
use crate::codemod::{
    self, Affected, BatchOutcome, Bench, Built, End, FailingSet, Filter, News, Plan, QUARANTINE,
    Quarantine, STATE, Setup, State, Suspect, Verification,
};
use crate::edits::{self, BatchId, BatchInfo, BatchState, FileChange, Records};
use crate::error::{Error, Result};
use crate::label::Label;
use crate::progress::Silent;
use crate::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

pub(super) fn run(
    args: &Codemod,
    command: &str,
    wish: &Wish,
    codeowners: &Codeowners,
    context: &mut Context<'_>,
) -> Result<Exit> {
    let root = context.project_root()?;
    let records = Records::open(&root)?;
    let busy = || Error::new("another secateur is verifying batches of this project");
    let _lock = records.lock("verify.lock")?.ok_or_else(busy)?;
    let saved = State::read(records.read(STATE)?.as_deref())?.filter(|state| !state.finished);
    if let Some(saved) = &saved {
        recover(&root, saved)?;
    }
    let quarantine = Quarantine::read(records.read(QUARANTINE)?.as_deref())?;
    let excluded = if args.retry_quarantined { BTreeSet::new() } else { quarantine.fingerprints() };
    let timeout = args.timeout.map(u64::from);
    let setup = Setup { command: command.to_owned(), timeout, request: wish.describe(args) };
    let was_interrupted = saved.is_some();
    let taken_up = saved.filter(|saved| saved.setup == setup);
    let resumed = taken_up.is_some();
    if !args.json && was_interrupted {
        say(context, taken_up.as_ref())?;
    }
    let mut state = taken_up.unwrap_or_else(|| State::new(setup, excluded));
    let workspace = context.open()?;
    let left_out = state.left_out();
    let request = wish.request(args, Filter::LeaveOut(&left_out));
    let plan = context.work(|progress| codemod::plan(&workspace, request, codeowners, progress))?;
    if !args.allow_dirty {
        work_tree::refuse_dirty(&root, &touched(&plan, &state))?;
    }
    let expected = expected(&plan);
    let verification = Verification { request, codeowners, expected: &expected };
    let timeout = timeout.map(Duration::from_secs);
    let site = Site { root, command: command.to_owned(), timeout, records, quarantine };
    let end = build(&verification, &mut state, site, plan.batches.len(), args.json, context)?;
    context.write(|out| {
        if args.json {
            let mut object = as_json(&plan);
            object["verify"] = json!({
                "command": command,
                "resumed": resumed,
                "finished": state.finished,
                "builds": state.builds,
                "batches": state.batches,
            });
            serde_json::to_writer(&mut *out, &object)?;
            writeln!(out)
        } else {
            writeln!(out, "{}", summary(&state, plan.left_out))
        }
    })?;
    Ok(match end {
        End::Interrupted => Exit::Interrupted,
        End::Finished if state.failing_sets().next().is_some() => Exit::Findings,
        End::Finished => Exit::Clean,
    })
}

/// Takes back what an interrupted run left in the tree and had not settled.
fn recover(root: &Path, state: &State) -> Result<()> {
    let Some(trial) = &state.trial else { return Ok(()) };
    let after = trial.after.as_deref().and_then(BatchId::parse);
    for batch in edits::batches(root)? {
        let is_later = after.is_none_or(|after| batch.id > after);
        if is_later && batch.title == trial.title && batch.state != BatchState::Undone {
            edits::undo(root, Some(&batch.id.to_string()))?;
        }
    }
    Ok(())
}

fn say(context: &mut Context<'_>, taken_up: Option<&State>) -> Result<()> {
    let line = match taken_up {
        Some(state) => format!(
            "goes on where it was interrupted: {} batches done, {} builds made",
            state.batches.len(),
            state.builds
        ),
        None => {
            "begins anew: the run that was interrupted had another command or other options".into()
        }
    };
    context.write(|out| writeln!(out, "{line}"))
}

/// The files that the plan would change, without those that this run has changed already.
fn touched(plan: &Plan, state: &State) -> Vec<String> {
    let ours: BTreeSet<&String> = state.batches.iter().flat_map(|batch| &batch.files).collect();
    let changes = plan.batches.iter().flat_map(|batch| &batch.changes);
    let files: BTreeSet<String> = changes.map(|change| change.path.to_string()).collect();
    files.into_iter().filter(|file| !ours.contains(file)).collect()
}

fn expected(plan: &Plan) -> Vec<Label> {
    let targets: BTreeSet<&Label> = plan.batches.iter().flat_map(|batch| &batch.targets).collect();
    targets.into_iter().cloned().collect()
}

/// Runs the verification on a thread that the analysis may fill, and writes here what it tells.
fn build(
    verification: &Verification<'_>,
    state: &mut State,
    site: Site,
    batches: usize,
    is_quiet: bool,
    context: &mut Context<'_>,
) -> Result<End> {
    let threads = context.threads()?;
    let bar = BuildBar::new(context.shows_progress(), batches, state.batches.len());
    let (lines, told) = channel();
    let opener = context.opener();
    let mut bench = Workbench { site, opener, runner: Runner::new()?, lines, bar: bar.clone() };
    thread::scope(|scope| {
        let worker =
            scope.spawn(move || threads.install(|| verification.run(state, &mut bench, &Silent)));
        let mut written = Ok(());
        for line in told {
            if !is_quiet {
                written = bar.suspend(|| context.write_now(|out| writeln!(out, "{line}")));
            }
            if written.is_err() {
                break;
            }
        }
        let end = worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        bar.clear();
        written.and(end)
    })
}

/// The project and what is kept of it.
struct Site {
    root: PathBuf,
    command: String,
    timeout: Option<Duration>,
    records: Records,
    quarantine: Quarantine,
}

struct Workbench {
    site: Site,
    opener: Opener,
    runner: Runner,
    lines: Sender<String>,
    bar: BuildBar,
}

impl Bench for Workbench {
    fn open(&mut self) -> Result<Workspace> {
        self.opener.open()
    }

    fn save(&mut self, state: &State) -> Result<()> {
        self.site.records.write(STATE, &state.write()?)
    }

    fn last_batch(&mut self) -> Result<Option<BatchId>> {
        Ok(edits::batches(&self.site.root)?.last().map(|batch| batch.id))
    }

    fn apply(&mut self, changes: &[FileChange], title: &str) -> Result<Option<BatchId>> {
        let info = BatchInfo { title: title.to_owned(), remove_empty_dirs: false };
        Ok(edits::apply(&self.site.root, changes, &info)?.map(|batch| batch.id))
    }

    fn undo(&mut self, batch: BatchId) -> Result<()> {
        edits::undo(&self.site.root, Some(&batch.to_string()))?;
        Ok(())
    }

    fn build(&mut self, affected: &Affected, name: &str) -> Result<Option<Built>> {
        let Site { root, command, timeout, records, .. } = &self.site;
        let (file, log) = records.log(name)?;
        let command = shell::fill(command, affected);
        let ending = if command.len() < shell::LONGEST_ARGUMENT {
            self.runner.run(&["-c", &command], root, file, *timeout)?
        } else {
            let script = records.write_script("verify.sh", command.as_bytes())?;
            self.runner.run(&[&script], root, file, *timeout)?
        };
        let outcome = match ending {
            Ending::Succeeded => Outcome::Pass,
            Ending::Failed => Outcome::Fail,
            Ending::TimedOut => Outcome::Timeout,
            Ending::Interrupted => return Ok(None),
        };
        if outcome == Outcome::Pass {
            records.drop_log(name)?;
            return Ok(Some(Built { outcome, log: String::new() }));
        }
        Ok(Some(Built { outcome, log }))
    }

    fn settle(&mut self, kept: &BTreeSet<String>, failed: &[FailingSet]) -> Result<()> {
        let before = self.site.quarantine.clone();
        self.site.quarantine.update(kept, failed);
        if self.site.quarantine == before {
            return Ok(());
        }
        self.site.records.write(QUARANTINE, &self.site.quarantine.write()?)
    }

    fn tell(&mut self, news: News<'_>) -> Result<()> {
        self.bar.show(&news);
        let text = match news {
            News::Done(outcome) => describe(outcome),
            News::Changed => {
                "begins anew: the project is not as the interrupted run left it".to_owned()
            }
            News::Planning | News::TestingTree | News::Testing { .. } => return Ok(()),
        };
        // Names of files may hold what a terminal would act upon.
        let text = text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        self.lines.send(text).map_err(|_| Error::new("cannot write the results"))
    }
}

fn describe(outcome: &BatchOutcome) -> String {
    let BatchOutcome { batch, title, fixes, kept, builds, stranded, quarantined, .. } = outcome;
    let number = batch.as_deref().unwrap_or("----");
    let plural = if *builds == 1 { "" } else { "s" };
    let mut text =
        format!("{number}  {title}: {kept} of {fixes} fixes kept, {builds} build{plural}");
    // Writing to a text does not fail.
    for set in quarantined {
        let why = match set.outcome {
            Outcome::Timeout => "the command does not end in time",
            _ => "the command fails",
        };
        let together = if set.fixes.len() > 1 { " together" } else { "" };
        let _ = write!(text, "\n      quarantined{together}: {why}, see {}", set.log);
        for suspect in set.fixes.iter().flatten() {
            let Suspect { path, line, message, .. } = suspect;
            let _ = write!(text, "\n        {path}:{line}: {message}");
        }
    }
    if *stranded > 0 {
        let _ = write!(text, "\n      put off: {stranded} fixes that need one of these");
    }
    text
}

fn summary(state: &State, left_out: usize) -> String {
    let kept: usize = state.batches.iter().map(|batch| batch.kept).sum();
    let quarantined: usize = state.failing_sets().map(|set| set.fixes.len()).sum();
    let tree = if state.tree_passes { " and one of the tree without fixes" } else { "" };
    let mut text =
        format!("{kept} fixes kept, {quarantined} quarantined, {} builds{tree}", state.builds);
    if left_out > 0 {
        let _ = write!(text, "; {left_out} quarantined before, see --retry-quarantined");
    }
    if !state.finished {
        text += "\ninterrupted: the same command goes on from here";
    }
    text
}
