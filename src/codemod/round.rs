//! One round of a plan: what the project as it is offers, in batches. Writes nothing.

use super::affected;
use super::owned::Owned;
use super::owners::{Codeowners, Owner};
use super::plan::{Batch, By, Plan, PlannedFix, Request};
use super::script;
use crate::buck::SourceFile;
use crate::checks;
use crate::cost::{GraphChange, Ledger};
use crate::edits::{Contents, FileChange, Prover};
use crate::error::{Error, Result};
use crate::finding::{Finding, FixSet, Report};
use crate::graph::{self, Graph};
use crate::label::Label;
use crate::progress::Progress;
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A round, and what it is made of.
pub(super) struct Round<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) request: Request<'a>,
    pub(super) codeowners: &'a Codeowners,
    pub(super) number: usize,
}

/// Who answers for what a finding is about.
pub fn owner_of(
    workspace: &Workspace,
    graph: &Graph,
    codeowners: &Codeowners,
    finding: &Finding,
) -> Option<Owner> {
    owner_of_place(workspace, graph, codeowners, finding.target.as_ref(), &finding.region.path)
}

/// The same for a target, or a file without one.
pub(super) fn owner_of_place(
    workspace: &Workspace,
    graph: &Graph,
    codeowners: &Codeowners,
    target: Option<&Label>,
    path: &ProjectPath,
) -> Option<Owner> {
    let target = target.and_then(|label| graph.targets.find(label));
    let of_target = target.and_then(|id| graph.package(id));
    let around = || {
        let dir = workspace.tree.package_of(path)?.dir.clone();
        graph.evaluation.packages.iter().find(|package| package.dir == dir)
    };
    let oncall = of_target.or_else(around).and_then(|package| package.oncall.as_deref());
    codeowners.owner_of(oncall, path)
}

/// What a round was made from. It lives as long as the round is looked at.
pub(super) struct Analysis<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) graph: &'a Graph,
    pub(super) prover: &'a Prover<'a>,
}

/// The findings that each fix settles, by their positions in the report.
type Settled<'r> = BTreeMap<&'r FixSet, Vec<usize>>;

impl Round<'_> {
    /// Plans at most `most` batches, and shows them to `then` with what they were made from.
    pub(super) fn run<T>(
        &self,
        most: usize,
        progress: &dyn Progress,
        then: impl FnOnce(Plan, &Analysis<'_>) -> Result<T>,
    ) -> Result<T> {
        let workspace = self.workspace;
        let cells = graph::configurations(workspace)?;
        let (evaluators, graph) = graph::build_and_keep(workspace, &cells, progress)?;
        let mut report = checks::run(workspace, &graph, self.request.selection, progress);
        let owned = Owned::new(self.request.owners, workspace, &graph, self.codeowners);
        // The rounds before may have taken away the last that somebody owned.
        if self.number == 0 {
            owned.check_names()?;
        }
        report.leave_out_elsewhere(|finding| {
            owned.has(finding.target.as_ref(), &finding.region.path)
        });
        progress.start("prove", None);
        let prover = Prover::new(workspace, &graph, &evaluators);
        let analysis = Analysis { workspace, graph: &graph, prover: &prover };
        let plan = self.plan(&analysis, &report, most)?;
        then(plan, &analysis)
    }

    fn plan(&self, analysis: &Analysis<'_>, report: &Report, most: usize) -> Result<Plan> {
        let Analysis { workspace, graph, prover } = *analysis;
        let fingerprints = report.fingerprints();
        let mut settled = Settled::new();
        for (at, finding) in report.findings.iter().enumerate() {
            if let Some(fix) = finding.fix.as_ref().filter(|fix| self.request.wanted.takes(fix)) {
                settled.entry(fix).or_default().push(at);
            }
        }
        let print = |at: &usize| fingerprints.get(*at).cloned();
        let all = settled.len();
        self.leave_out(graph, &mut settled, &fingerprints);
        let left_out = all - settled.len();
        let of = |fix: &FixSet| {
            let findings = settled.get(fix).map(Vec::as_slice).unwrap_or_default();
            findings.iter().filter_map(|at| report.findings.get(*at))
        };
        let combined = prover.combine(settled.keys().copied());
        let ledger = Ledger::new(workspace, graph, self.request.history);
        let mut made = Made { prover, fixes: Vec::new(), contents: Contents::new() };
        let mut batches = Vec::new();
        for (key, fixes) in self.portions(analysis, &combined.fixes, of) {
            if batches.len() == most {
                break;
            }
            let Some(changes) = made.add(workspace, &fixes)? else { continue };
            let first = fixes.first().and_then(|fix| of(fix).next());
            let owner = first.and_then(|finding| self.owner(graph, finding));
            let saving = ledger.saving(&GraphChange::of_fixes(graph, fixes.iter().copied()));
            let steps = fixes.iter().flat_map(|fix| script::steps(graph, fix)).collect();
            let planned = |fix: &&FixSet| PlannedFix {
                set: (*fix).clone(),
                findings: of(fix).cloned().collect(),
                fingerprints: settled.get(*fix).into_iter().flatten().filter_map(print).collect(),
            };
            let fixes: Vec<PlannedFix> = fixes.iter().map(planned).collect();
            let targets = affected::edited(graph, &fixes);
            let round = self.number;
            batches.push(Batch { key, owner, round, fixes, targets, saving, steps, changes });
        }
        let refused = combined.refused.iter();
        let refused = refused.flat_map(|(fix, reason)| {
            of(fix).map(move |finding| (finding.clone(), reason.clone()))
        });
        Ok(Plan { batches, refused: refused.collect(), left_out })
    }

    /// Takes out what the filter does not take, and what needs it.
    fn leave_out(&self, graph: &Graph, settled: &mut Settled<'_>, fingerprints: &[String]) {
        let is_taken = |findings: &Vec<usize>| {
            let own: Vec<String> =
                findings.iter().filter_map(|at| fingerprints.get(*at).cloned()).collect();
            self.request.filter.takes(&own)
        };
        if settled.values().all(is_taken) {
            return;
        }
        let sets: Vec<&FixSet> = settled.keys().copied().collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); sets.len()];
        for (fix, needs) in affected::needs(graph, &sets).into_iter().enumerate() {
            for other in needs {
                if let Some(users) = needed_by.get_mut(other) {
                    users.push(fix);
                }
            }
        }
        let left_out = settled.values().enumerate().filter(|(_, findings)| !is_taken(findings));
        let left_out = left_out.map(|(at, _)| at).collect();
        let left_out: BTreeSet<usize> =
            affected::with_needs(left_out, &needed_by).into_iter().collect();
        let mut at = 0..;
        settled.retain(|_, _| at.next().is_some_and(|at| !left_out.contains(&at)));
    }

    /// The fixes by what they have in common, in portions that touch no more files than asked for.
    fn portions<'f, 'r: 'f, I: Iterator<Item = &'r Finding>>(
        &self,
        analysis: &Analysis<'_>,
        fixes: &[&'f FixSet],
        of: impl Fn(&FixSet) -> I,
    ) -> Vec<(String, Vec<&'f FixSet>)> {
        let mut by_place = fixes.to_vec();
        by_place.sort_by_key(|fix| of(fix).next().map(|finding| finding.region.clone()));
        let mut groups: BTreeMap<String, Vec<&FixSet>> = BTreeMap::new();
        for fix in by_place {
            if let Some(finding) = of(fix).next() {
                groups.entry(self.key(analysis.graph, finding)).or_default().push(fix);
            }
        }
        let portions = groups.into_iter().flat_map(|(key, fixes)| {
            let portions = self.split(analysis.prover, fixes);
            portions.into_iter().map(move |portion| (key.clone(), portion))
        });
        portions.collect()
    }

    fn owner(&self, graph: &Graph, finding: &Finding) -> Option<Owner> {
        owner_of(self.workspace, graph, self.codeowners, finding)
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

    fn split<'f>(&self, prover: &Prover<'_>, fixes: Vec<&'f FixSet>) -> Vec<Vec<&'f FixSet>> {
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
        let changes = differences(workspace, &self.contents, &contents)?;
        self.fixes.extend(fixes);
        self.contents = contents;
        Ok(Some(changes))
    }
}

/// What leads from some contents to others; files that are not in the first are as they are in the project.
fn differences(workspace: &Workspace, from: &Contents, to: &Contents) -> Result<Vec<FileChange>> {
    let mut changes = Vec::new();
    for (path, after) in to {
        let before = match from.get(path) {
            Some(before) => before.clone(),
            None => Some(read(workspace, path)?),
        };
        if let Some(before) = before.filter(|before| Some(before) != after.as_ref()) {
            changes.push(FileChange { path: path.clone(), before, after: after.clone() });
        }
    }
    Ok(changes)
}

fn read(workspace: &Workspace, path: &ProjectPath) -> Result<Vec<u8>> {
    let bytes = workspace.files.read(path);
    bytes.map_err(|error| Error::new("cannot be read").at(path.as_str()).cause(error))
}

impl Analysis<'_> {
    /// What makes some fixes of the first batch, and nothing else; the outer error is that of a file that cannot be read,
    /// the inner one says why they cannot be made without others.
    pub(super) fn changes(
        &self,
        fixes: &[&PlannedFix],
    ) -> Result<std::result::Result<Vec<FileChange>, String>> {
        match self.prover.propose(fixes.iter().flat_map(|fix| &fix.set.changes)) {
            Ok(contents) => differences(self.workspace, &Contents::new(), &contents).map(Ok),
            Err(reason) => Ok(Err(reason)),
        }
    }

    /// A digest of all files that were read, and of the fixes of a batch: where it is the same, so is what a build shows.
    pub(super) fn digest(&self, batch: &Batch) -> Result<String> {
        let of_rules = self.graph.evaluation.files.iter().map(SourceFile::path);
        let of_python = self.graph.files.iter().map(|(_, file)| &file.path);
        let mut paths: Vec<&ProjectPath> = of_rules.chain(of_python).collect();
        paths.sort_unstable();
        paths.dedup();
        // A file that cannot be read is one more thing that may change.
        let digest = |path: &&ProjectPath| {
            self.workspace.files.read(path).ok().map(|bytes| blake3::hash(&bytes))
        };
        let digests: Vec<Option<blake3::Hash>> = paths.par_iter().map(digest).collect();
        let mut all = blake3::Hasher::new();
        for (path, digest) in paths.iter().zip(digests) {
            all.update(path.as_str().as_bytes()).update(b"\0");
            all.update(digest.as_ref().map_or(&[][..], |digest| digest.as_bytes()));
        }
        for fingerprint in batch.fixes.iter().flat_map(|fix| &fix.fingerprints) {
            all.update(fingerprint.as_bytes());
        }
        Ok(all.finalize().to_hex().to_string())
    }
}
