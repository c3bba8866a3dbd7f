//! The thread that analyses: findings, then proofs, then whatever the screen asks of them. Reads the project, and writes to it
//! through `edits`.

use super::super::codemod::{codeowners, write_patches};
use super::super::context::{Context, Opener};
use super::super::selection;
use super::Incoming;
use crate::buck::SourceOrigin;
use crate::codemod::{self, By, Filter, owner_of};
use crate::cost::{GraphChange, Ledger};
use crate::edits::{self, ApplyError, BatchInfo, FileChange, Prover, Wanted};
use crate::error::{Error, Result};
use crate::finding::{FixSet, Report, Safety, Saving};
use crate::graph::{self, Graph};
use crate::progress::{Progress, Silent};
use crate::source::ProjectPath;
use crate::tui::message::{Analysis, Outcome, Preview};
use crate::tui::{Item, Message, Proof};
use crate::workspace::Workspace;
use crossbeam_channel::TryRecvError;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::thread;

/// Fixes that are tried before the screen hears of them.
const CHUNK: usize = 16;

/// What the screen asks for.
pub(super) enum Request {
    Analyse,
    Prefer(Vec<String>),
    Combine { accepted: Vec<String>, kept: Vec<(String, String)> },
    Apply(Box<Preview>),
    TakeBack(String),
    Export { directory: PathBuf, accepted: Vec<String> },
}

/// A handle to the thread.
pub(super) struct Worker {
    requests: crossbeam_channel::Sender<Request>,
    cancelled: Arc<AtomicBool>,
}

impl Worker {
    pub(super) fn new(
        patterns: Vec<String>,
        context: &Context<'_>,
        sender: Sender<Incoming>,
    ) -> Result<Self> {
        let (requests, asked) = crossbeam_channel::unbounded();
        let cancelled = Arc::new(AtomicBool::new(false));
        let (opener, today, threads) = (context.opener(), context.today(), context.threads()?);
        let work =
            Work { patterns, opener, today, sender, asked, cancelled: Arc::clone(&cancelled) };
        thread::spawn(move || {
            // A thread of its own may wait for requests; those of the pool do the work.
            threads.install(|| work.run());
        });
        Ok(Self { requests, cancelled })
    }

    pub(super) fn ask(&self, request: Request) {
        if matches!(request, Request::Analyse) {
            // What goes on is about to be out of date.
            self.cancelled.store(true, Ordering::SeqCst);
        }
        self.requests.send(request).ok();
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }
}

struct Work {
    patterns: Vec<String>,
    opener: Opener,
    today: jiff::civil::Date,
    sender: Sender<Incoming>,
    asked: crossbeam_channel::Receiver<Request>,
    cancelled: Arc<AtomicBool>,
}

/// What comes after a session.
enum Next {
    Again,
    End,
}

impl Work {
    fn run(&self) {
        while let Ok(request) = self.asked.recv() {
            if matches!(request, Request::Analyse) {
                loop {
                    self.cancelled.store(false, Ordering::SeqCst);
                    match self.analyse() {
                        Ok(Next::Again) => {}
                        Ok(Next::End) => return,
                        Err(error) => {
                            if !self.cancelled.load(Ordering::SeqCst) {
                                self.say(Message::Failed(error.to_string()));
                            }
                            break;
                        }
                    }
                }
            } else {
                self.say(Message::Notice("nothing is read so far: f5 reads it".to_owned()));
            }
        }
    }

    fn say(&self, message: Message) {
        self.sender.send(Incoming::Message(message)).ok();
    }

    /// Reads everything, and serves requests about it until it is to be read anew.
    fn analyse(&self) -> Result<Next> {
        let workspace = self.opener.open()?;
        let selection = selection::of_tui(&self.patterns, &workspace)?;
        let cells = graph::configurations(&workspace)?;
        let progress = Watched::new(&self.sender, &self.cancelled);
        let (evaluators, graph) = graph::build_and_keep(&workspace, &cells, &progress)?;
        let graph = Arc::new(graph);
        let report = crate::checks::run(&workspace, &graph, &selection, &progress);
        let prints = report.fingerprints();
        self.say(Message::Analysed(Box::new(analysis(&workspace, &graph, &report, &prints))));
        let prover = Prover::new(&workspace, &graph, &evaluators);
        let ledger = Ledger::new(&workspace, &graph, None);
        let fixes: BTreeMap<&str, &FixSet> = report
            .findings
            .iter()
            .zip(&prints)
            .filter_map(|(finding, print)| Some((print.as_str(), finding.fix.as_ref()?)))
            .collect();
        // Before anything is proven, so that rows stand where they stay.
        let savings = self.prices(&ledger, &graph, &fixes);
        self.say(Message::Priced(savings.clone()));
        let session = Session {
            work: self,
            workspace: &workspace,
            graph: &graph,
            report: &report,
            prover: &prover,
            fixes,
            savings,
        };
        Ok(session.serve())
    }

    /// What each fix saves alone, by fingerprint; a fix that several findings share is priced once.
    fn prices(
        &self,
        ledger: &Ledger<'_>,
        graph: &Graph,
        fixes: &BTreeMap<&str, &FixSet>,
    ) -> BTreeMap<String, Saving> {
        let distinct: BTreeSet<&FixSet> = fixes.values().copied().collect();
        let distinct: Vec<&FixSet> = distinct.into_iter().collect();
        let saving = |fix: &&FixSet| {
            let is_wanted = !self.cancelled.load(Ordering::Relaxed);
            is_wanted.then(|| ledger.saving(&GraphChange::of_fixes(graph, [*fix])))
        };
        let savings: Vec<Option<Saving>> = distinct.par_iter().map(saving).collect();
        let of: FxHashMap<&FixSet, Option<Saving>> = distinct.into_iter().zip(savings).collect();
        let price =
            |(print, fix): (&&str, &&FixSet)| Some(((*print).to_owned(), of.get(fix)?.clone()?));
        fixes.iter().filter_map(price).collect()
    }
}

fn analysis(
    workspace: &Workspace,
    graph: &Arc<Graph>,
    report: &Report,
    prints: &[String],
) -> Analysis {
    let codeowners = codeowners(workspace);
    let findings: Vec<_> = report.findings.iter().zip(prints).collect();
    let item = |(finding, print): &(&crate::finding::Finding, &String)| {
        // What has no target has a package all the same.
        let dir = || finding.region.path.parent().unwrap_or_else(ProjectPath::root).to_string();
        let package = || workspace.tree.package_of(&finding.region.path);
        let package = || package().map_or_else(dir, |package| package.id.to_string());
        let owner = owner_of(workspace, graph, &codeowners, finding);
        Item {
            fingerprint: (*print).clone(),
            package: finding
                .target
                .as_ref()
                .map_or_else(package, |label| label.package.to_string()),
            owner: owner.map_or_else(|| "nobody".to_owned(), |owner| owner.to_string()),
            finding: (*finding).clone(),
            saving: None,
            proof: Proof::Open,
            edit: None,
        }
    };
    let ids: Vec<_> = graph.targets.ids().collect();
    let bytes = ids.par_iter().map(|id| {
        let sources = graph.definition(*id).into_iter().flat_map(|target| &target.sources);
        let files = sources.filter_map(|source| match &source.origin {
            SourceOrigin::File { path, .. } => workspace.files.size(path).ok(),
            SourceOrigin::Target(_) => None,
        });
        files.sum()
    });
    Analysis {
        items: findings.par_iter().map(item).collect(),
        graph: Some(Arc::clone(graph)),
        bytes: Arc::new(bytes.collect()),
        problems: report.coverage.packages_failed + report.coverage.python_files_failed,
    }
}

/// An analysis that is over, and what is asked of it.
struct Session<'a> {
    work: &'a Work,
    workspace: &'a Workspace,
    graph: &'a Graph,
    report: &'a Report,
    prover: &'a Prover<'a>,
    /// Fixes by the fingerprints of their findings.
    fixes: BTreeMap<&'a str, &'a FixSet>,
    /// What each saves alone.
    savings: BTreeMap<String, Saving>,
}

impl<'a> Session<'a> {
    fn serve(&self) -> Next {
        let mut waiting = self.in_order();
        let mut is_settled = false;
        loop {
            let request = match (self.work.asked.try_recv(), waiting.is_empty()) {
                (Ok(request), _) => request,
                (Err(TryRecvError::Disconnected), _) => return Next::End,
                (Err(TryRecvError::Empty), true) => {
                    if !std::mem::replace(&mut is_settled, true) {
                        self.work.say(Message::Settled);
                    }
                    match self.work.asked.recv() {
                        Ok(request) => request,
                        Err(_) => return Next::End,
                    }
                }
                (Err(TryRecvError::Empty), false) if self.work.cancelled.load(Ordering::SeqCst) => {
                    waiting.clear();
                    is_settled = true;
                    continue;
                }
                (Err(TryRecvError::Empty), false) => {
                    let chunk: Vec<_> = waiting.drain(..waiting.len().min(CHUNK)).collect();
                    self.attempt(&chunk);
                    continue;
                }
            };
            match request {
                Request::Analyse => return Next::Again,
                Request::Prefer(prints) => {
                    let rank = |print: &str| prints.iter().position(|it| it == print);
                    let (mut first, rest): (Vec<_>, Vec<_>) =
                        waiting.into_iter().partition(|(print, _)| rank(print).is_some());
                    first.sort_by_key(|(print, _)| rank(print));
                    waiting = first.into_iter().chain(rest).collect();
                }
                Request::Combine { accepted, kept } => {
                    let preview = self.combine(&accepted, &kept);
                    self.work.say(Message::Preview(Box::new(preview)));
                }
                Request::Apply(preview) => {
                    let outcome = self.apply(&preview);
                    self.work.say(Message::Applied(Box::new(outcome)));
                }
                Request::TakeBack(batch) => {
                    self.work.say(Message::TakenBack(self.take_back(&batch)));
                }
                Request::Export { directory, accepted } => {
                    let said =
                        self.export(&directory, accepted).unwrap_or_else(|error| error.to_string());
                    self.work.say(Message::Notice(said));
                }
            }
        }
    }

    /// All fixes. Safe ones are tried first: they are what most look for; then what saves most.
    fn in_order(&self) -> VecDeque<(&'a str, &'a FixSet)> {
        let mut order: Vec<_> = self.fixes.iter().map(|(print, fix)| (*print, *fix)).collect();
        let saving =
            |print| self.savings.get(print).map_or(0, |saving: &Saving| saving.target_roots);
        order.sort_by_key(|(print, fix)| (fix.safety != Safety::Safe, Reverse(saving(*print))));
        order.into()
    }

    /// Tries some fixes, each alone.
    fn attempt(&self, fixes: &[(&str, &FixSet)]) {
        let tried = fixes.par_iter().map(|(print, fix)| {
            let proof = match self.prover.propose(&fix.changes) {
                Ok(contents) => match self.changes(contents) {
                    Ok(changes) => Proof::Proven(Arc::new(changes)),
                    Err(error) => Proof::Refused(error.to_string()),
                },
                Err(reason) => Proof::Refused(reason),
            };
            ((*print).to_owned(), proof)
        });
        self.work.say(Message::Tried(tried.collect()));
    }

    fn changes(&self, contents: edits::Contents) -> Result<Vec<FileChange>> {
        let change = |(path, after): (ProjectPath, Option<Vec<u8>>)| {
            let before = self.workspace.files.read(&path);
            let before = before
                .map_err(|error| Error::new("cannot be read").at(path.as_str()).cause(error))?;
            Ok(FileChange { path, before, after })
        };
        contents.into_iter().map(change).collect()
    }

    fn combine(&self, accepted: &[String], kept: &[(String, String)]) -> Preview {
        let (comments, by_hand) = self.comments(kept);
        let wanted = accepted.iter().filter_map(|print| self.fixes.get(print.as_str()).copied());
        let combined = self.prover.combine(wanted.chain(comments.values()));
        let made: BTreeSet<&FixSet> = combined.fixes.iter().copied().collect();
        let is_made =
            |print: &&String| self.fixes.get(print.as_str()).is_some_and(|fix| made.contains(fix));
        let is_kept = |print: &&String| comments.get(*print).is_some_and(|fix| made.contains(fix));
        let settled = accepted.iter().filter(is_made);
        let settled = settled.chain(kept.iter().map(|(print, _)| print).filter(is_kept));
        let settles: Vec<String> = settled.cloned().collect();
        let reason = |print: &String| {
            let fix = comments.get(print).or_else(|| self.fixes.get(print.as_str()).copied())?;
            let refused = combined.refused.iter().find(|(refused, _)| *refused == fix);
            Some((print.clone(), refused.map(|(_, reason)| reason.clone())?))
        };
        let decided = accepted.iter().chain(comments.keys());
        let refused = decided.filter_map(reason).chain(by_hand).collect();
        let codeowners = codeowners(self.workspace);
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        let all = self.report.findings.iter().zip(self.report.fingerprints());
        for (finding, _) in all.filter(|(_, print)| settles.contains(print)) {
            let owner = owner_of(self.workspace, self.graph, &codeowners, finding);
            let owner = owner.map_or_else(|| "nobody".to_owned(), |owner| owner.to_string());
            *owners.entry(owner).or_default() += 1;
        }
        match self.changes(combined.contents) {
            Ok(changes) => Preview { settles, changes, refused, owners },
            Err(error) => {
                let refused = accepted.iter().map(|print| (print.clone(), error.to_string()));
                Preview { refused: refused.collect(), ..Preview::default() }
            }
        }
    }

    /// Comments that keep findings as they are, by fingerprint, and those that have to be written by hand.
    fn comments(
        &self,
        kept: &[(String, String)],
    ) -> (BTreeMap<String, FixSet>, Vec<(String, String)>) {
        let prints = self.report.fingerprints();
        let chosen: Vec<(usize, &String, &str)> = kept
            .iter()
            .filter_map(|(print, reason)| {
                Some((prints.iter().position(|it| it == print)?, print, reason.as_str()))
            })
            .collect();
        let places: Vec<(usize, &str)> =
            chosen.iter().map(|(at, _, reason)| (*at, *reason)).collect();
        let changes = self.prover.keeps(&self.report.findings, &places);
        let (mut comments, mut by_hand) = (BTreeMap::new(), Vec::new());
        for ((_, print, _), change) in chosen.into_iter().zip(changes) {
            match change {
                Ok(change) => {
                    comments.insert(print.clone(), FixSet::new(Safety::Safe, [change]));
                }
                Err(reason) => by_hand.push((print.clone(), reason)),
            }
        }
        (comments, by_hand)
    }

    fn apply(&self, preview: &Preview) -> Outcome {
        let info = BatchInfo { title: "tui".to_owned(), remove_empty_dirs: false };
        match edits::apply(&self.workspace.root, &preview.changes, &info) {
            Ok(Some(batch)) => Outcome::Written {
                batch: batch.id.to_string(),
                files: preview.changes.iter().map(|change| change.path.clone()).collect(),
                settles: preview.settles.clone(),
            },
            Ok(None) => Outcome::Refused(vec![(String::new(), "nothing changes".to_owned())]),
            Err(error) => Outcome::Refused(reasons(error)),
        }
    }

    fn take_back(&self, batch: &str) -> std::result::Result<String, String> {
        match edits::undo(&self.workspace.root, Some(batch)) {
            Ok(batch) => Ok(match batch.edited.len() + batch.deleted.len() {
                1 => "taken back: 1 file is as it was before".to_owned(),
                count => format!("taken back: {count} files are as they were before"),
            }),
            Err(error) => {
                let lines = reasons(error).into_iter();
                let lines: Vec<String> =
                    lines.map(|(path, why)| format!("refused: {path}: {why}")).collect();
                Err(lines.join("\n"))
            }
        }
    }

    fn export(&self, directory: &std::path::Path, accepted: Vec<String>) -> Result<String> {
        let accepted: BTreeSet<String> = accepted.into_iter().collect();
        let selection = selection::of_tui(&self.work.patterns, self.workspace)?;
        let request = codemod::Request {
            selection: &selection,
            owners: &[],
            wanted: Wanted::All,
            by: By::Owner,
            max_files: usize::MAX,
            history: None,
            filter: Filter::Only(&accepted),
        };
        let plan = codemod::plan(self.workspace, request, &codeowners(self.workspace), &Silent)?;
        let count = write_patches(directory, self.workspace, &plan, self.work.today)?;
        let patches = if count == 1 { "patch" } else { "patches" };
        Ok(format!("{count} {patches} in {}", directory.display()))
    }
}

fn reasons(error: ApplyError) -> Vec<(String, String)> {
    match error {
        ApplyError::Refused(refused) => {
            refused.iter().map(|it| (it.path.to_string(), it.reason.to_string())).collect()
        }
        ApplyError::Failed(error) => vec![(String::new(), error.to_string())],
    }
}

/// Tells the screen how far the analysis is, and the analysis that it is to stop.
struct Watched<'a> {
    sender: &'a Sender<Incoming>,
    cancelled: &'a AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl<'a> Watched<'a> {
    fn new(sender: &'a Sender<Incoming>, cancelled: &'a AtomicBool) -> Self {
        Self { sender, cancelled, done: AtomicUsize::new(0), total: AtomicUsize::new(0) }
    }

    fn say(&self, stage: &'static str, done: usize, total: Option<usize>) {
        self.sender.send(Incoming::Message(Message::Progress { stage, done, total })).ok();
    }
}

impl Progress for Watched<'_> {
    fn start(&self, stage: &'static str, total: Option<usize>) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
        self.say(stage, 0, total);
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        // Once in a while is enough.
        if done.is_multiple_of(64) {
            self.say("reading", done, Some(self.total.load(Ordering::Relaxed)));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
