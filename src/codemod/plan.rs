//! Fixes in batches that a person can review: by owner, package or target, each buildable on top of those before it. Writes
//! nothing.

use super::owners::{Codeowners, Owner};
use super::{buildozer, script};
use crate::buck::Evaluator;
use crate::checks::{self, Selection};
use crate::cost::{GraphChange, History, Ledger};
use crate::edits::{Contents, FileChange, Prover, Wanted};
use crate::error::{Error, Result};
use crate::finding::{Finding, FixSet, Saving};
use crate::graph::{self, Graph};
use crate::progress::Progress;
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};

/// More rounds than this, and something goes in circles.
const MAX_ROUNDS: usize = 50;

/// What the fixes of a batch have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Who answers for the file.
    Owner,
    /// The package.
    Package,
    /// The target.
    Target,
}

/// What to plan.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The findings to fix.
    pub selection: &'a Selection,
    /// Which fixes.
    pub wanted: Wanted,
    /// What the fixes of a batch have in common.
    pub by: By,
    /// The most files in one batch; a fix that needs more is a batch of its own.
    pub max_files: usize,
    /// Recent commits, to tell how many rebuilds a batch would have saved.
    pub history: Option<&'a History>,
}

/// Fixes that go together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What they have in common: an owner, a package or a target.
    pub key: String,
    /// Who answers for them.
    pub owner: Option<Owner>,
    /// In which round they became possible, from 0.
    pub round: usize,
    /// The fixes, each with the findings that it settles.
    pub fixes: Vec<(FixSet, Vec<Finding>)>,
    /// What they save together, once the batches of the rounds before are made.
    pub saving: Saving,
    /// The same for buildozer.
    pub steps: Vec<(buildozer::Rule, buildozer::Change)>,
    /// What becomes of the files, once the batches before this one are made.
    pub changes: Vec<FileChange>,
}

impl Batch {
    /// The findings that it settles, in the order of reports.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.fixes.iter().flat_map(|(_, findings)| findings)
    }
}

/// Batches in the order in which they are to be made.
#[derive(Debug, Default)]
pub struct Plan {
    /// The batches.
    pub batches: Vec<Batch>,
    /// Findings whose fix could not be proven, and why.
    pub refused: Vec<(Finding, String)>,
}

/// Plans the fixes, round by round: what a round makes unused comes in the next.
pub fn plan(
    workspace: &Workspace,
    request: Request<'_>,
    codeowners: &Codeowners,
    progress: &dyn Progress,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut contents = Contents::new();
    for number in 0..MAX_ROUNDS {
        let changed = workspace.with_contents(&contents);
        let round = Round { workspace: &changed, request, codeowners, number };
        let before = plan.batches.len();
        plan.refused = round.run(&mut plan.batches, progress)?;
        if plan.batches.len() == before {
            break;
        }
        for change in plan.batches[before..].iter().flat_map(|batch| &batch.changes) {
            contents.insert(change.path.clone(), change.after.clone());
        }
    }
    Ok(plan)
}

struct Round<'a> {
    workspace: &'a Workspace,
    request: Request<'a>,
    codeowners: &'a Codeowners,
    number: usize,
}

impl Round<'_> {
    fn run(
        &self,
        batches: &mut Vec<Batch>,
        progress: &dyn Progress,
    ) -> Result<Vec<(Finding, String)>> {
        let workspace = self.workspace;
        let cells = graph::configurations(workspace)?;
        let evaluators: Result<Vec<Evaluator<'_>>> =
            cells.iter().map(|cells| Evaluator::new(workspace, cells, progress)).collect();
        let evaluators = evaluators?;
        let graph = graph::build_with(workspace, &evaluators, progress)?;
        let report = checks::run(workspace, &graph, self.request.selection, progress);
        progress.start("prove", None);
        let prover = Prover::new(workspace, &graph, &evaluators);
        let mut findings: BTreeMap<&FixSet, Vec<&Finding>> = BTreeMap::new();
        for finding in &report.findings {
            if let Some(fix) = finding.fix.as_ref().filter(|fix| self.request.wanted.takes(fix)) {
                findings.entry(fix).or_default().push(finding);
            }
        }
        let combined = prover.combine(findings.keys().copied());
        let of = |fix: &FixSet| findings.get(fix).cloned().unwrap_or_default();
        let mut groups: BTreeMap<String, Vec<&FixSet>> = BTreeMap::new();
        let mut by_place: Vec<&FixSet> = combined.fixes.clone();
        by_place.sort_by_key(|fix| of(fix).first().map(|finding| finding.region.clone()));
        for fix in by_place {
            if let Some(finding) = of(fix).first() {
                groups.entry(self.key(&graph, finding)).or_default().push(fix);
            }
        }
        let ledger = Ledger::new(workspace, &graph, self.request.history);
        let mut made = Made { prover: &prover, fixes: Vec::new(), contents: Contents::new() };
        for (key, fixes) in groups {
            for fixes in self.portions(&prover, fixes) {
                let Some(changes) = made.add(workspace, &fixes)? else { continue };
                let owner = of(fixes[0]).first().and_then(|finding| self.owner(&graph, finding));
                let settled = |fix: &&FixSet| {
                    ((*fix).clone(), of(fix).into_iter().cloned().collect::<Vec<_>>())
                };
                let saving = ledger.saving(&GraphChange::of_fixes(&graph, fixes.iter().copied()));
                let steps = fixes.iter().flat_map(|fix| script::steps(&graph, fix)).collect();
                let fixes = fixes.iter().map(settled).collect();
                let (key, round) = (key.clone(), self.number);
                batches.push(Batch { key, owner, round, fixes, saving, steps, changes });
            }
        }
        let refused = combined.refused.iter();
        let refused = refused.flat_map(|(fix, reason)| {
            of(fix).into_iter().map(move |finding| (finding.clone(), reason.clone()))
        });
        Ok(refused.collect())
    }

    fn owner(&self, graph: &Graph, finding: &Finding) -> Option<Owner> {
        let path = &finding.region.path;
        let target = finding.target.as_ref().and_then(|label| graph.targets.find(label));
        let of_target = target.and_then(|id| graph.package(id));
        let around = || {
            let dir = self.workspace.tree.package_of(path)?.dir.clone();
            graph.evaluation.packages.iter().find(|package| package.dir == dir)
        };
        let oncall = of_target.or_else(around).and_then(|package| package.oncall.as_deref());
        self.codeowners.owner_of(oncall, path)
    }

    fn key(&self, graph: &Graph, finding: &Finding) -> String {
        let package = || {
            let dir = finding.region.path.parent().unwrap_or_else(ProjectPath::root);
            finding.target.as_ref().map_or_else(|| dir.to_string(), |l| l.package.to_string())
        };
        match self.request.by {
            By::Owner => {
                let owner = self.owner(graph, finding);
                owner.map_or_else(|| "no owner".to_owned(), |owner| owner.to_string())
            }
            By::Package => package(),
            By::Target => finding.target.as_ref().map_or_else(package, ToString::to_string),
        }
    }

    /// Fixes in portions that touch no more files than asked for.
    fn portions<'f>(&self, prover: &Prover<'_>, fixes: Vec<&'f FixSet>) -> Vec<Vec<&'f FixSet>> {
        let mut portions: Vec<Vec<&FixSet>> = Vec::new();
        let mut files: BTreeSet<ProjectPath> = BTreeSet::new();
        for fix in fixes {
            let own: Vec<ProjectPath> = prover.files_of(fix);
            let grown = files.union(&own.iter().cloned().collect()).count();
            if portions.is_empty() || grown > self.request.max_files {
                portions.push(Vec::new());
                files.clear();
            }
            files.extend(own);
            if let Some(portion) = portions.last_mut() {
                portion.push(fix);
            }
        }
        portions
    }
}

/// What the batches of a round have made so far.
struct Made<'p, 'a, 'f> {
    prover: &'p Prover<'a>,
    fixes: Vec<&'f FixSet>,
    contents: Contents,
}

impl<'f> Made<'_, '_, 'f> {
    /// Makes some more; `None` if they cannot be made before others are.
    fn add(
        &mut self,
        workspace: &Workspace,
        fixes: &[&'f FixSet],
    ) -> Result<Option<Vec<FileChange>>> {
        let together = self.fixes.iter().chain(fixes).flat_map(|fix| &fix.changes);
        let Ok(contents) = self.prover.propose(together) else { return Ok(None) };
        let mut changes = Vec::new();
        for (path, after) in &contents {
            let before = match self.contents.get(path) {
                Some(before) => before.clone(),
                None => {
                    let bytes = workspace.files.read(path);
                    Some(
                        bytes
                            .map_err(|e| Error::new("cannot be read").at(path.as_str()).cause(e))?,
                    )
                }
            };
            if let Some(before) = before.filter(|before| Some(before) != after.as_ref()) {
                changes.push(FileChange { path: path.clone(), before, after: after.clone() });
            }
        }
        self.fixes.extend(fixes);
        self.contents = contents;
        Ok(Some(changes))
    }
}
