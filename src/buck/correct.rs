//! Our evaluation, with Buck2's side of each difference: literals stay where both agree. Pure.

use super::compare::identity;
use super::lower::{SourceOrigin, Target};
use super::recorded::Recorded;
use super::schema::RuleTable;
use super::value::Value;
use super::{Evaluation, Package};
use crate::label::PackageId;
use crate::source::{Problem, ProblemKind, ProjectPath};
use crate::workspace::{Fact, Outside, Side, Workspace};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

impl Evaluation {
    /// Takes over what Buck2 says where it says something else. What only Buck2 has comes without literals.
    pub fn correct(&mut self, outside: &Outside, workspace: &Workspace) {
        let rules = self.rules.clone();
        let correction =
            Correction { outside, workspace, rules: &rules, whole: outside.recording.packages() };
        self.packages.par_iter_mut().for_each(|package| correction.package(package));
        correction.add_targets(&mut self.packages);
        correction.problems(self);
    }
}

struct Correction<'a> {
    outside: &'a Outside,
    workspace: &'a Workspace,
    rules: &'a RuleTable,
    /// Packages that Buck2 tells everything about.
    whole: BTreeSet<&'a PackageId>,
}

impl Correction<'_> {
    fn recorded(&self) -> Recorded<'_> {
        let Self { outside, workspace, rules, .. } = self;
        Recorded { recording: &outside.recording, workspace, rules }
    }

    fn package(&self, package: &mut Package) {
        let differs = |target: &Target, fact| {
            self.outside.differences.get(&target.label).is_some_and(|facts| facts.contains(&fact))
        };
        package.targets.retain(|target| !differs(target, Fact::Target(Side::Ours)));
        for target in &mut package.targets {
            self.target(target);
        }
        if self.outside.recording.tells_all() && self.whole.contains(&package.id) {
            package.incomplete = false;
            package.failed = false;
        }
    }

    fn target(&self, target: &mut Target) {
        let recording = &self.outside.recording;
        let Some(printed) = recording.targets.get(&target.label) else { return };
        if recording.tells_all() {
            target.incomplete = false;
        }
        let Some(facts) = self.outside.differences.get(&target.label) else { return };
        let Some(mut theirs) = self.recorded().target(&target.label, printed, &target.kind) else {
            return;
        };
        target.deps.retain(|dep| {
            !facts.contains(&Fact::Dep(Side::Ours, dep.attr.clone(), dep.to.clone()))
        });
        theirs.deps.retain(|dep| {
            facts.contains(&Fact::Dep(Side::Buck2, dep.attr.clone(), dep.to.clone()))
        });
        target.deps.append(&mut theirs.deps);
        let source_fact = |side, source: &super::Source| {
            Fact::Source(side, source.attr.clone(), source.destination.clone(), identity(source))
        };
        target.sources.retain(|source| !facts.contains(&source_fact(Side::Ours, source)));
        theirs
            .sources
            .retain(|source| is_there(source) && facts.contains(&source_fact(Side::Buck2, source)));
        target.sources.append(&mut theirs.sources);
        for fact in facts {
            match fact {
                Fact::Rule(ours, _) => {
                    target.unread = ours.starts_with('?');
                    target.kind = theirs.kind.clone();
                    target.known = theirs.known;
                    target.provides.clone_from(&theirs.provides);
                    if recording.answers_all() {
                        target.attrs.clone_from(&theirs.attrs);
                    }
                }
                Fact::Text(name) => set(target, name, theirs.attr(name).cloned()),
                Fact::Target(_) | Fact::Dep(..) | Fact::Source(..) => {}
            }
        }
    }

    /// Targets that only Buck2 has, in packages that we may not have either.
    fn add_targets(&self, packages: &mut Vec<Package>) {
        let recording = &self.outside.recording;
        let mut added: BTreeMap<&PackageId, Vec<Target>> = BTreeMap::new();
        for (label, facts) in &self.outside.differences {
            if facts.contains(&Fact::Target(Side::Buck2))
                && let Some(printed) = recording.targets.get(label)
                && let Some(target) = self.recorded().target(label, printed, "?")
            {
                let sources = target.sources.into_iter().filter(is_there).collect();
                let target = Target { sources, ..target };
                added.entry(&label.package).or_default().push(target);
            }
        }
        for (id, targets) in added {
            match packages.binary_search_by(|package| package.id.cmp(id)) {
                Ok(at) => packages[at].targets.extend(targets),
                Err(at) => {
                    if let Some(package) = self.new_package(id, targets) {
                        packages.insert(at, package);
                    }
                }
            }
        }
    }

    fn new_package(&self, id: &PackageId, targets: Vec<Target>) -> Option<Package> {
        let dir = self.recorded().dir(id)?;
        let build_file = self.recorded().build_file(id, &dir)?;
        Some(Package {
            id: id.clone(),
            dir,
            build_file,
            oncall: None,
            targets,
            default_visibility: Vec::new(),
            globs: BTreeSet::new(),
            incomplete: false,
            untraced: false,
            failed: false,
        })
    }

    /// What Buck2 could read costs nothing; what it could not does.
    fn problems(&self, evaluation: &mut Evaluation) {
        let recording = &self.outside.recording;
        if recording.tells_all() {
            let packages = evaluation.packages.iter();
            let (told, others): (Vec<&Package>, Vec<&Package>) =
                packages.partition(|package| self.whole.contains(&package.id));
            let told: FxHashSet<&ProjectPath> =
                told.into_iter().map(|package| &package.build_file).collect();
            let is_all = others.is_empty();
            evaluation.problems.retain(|problem| {
                let costs_nothing = told.contains(&problem.path)
                    || is_all && problem.path.file_name().ends_with(".bzl");
                !(problem.costs_targets() && costs_nothing)
            });
        }
        for package in &evaluation.packages {
            if let Some(reason) = recording.failed.get(&package.id) {
                evaluation.problems.push(Problem {
                    path: package.build_file.clone(),
                    line: 0,
                    kind: ProblemKind::Statement,
                    message: format!("Buck2 cannot evaluate it: {reason}"),
                });
            }
        }
        evaluation.problems.sort();
        evaluation.problems.dedup();
    }
}

/// Buck2 refuses a package with a source that is not there, so that one such is of another state of the files.
fn is_there(source: &super::Source) -> bool {
    !matches!(source.origin, SourceOrigin::File { present: false, .. })
}

fn set(target: &mut Target, name: &str, value: Option<Value>) {
    target.attrs.retain(|(known, _)| &**known != name);
    target.attrs.extend(value.map(|value| (name.into(), value)));
}
