//! Fixes as new contents of files, and the proof that they change what they say and nothing else. Writes nothing.

use super::codeowners;
use super::expect::Expected;
use super::file::{self, FilePlan, Leftovers};
use super::spelling;
use crate::buck::{Evaluator, LiteralId, Target, TriedPackage};
use crate::finding::{Addition, Change, FixSet, Removal};
use crate::graph::{Graph, TargetId, Web};
use crate::label::Label;
use crate::source::{ProjectPath, Span};
use crate::workspace::Workspace;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// New contents by file; `None` deletes it.
pub type Contents = BTreeMap<ProjectPath, Option<Vec<u8>>>;

/// Makes the text of fixes, and tries it.
pub struct Prover<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) graph: &'a Graph,
    evaluators: &'a [Evaluator<'a>],
    /// Literals that name a file as a source.
    mentions: FxHashMap<&'a ProjectPath, Vec<LiteralId>>,
    /// Targets by the place of their definition.
    defined_at: FxHashMap<(&'a ProjectPath, Span), Vec<TargetId>>,
    /// Who depends on a target, by any kind of edge.
    users: FxHashMap<TargetId, Vec<TargetId>>,
}

impl<'a> Prover<'a> {
    /// A prover for a graph, and the evaluations that it was made of: one for each view of the configuration.
    pub fn new(
        workspace: &'a Workspace,
        graph: &'a Graph,
        evaluators: &'a [Evaluator<'a>],
    ) -> Self {
        let mut prover = Self {
            workspace,
            graph,
            evaluators,
            mentions: FxHashMap::default(),
            defined_at: FxHashMap::default(),
            users: FxHashMap::default(),
        };
        for id in graph.targets.ids() {
            for edge in &graph.targets.node(id).edges {
                prover.users.entry(edge.to).or_default().push(id);
            }
            let Some(target) = graph.definition(id) else { continue };
            let place = (&target.place.path, target.place.span);
            prover.defined_at.entry(place).or_default().push(id);
            for source in &target.sources {
                if let crate::buck::SourceOrigin::File { path, .. } = &source.origin {
                    prover.mentions.entry(path).or_default().extend(source.literal);
                }
            }
        }
        prover
    }

    /// The contents that carry the changes out, proven. Fails with the reason why they have to be made by hand.
    pub fn propose<'c>(
        &self,
        changes: impl IntoIterator<Item = &'c Change>,
    ) -> Result<Contents, String> {
        let changes: BTreeSet<&Change> = changes.into_iter().collect();
        if let Some((_, refusal)) = self.user_left(&changes) {
            return Err(refusal);
        }
        self.check_cycles(&changes)?;
        let tidy = self.contents(&changes, Leftovers::Drop)?;
        let refusal = match self.prove(&changes, &tidy) {
            Ok(()) => return Ok(tidy),
            Err(refusal) => refusal,
        };
        let mut best = self.contents(&changes, Leftovers::Keep)?;
        if best == tidy || self.prove(&changes, &best).is_err() {
            return Err(refusal);
        }
        // What is left over in one file may be needed there, and not in another.
        for (path, contents) in tidy {
            if best.get(&path) == Some(&contents) {
                continue;
            }
            let mut better = best.clone();
            better.insert(path, contents);
            if self.prove(&changes, &better).is_ok() {
                best = better;
            }
        }
        Ok(best)
    }

    /// The files that a fix changes, if it can be made.
    pub fn files_of(&self, fix: &FixSet) -> Vec<ProjectPath> {
        let changes = fix.changes.iter().collect();
        let contents = self.contents(&changes, Leftovers::Drop);
        contents.map(|contents| contents.into_keys().collect()).unwrap_or_default()
    }

    fn contents(
        &self,
        changes: &BTreeSet<&Change>,
        leftovers: Leftovers,
    ) -> Result<Contents, String> {
        let mut plans: BTreeMap<ProjectPath, FilePlan> = BTreeMap::new();
        let mut contents = Contents::new();
        for change in changes {
            self.plan(change, changes, &mut plans, &mut contents)?;
        }
        for (path, plan) in plans {
            if contents.contains_key(&path) {
                continue; // it is deleted
            }
            let bytes = self.workspace.files.read(&path).map_err(|e| format!("`{path}`: {e}"))?;
            let text =
                String::from_utf8(bytes).map_err(|_| format!("`{path}` is not valid UTF-8"))?;
            if self.graph.evaluation.file(&path).is_some_and(|file| file.text() != text) {
                return Err(format!("`{path}` has changed since it was read"));
            }
            let edited = file::edit(&path, &text, &plan, leftovers)?;
            contents.insert(path, edited.map(String::into_bytes));
        }
        let unlisted = self.unlisted(&contents);
        contents.extend(unlisted);
        Ok(contents)
    }

    /// CODEOWNERS without the files that go.
    fn unlisted(&self, contents: &Contents) -> Contents {
        let gone = contents.iter().filter(|(_, after)| after.is_none()).map(|(path, _)| path);
        let gone: BTreeSet<&ProjectPath> = gone.collect();
        let files = &self.workspace.files;
        let paths = codeowners::LOCATIONS.iter().map(|path| ProjectPath::new(*path));
        let edited = |path: ProjectPath| {
            let text = String::from_utf8(files.read(&path).ok()?).ok()?;
            Some((path, Some(codeowners::without(&text, &gone)?.into_bytes())))
        };
        if gone.is_empty() { Contents::new() } else { paths.filter_map(edited).collect() }
    }

    /// Adds what one change means for files.
    fn plan(
        &self,
        change: &Change,
        all: &BTreeSet<&Change>,
        plans: &mut BTreeMap<ProjectPath, FilePlan>,
        contents: &mut Contents,
    ) -> Result<(), String> {
        let place = |id: LiteralId| self.graph.evaluation.place(id);
        match change {
            Change::RemoveDep(removal) => {
                let place = place(literal_of(removal)?);
                plan_of(plans, &place.path).literals.insert(place.span);
            }
            Change::RemoveSource(literal) => {
                let place = place(*literal);
                plan_of(plans, &place.path).literals.insert(place.span);
            }
            Change::ReplaceDep(removal, labels) => {
                let place = place(literal_of(removal)?);
                let target = self.definition(&removal.from)?;
                let texts = labels.iter().map(|label| self.spell(label, target)).collect();
                plan_of(plans, &place.path).replaced.insert(place.span, texts);
            }
            Change::AddDep(Addition { to, dep }) => {
                let target = self.definition(to)?;
                let additions = &mut plan_of(plans, &target.place.path).additions;
                additions.entry(target.place.span).or_default().insert(self.spell(dep, target));
            }
            Change::DeleteFile(path) => {
                contents.insert(path.clone(), None);
                for literal in self.mentions.get(path).into_iter().flatten() {
                    let place = place(*literal);
                    plan_of(plans, &place.path).literals.insert(place.span);
                }
            }
            Change::DeleteTarget(label) => {
                let target = self.definition(label)?;
                if target.unread {
                    return Err(format!("the call that makes `{label}` was not read"));
                }
                let place = &target.place;
                let made = self.defined_at.get(&(&place.path, place.span));
                for id in made.into_iter().flatten() {
                    let other = &self.graph.targets.node(*id).label;
                    if !all.contains(&Change::DeleteTarget(other.clone())) {
                        return Err(format!("the call that makes `{label}` makes `{other}` too"));
                    }
                }
                plan_of(plans, &place.path).statements.insert(place.span);
            }
            Change::RemoveLoad(path, span) => {
                plan_of(plans, path).symbols.insert(*span);
            }
            Change::RemoveComment(path, span) => {
                plan_of(plans, path).comments.insert(*span);
            }
            Change::AddKeep(keep) => {
                plan_of(plans, &keep.path).keeps.insert(keep.clone());
            }
        }
        Ok(())
    }

    fn definition(&self, label: &Label) -> Result<&'a Target, String> {
        let id = self.graph.targets.find(label);
        let target = id.and_then(|id| self.graph.definition(id));
        target.ok_or_else(|| format!("`{label}` is not defined here"))
    }

    /// A label as a literal in the style of the file that defines `target`.
    fn spell(&self, label: &Label, target: &Target) -> String {
        let file = self.graph.evaluation.file(&target.place.path);
        let literals = file.map_or(&[][..], |file| file.literals());
        let texts: Vec<&str> = literals.iter().map(|literal| &*literal.text).collect();
        let cells = &self.workspace.cells;
        format!("\"{}\"", spelling::spell(label, &target.label.package, &texts, cells))
    }

    /// The first target that is to go though something that stays depends on it, and what to say about it.
    pub(super) fn user_left(&self, changes: &BTreeSet<&Change>) -> Option<(Label, String)> {
        let is_gone = |label: &Label| changes.contains(&Change::DeleteTarget(label.clone()));
        let removed: BTreeSet<(&Label, &Label)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::RemoveDep(removal) => Some((&removal.from, &removal.to)),
                _ => None,
            })
            .collect();
        changes.iter().find_map(|change| {
            let Change::DeleteTarget(label) = change else { return None };
            let users = self.users.get(&self.graph.targets.find(label)?)?;
            let mut users = users.iter().map(|user| &self.graph.targets.node(*user).label);
            let left = users.find(|user| !is_gone(user) && !removed.contains(&(*user, label)))?;
            Some((label.clone(), format!("`{left}` still depends on `{label}`")))
        })
    }

    /// Whether additions close a cycle, which Buck2 refuses.
    fn check_cycles(&self, changes: &BTreeSet<&Change>) -> Result<(), String> {
        let targets = &self.graph.targets;
        let end = |label: &Label| targets.find(label).map(TargetId::index);
        let added = changes.iter().flat_map(|change| match change {
            Change::AddDep(Addition { to, dep }) => vec![(to, dep)],
            Change::ReplaceDep(removal, labels) => {
                labels.iter().map(|label| (&removal.from, label)).collect()
            }
            _ => Vec::new(),
        });
        let added: Vec<(usize, usize)> =
            added.filter_map(|(from, to)| Some((end(from)?, end(to)?))).collect();
        if added.is_empty() {
            return Ok(());
        }
        let edges = targets.ids().flat_map(|from| {
            targets.node(from).edges.iter().map(move |edge| (from.index(), edge.to.index()))
        });
        let web = Web::new(targets.len(), edges.chain(added.iter().copied()));
        let cycles = web.cycles();
        let closing = added.iter().find(|(from, to)| {
            cycles.iter().any(|cycle| cycle.contains(from) && cycle.contains(to))
        });
        match closing {
            Some((from, to)) => {
                let label = |at: usize| &targets.node(crate::graph::target_at(at)).label;
                let (from, to) = (label(*from), label(*to));
                Err(format!("a dependency of `{from}` on `{to}` would close a cycle"))
            }
            None => Ok(()),
        }
    }

    /// Evaluates what the contents would change, and compares.
    fn prove(&self, changes: &BTreeSet<&Change>, contents: &Contents) -> Result<(), String> {
        let mut unseen: BTreeSet<(&Label, &Label, &str)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::RemoveDep(removal) | Change::ReplaceDep(removal, _) => {
                    Some((&removal.from, &removal.to, &*removal.attr))
                }
                _ => None,
            })
            .collect();
        // What a target that goes depends on goes with it.
        unseen.retain(|(from, ..)| !changes.contains(&Change::DeleteTarget((*from).clone())));
        let named = unseen.clone();
        for evaluator in self.evaluators {
            let expected = self.expected(changes, evaluator);
            let trial = evaluator.trial(contents).map_err(|untried| untried.0)?;
            if let Some(problem) = trial.problems.first() {
                return Err(format!("`{}` would fail: {}", problem.path, problem.message));
            }
            for package in &trial.packages {
                check_package(&expected, package)?;
                check_edges(&expected, package, &named, &mut unseen)?;
            }
        }
        match unseen.first() {
            Some((from, to, _)) => Err(format!("`{from}` would keep its dependency on `{to}`")),
            None => Ok(()),
        }
    }

    fn expected(&self, changes: &BTreeSet<&Change>, evaluator: &Evaluator<'_>) -> Expected {
        let mut expected = Expected::default();
        let here = |literal: LiteralId| {
            let path = self.graph.evaluation.files[literal.file as usize].path();
            Some(LiteralId { file: evaluator.number_of(path)?, ..literal })
        };
        let deps: Box<str> = "deps".into();
        for change in changes {
            match change {
                Change::RemoveDep(removal) => {
                    expected.literals.extend(removal.literal.and_then(here));
                }
                Change::RemoveSource(literal) => {
                    expected.literals.extend(here(*literal));
                    expected.sources.extend(here(*literal));
                }
                Change::ReplaceDep(removal, labels) => {
                    expected.literals.extend(removal.literal.and_then(here));
                    let new = labels.iter().map(|label| (removal.attr.clone(), label.clone()));
                    expected.additions.entry(removal.from.clone()).or_default().extend(new);
                }
                Change::AddDep(Addition { to, dep }) => {
                    let new = (deps.clone(), dep.clone());
                    expected.additions.entry(to.clone()).or_default().push(new);
                }
                Change::DeleteFile(path) => {
                    let mentions = self.mentions.get(path).into_iter().flatten();
                    let mentions: Vec<LiteralId> = mentions.copied().filter_map(here).collect();
                    expected.literals.extend(mentions.iter().copied());
                    expected.sources.extend(mentions);
                    expected.files.insert(path.clone());
                }
                Change::DeleteTarget(label) => {
                    expected.targets.insert(label.clone());
                }
                Change::RemoveLoad(..) | Change::RemoveComment(..) | Change::AddKeep(_) => {}
            }
        }
        expected
    }
}

fn plan_of<'p>(
    plans: &'p mut BTreeMap<ProjectPath, FilePlan>,
    path: &ProjectPath,
) -> &'p mut FilePlan {
    plans.entry(path.clone()).or_default()
}

fn literal_of(removal: &Removal) -> Result<LiteralId, String> {
    removal.literal.ok_or_else(|| {
        format!("no single literal makes `{}` depend on `{}`", removal.from, removal.to)
    })
}

/// All targets are there that should be, and each is as it should be.
fn check_package(expected: &Expected, package: &TriedPackage<'_>) -> Result<(), String> {
    let stays = |target: &&Target| !expected.targets.contains(&target.label);
    let mut before = package.before.targets.iter().filter(stays);
    let after = package.after.as_ref().map_or(&[][..], |package| &package.targets);
    for target in after {
        match before.next() {
            Some(was) if was.label == target.label => expected.check(was, target)?,
            Some(was) => return Err(format!("`{}` would be gone or moved", was.label)),
            None => return Err(format!("`{}` would come into being", target.label)),
        }
    }
    before.next().map_or(Ok(()), |was| Err(format!("`{}` would be gone", was.label)))
}

/// The literals that go make exactly the edges that were named.
fn check_edges<'c>(
    expected: &Expected,
    package: &TriedPackage<'_>,
    named: &BTreeSet<(&'c Label, &'c Label, &'c str)>,
    unseen: &mut BTreeSet<(&'c Label, &'c Label, &'c str)>,
) -> Result<(), String> {
    let stays = |target: &&Target| !expected.targets.contains(&target.label);
    for target in package.before.targets.iter().filter(stays) {
        for dep in &target.deps {
            let Some(literal) = dep.literal.filter(|id| expected.literals.contains(id)) else {
                continue;
            };
            let edge = (&target.label, &dep.to, &*dep.attr);
            if named.contains(&edge) {
                unseen.retain(|named| *named != edge);
            } else if !expected.sources.contains(&literal) {
                let (from, to, _) = edge;
                return Err(format!("`{from}` would lose its dependency on `{to}` too"));
            }
        }
    }
    Ok(())
}
