//! Batches made one by one, each followed by a build; where one fails, the guilty fixes are found and taken out again. Knows
//! no disk, no process and no clock: a [`Bench`] has them.
//!
//! A run can stop at any point. What it knows is a [`State`], saved before the tree is touched and after every build. Whoever
//! takes it up brings the tree back to its last whole batch, by [`State::trial`], and goes on. Each batch is planned from the
//! tree as it is, so that an interrupted run and one that was left alone do the same.

use super::affected::{self, Affected};
use super::bisect::{Bisection, Outcome, Quarantined, Step, Verdict};
use super::message::message;
use super::owners::Codeowners;
use super::plan::{Batch, Filter, PlannedFix, Request};
use super::quarantine::{FailingSet, suspects};
use super::round::{Analysis, Round};
use super::state::{BatchOutcome, Current, State, Trial};
use crate::edits::{BatchId, FileChange};
use crate::error::{Error, Result};
use crate::finding::FixSet;
use crate::label::Label;
use crate::progress::Progress;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// More batches than this, and something goes in circles.
const MAX_BATCHES: usize = 100_000;

/// Where builds are made.
pub trait Bench {
    /// The project as it is on disk now.
    fn open(&mut self) -> Result<Workspace>;
    /// Writes the state, durably.
    fn save(&mut self, state: &State) -> Result<()>;
    /// The number of the last batch in the journal.
    fn last_batch(&mut self) -> Result<Option<BatchId>>;
    /// Writes the changes to the tree, with a journal; `None` if they change nothing.
    fn apply(&mut self, changes: &[FileChange], title: &str) -> Result<Option<BatchId>>;
    /// Takes a batch of changes back.
    fn undo(&mut self, batch: BatchId) -> Result<()>;
    /// Runs the command; `None` if it was interrupted. `name` is that of its log.
    fn build(&mut self, affected: &Affected, name: &str) -> Result<Option<Built>>;
    /// Notes what became of a batch, before the state does.
    fn settle(&mut self, kept: &BTreeSet<String>, failed: &[FailingSet]) -> Result<()>;
    /// Tells the user.
    fn tell(&mut self, news: News<'_>) -> Result<()>;
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Whether it succeeded.
    pub outcome: Outcome,
    /// The file that has what it said, relative to the project root.
    pub log: String,
}

/// What the user wants to hear while it happens.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// The next batch is being planned.
    Planning,
    /// The tree without any fix is being tested.
    TestingTree,
    /// So many of the fixes of a batch are being tested.
    Testing {
        /// What the batch does.
        subject: &'a str,
        /// How many of its fixes.
        fixes: usize,
        /// How many builds this batch needs at most, as far as can be told.
        builds_left: usize,
    },
    /// A batch is done.
    Done(&'a BatchOutcome),
    /// What an earlier run knew is about another tree, and is forgotten.
    Changed,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All batches are done.
    Finished,
    /// The user stopped it; the tree has whole batches only.
    Interrupted,
}

/// What is wanted, and how to plan it.
pub struct Verification<'a> {
    /// What to plan; its filter is not heeded, the state's is.
    pub request: Request<'a>,
    /// Who answers for files.
    pub codeowners: &'a Codeowners,
    /// All targets that the plan is expected to change, for the build without fixes.
    pub expected: &'a [Label],
}

/// What became of one look at the tree.
enum Turn {
    Over,
    Next,
    Interrupted,
}

impl Verification<'_> {
    /// Makes batches until there are none, from where `state` is. The tree must be as the last batch left it.
    ///
    /// Fails if the command fails on the tree without any fix; nothing is written then.
    pub fn run(
        &self,
        state: &mut State,
        bench: &mut dyn Bench,
        progress: &dyn Progress,
    ) -> Result<End> {
        for _ in 0..MAX_BATCHES {
            bench.tell(News::Planning)?;
            let workspace = bench.open()?;
            let left_out = state.left_out();
            // Nobody reads what a batch saves here.
            let filter = Filter::LeaveOut(&left_out);
            let request = Request { filter, history: None, ..self.request };
            let number = state.batches.len();
            let round =
                Round { workspace: &workspace, request, codeowners: self.codeowners, number };
            let turn = round.run(1, progress, |plan, analysis| match plan.batches.first() {
                None => Ok(Turn::Over),
                Some(batch) => self.turn(batch, analysis, state, bench),
            })?;
            match turn {
                Turn::Next => {}
                Turn::Interrupted => return Ok(End::Interrupted),
                Turn::Over => {
                    state.current = None;
                    state.finished = true;
                    bench.save(state)?;
                    return Ok(End::Finished);
                }
            }
        }
        Err(Error::new("fixes make new findings without end"))
    }

    fn turn(
        &self,
        batch: &Batch,
        analysis: &Analysis<'_>,
        state: &mut State,
        bench: &mut dyn Bench,
    ) -> Result<Turn> {
        let digest = analysis.digest(batch)?;
        if state.current.as_ref().is_some_and(|current| current.digest != digest) {
            bench.tell(News::Changed)?;
            state.forget();
            return Ok(Turn::Next);
        }
        let mut current = match state.current.take() {
            Some(current) => current,
            None => {
                let sets: Vec<&FixSet> = batch.fixes.iter().map(|fix| &fix.set).collect();
                let needs = affected::needs(analysis.graph, &sets);
                Current { digest, bisection: Bisection::new(needs)?, builds: 0 }
            }
        };
        state.current = Some(current.clone());
        if !state.tree_passes && !self.test_tree(analysis, state, bench)? {
            return Ok(Turn::Interrupted);
        }
        let affected = Affected::by(analysis.graph, &batch.targets);
        let mut work = Work { batch, analysis, affected, state, bench, applied: None };
        match work.search(&mut current)? {
            None => Ok(Turn::Interrupted),
            Some(verdict) => work.finish(&current, verdict).map(|()| Turn::Next),
        }
    }

    /// Whether the command succeeds on the tree without any fix; false if it was interrupted.
    fn test_tree(
        &self,
        analysis: &Analysis<'_>,
        state: &mut State,
        bench: &mut dyn Bench,
    ) -> Result<bool> {
        bench.tell(News::TestingTree)?;
        let affected = Affected::by(analysis.graph, self.expected);
        let Some(built) = bench.build(&affected, "tree")? else { return Ok(false) };
        if built.outcome != Outcome::Pass {
            let what =
                if built.outcome == Outcome::Timeout { "does not end in time" } else { "fails" };
            let message = format!("`{}` {what} on the tree without any fix", state.setup.command);
            let hint = format!("nothing was written; {} has what it said", built.log);
            return Err(Error::new(message).hint(hint));
        }
        state.tree_passes = true;
        bench.save(state)?;
        Ok(true)
    }
}

/// A batch being tested.
struct Work<'w> {
    batch: &'w Batch,
    analysis: &'w Analysis<'w>,
    affected: Affected,
    state: &'w mut State,
    bench: &'w mut dyn Bench,
    /// The batch of the journal that has the fixes that are in the tree, and which fixes these are.
    applied: Option<(BatchId, Vec<usize>)>,
}

impl Work<'_> {
    /// Tests until the guilty fixes are known; `None` if it was interrupted.
    fn search(&mut self, current: &mut Current) -> Result<Option<Verdict>> {
        loop {
            let fixes = match current.bisection.step() {
                Step::Done(verdict) => return Ok(Some(verdict)),
                Step::Test(fixes) => fixes,
            };
            self.take_back()?;
            let (outcome, log) = match self.analysis.changes(&self.fixes(&fixes))? {
                // No build can show more than the proof does.
                Err(reason) => (Outcome::Fail, reason),
                Ok(changes) => match self.test(current, &fixes, &changes)? {
                    Some(built) => (built.outcome, built.log),
                    None => return Ok(None),
                },
            };
            current.bisection.record(&fixes, outcome, log);
            self.state.current = Some(current.clone());
            self.bench.save(self.state)?;
        }
    }

    fn test(
        &mut self,
        current: &mut Current,
        fixes: &[usize],
        changes: &[FileChange],
    ) -> Result<Option<Built>> {
        let subject = self.subject(fixes);
        let builds_left = current.builds_left();
        self.bench.tell(News::Testing { subject: &subject, fixes: fixes.len(), builds_left })?;
        self.apply(fixes, changes, &subject)?;
        let tested = self.fixes(fixes);
        let affected = self.affected.without(&affected::deleted(tested));
        let name =
            self.applied.as_ref().map_or_else(|| "none".to_owned(), |(id, _)| id.to_string());
        let built = self.bench.build(&affected, &name);
        match built {
            Ok(Some(built)) => {
                current.builds += 1;
                self.state.builds += 1;
                Ok(Some(built))
            }
            stopped => {
                self.take_back()?;
                self.state.trial = None;
                self.bench.save(self.state)?;
                stopped
            }
        }
    }

    /// Writes fixes to the tree. That they may be there is on disk before.
    fn apply(&mut self, fixes: &[usize], changes: &[FileChange], title: &str) -> Result<()> {
        let after = self.bench.last_batch()?.map(|id| id.to_string());
        self.state.trial = Some(Trial { after, title: title.to_owned() });
        self.bench.save(self.state)?;
        let id = self.bench.apply(changes, title)?;
        self.applied = id.map(|id| (id, fixes.to_vec()));
        Ok(())
    }

    fn take_back(&mut self) -> Result<()> {
        match self.applied.take() {
            Some((id, _)) => self.bench.undo(id),
            None => Ok(()),
        }
    }

    /// Keeps what passed, and notes what did not.
    fn finish(&mut self, current: &Current, verdict: Verdict) -> Result<()> {
        let Verdict { kept, quarantined, stranded } = verdict;
        if self.applied.as_ref().is_none_or(|(_, applied)| *applied != kept) {
            self.take_back()?;
            if !kept.is_empty() {
                let changes = self.analysis.changes(&self.fixes(&kept))?;
                let changes = changes.map_err(Error::new)?;
                let subject = self.subject(&kept);
                self.apply(&kept, &changes, &subject)?;
            }
        }
        let failed: Vec<FailingSet> = quarantined.iter().map(|set| self.failing(set)).collect();
        let kept_fixes = self.fixes(&kept);
        let free = kept_fixes.iter().flat_map(|fix| fix.fingerprints.iter().cloned()).collect();
        self.bench.settle(&free, &failed)?;
        let files = self.batch.changes.iter().map(|change| change.path.to_string());
        let outcome = BatchOutcome {
            batch: self.applied.as_ref().map(|(id, _)| id.to_string()),
            title: self.subject(if kept.is_empty() { &[] } else { &kept }),
            fixes: self.batch.fixes.len(),
            kept: kept.len(),
            stranded: stranded.len(),
            quarantined: failed,
            builds: current.builds,
            files: if kept.is_empty() { Vec::new() } else { files.collect() },
        };
        self.state.batches.push(outcome);
        self.state.current = None;
        self.state.trial = None;
        self.bench.save(self.state)?;
        match self.state.batches.last() {
            Some(outcome) => self.bench.tell(News::Done(outcome)),
            None => Ok(()),
        }
    }

    fn failing(&self, set: &Quarantined) -> FailingSet {
        FailingSet {
            fixes: self.fixes(&set.fixes).into_iter().map(suspects).collect(),
            outcome: set.test.outcome,
            command: self.state.setup.command.clone(),
            log: set.test.log.clone(),
        }
    }

    fn fixes(&self, numbers: &[usize]) -> Vec<&PlannedFix> {
        numbers.iter().filter_map(|number| self.batch.fixes.get(*number)).collect()
    }

    /// What some fixes do, or all if none are named.
    fn subject(&self, numbers: &[usize]) -> String {
        let mut part = self.batch.clone();
        if !numbers.is_empty() {
            part.fixes = self.fixes(numbers).into_iter().cloned().collect();
        }
        message(&part).subject
    }
}
