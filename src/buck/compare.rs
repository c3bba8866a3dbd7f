//! Where our evaluation and what Buck2 printed differ. Pure.

use super::lower::{Dep, Source, SourceOrigin, Target};
use super::recorded::{Recorded, TEXTS};
use super::schema::DepRole;
use super::value::Value;
use super::{Evaluation, Package};
use crate::label::{Label, PackageId};
use crate::workspace::{Differences, Fact, RecordedTarget, Recording, Side, Workspace};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

impl Evaluation {
    /// Compares every target of the packages that Buck2 speaks of.
    pub fn compare(&self, recording: &Recording, workspace: &Workspace) -> Differences {
        let recorded = Recorded { recording, workspace, rules: &self.rules };
        // Where two targets have one name, the first counts, as it does in the graph.
        let mut ours: FxHashMap<&Label, &Target> = FxHashMap::default();
        for target in self.packages.iter().flat_map(|package| &package.targets) {
            ours.entry(&target.label).or_insert(target);
        }
        let differs = |(label, theirs): (&Label, &RecordedTarget)| {
            if recording.failed.contains_key(&label.package) {
                return None;
            }
            let facts = match ours.get(label) {
                Some(target) => facts(recorded, target, theirs),
                None if is_elsewhere(recorded, &label.package) => return None,
                None => BTreeSet::from([Fact::Target(Side::Buck2)]),
            };
            (!facts.is_empty()).then(|| (label.clone(), facts))
        };
        let mut differences: Differences =
            recording.targets.par_iter().filter_map(differs).collect();
        if recording.is_configured {
            return differences; // whoever asks for a configuration gets a part
        }
        for id in recording.packages() {
            for target in self.package(id).into_iter().flat_map(|package| &package.targets) {
                if !recording.targets.contains_key(&target.label) {
                    let fact = Fact::Target(Side::Ours);
                    differences.entry(target.label.clone()).or_default().insert(fact);
                }
            }
        }
        differences
    }
}

/// Whether a package is none that we would ever read: of the prelude, or of a cell that is not on disk.
fn is_elsewhere(recorded: Recorded<'_>, package: &PackageId) -> bool {
    let cells = &recorded.workspace.cells;
    cells.is_tool(&package.cell) || cells.dir_of_package(package).is_none()
}

impl Package {
    /// The first target of a label.
    pub(super) fn target(&self, label: &Label) -> Option<&Target> {
        self.targets.iter().find(|target| target.label == *label)
    }
}

fn facts(recorded: Recorded<'_>, ours: &Target, printed: &RecordedTarget) -> BTreeSet<Fact> {
    let Some(theirs) = recorded.target(&ours.label, printed, &ours.kind) else {
        return BTreeSet::new();
    };
    let mut facts = BTreeSet::new();
    // A rule that the settings explain is what they say.
    if ours.kind != theirs.kind && (theirs.known || !ours.known) {
        facts.insert(Fact::Rule(ours.kind.clone(), theirs.kind.clone()));
    }
    let comparison = Comparison { recorded, printed, ours, theirs: &theirs };
    comparison.texts(&mut facts);
    comparison.deps(&mut facts);
    comparison.sources(&mut facts);
    facts
}

struct Comparison<'a> {
    recorded: Recorded<'a>,
    printed: &'a RecordedTarget,
    ours: &'a Target,
    theirs: &'a Target,
}

impl Comparison<'_> {
    fn texts(&self, facts: &mut BTreeSet<Fact>) {
        for name in TEXTS {
            let (ours, theirs) = (self.ours.attr(name), self.theirs.attr(name));
            let is_select =
                |value: Option<&Value>| matches!(value, Some(Value::Select(_) | Value::Sum(_)));
            // Of a select, a configuration shows one branch.
            let cannot_tell = self.recorded.recording.is_configured && is_select(ours);
            if self.recorded.recording.answers(name) && ours != theirs && !cannot_tell {
                facts.insert(Fact::Text(name.into()));
            }
        }
    }

    fn deps(&self, facts: &mut BTreeSet<Fact>) {
        for dep in self.ours.deps.iter().filter(|dep| is_compared(dep)) {
            if !self.has_dep(dep) {
                facts.insert(Fact::Dep(Side::Ours, dep.attr.clone(), dep.to.clone()));
            }
        }
        for dep in self.theirs.deps.iter().filter(|dep| is_compared(dep)) {
            let mut ours = self.ours.deps.iter();
            let is_same =
                |our: &Dep| our.to == dep.to && (our.attr == dep.attr || dep.is_implicit());
            if !ours.any(is_same) {
                facts.insert(Fact::Dep(Side::Buck2, dep.attr.clone(), dep.to.clone()));
            }
        }
    }

    /// Whether Buck2 has a dependency of ours, or does not say.
    fn has_dep(&self, dep: &Dep) -> bool {
        let recording = self.recorded.recording;
        if recording.is_configured && dep.branch.is_some() {
            return true;
        }
        if recording.answers(&dep.attr) && self.theirs.attr(&dep.attr).is_some() {
            return self.theirs.deps.iter().any(|their| same_dep(their, dep));
        }
        match &self.printed.deps {
            Some(listed) => listed.contains(&dep.to),
            None => !recording.answers(&dep.attr),
        }
    }

    fn sources(&self, facts: &mut BTreeSet<Fact>) {
        let fact = |side, source: &Source| {
            let what = identity(source);
            Fact::Source(side, source.attr.clone(), source.destination.clone(), what)
        };
        for source in &self.ours.sources {
            if !self.has_source(source) {
                facts.insert(fact(Side::Ours, source));
            }
        }
        for source in &self.theirs.sources {
            let is_guess = !self.recorded.recording.answers(&source.attr);
            let is_same = |our: &Source| {
                if is_guess { identity(our) == identity(source) } else { same_source(our, source) }
            };
            if !self.ours.sources.iter().any(is_same) {
                facts.insert(fact(Side::Buck2, source));
            }
        }
    }

    fn has_source(&self, source: &Source) -> bool {
        let recording = self.recorded.recording;
        if recording.is_configured {
            return true; // it may stand in a branch that is not taken
        }
        if recording.answers(&source.attr) && self.theirs.attr(&source.attr).is_some() {
            return self.theirs.sources.iter().any(|their| same_source(their, source));
        }
        let listed = match &source.origin {
            SourceOrigin::File { path, .. } => {
                self.printed.inputs.as_ref().map(|listed| listed.contains(path))
            }
            SourceOrigin::Target(written) => {
                self.printed.deps.as_ref().map(|listed| listed.contains(&written.label))
            }
        };
        listed.unwrap_or(!recording.answers(&source.attr))
    }
}

/// Rules fill attributes that begin with `_` by themselves, and what a configuration chooses is no dependency.
fn is_compared(dep: &Dep) -> bool {
    dep.role != DepRole::Configuration && !dep.attr.starts_with('_')
}

pub(super) fn same_dep(one: &Dep, other: &Dep) -> bool {
    one.to == other.to && one.attr == other.attr
}

fn same_source(one: &Source, other: &Source) -> bool {
    one.attr == other.attr
        && one.destination == other.destination
        && identity(one) == identity(other)
}

/// What a source is, as text: a path or a label.
pub(super) fn identity(source: &Source) -> Box<str> {
    match &source.origin {
        SourceOrigin::File { path, .. } => path.as_str().into(),
        SourceOrigin::Target(written) => match &written.sub_target {
            Some(output) => format!("{}[{output}]", written.label).into(),
            None => written.label.to_string().into(),
        },
    }
}
