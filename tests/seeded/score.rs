//! Counts what was found of what was planted, and what was said besides.

use super::planted::{Planted, Way};
use super::repository::Run;
use super::world::World;
use secateur::finding::{CheckId, Confidence, Finding};
use secateur::label::Label;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Found at each confidence, and not found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recall {
    pub planted: usize,
    pub certain: usize,
    pub likely: usize,
    pub possible: usize,
}

/// What new findings say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Precision {
    pub planted: usize,
    pub implied: usize,
    pub wrong: usize,
}

/// The score of one or more runs.
#[derive(Debug, Default)]
pub struct Score {
    pub recall: BTreeMap<Way, Recall>,
    pub precision: BTreeMap<(CheckId, Confidence), Precision>,
    /// Each miss and each wrong finding, for who wants to look into it.
    pub notes: Vec<String>,
}

impl Score {
    /// Compares the run after some mutations with the one before.
    pub fn add(&mut self, world: &World<'_>, after: &Run, planted: &[Planted]) {
        let before = world.run;
        let known: BTreeSet<(String, Confidence)> =
            before.report.findings.iter().flat_map(levels).collect();
        let is_new = |found: &&Finding| !known.contains(&(found.identity(), found.confidence));
        let new: Vec<&Finding> = after.report.findings.iter().filter(is_new).collect();
        for mutation in planted {
            let recall = self.recall.entry(mutation.way).or_default();
            recall.planted += 1;
            let seen = new.iter().filter(|found| mutation.wanted.iter().any(|w| w.matches(found)));
            match seen.map(|found| found.confidence).max() {
                Some(Confidence::Certain) => recall.certain += 1,
                Some(Confidence::Likely) => recall.likely += 1,
                Some(Confidence::Possible) => recall.possible += 1,
                None => self.notes.push(format!("missed: {mutation}")),
            }
        }
        for found in new {
            let entry = self.precision.entry((found.check, found.confidence)).or_default();
            if planted.iter().flat_map(|m| &m.wanted).any(|sight| sight.matches(found)) {
                entry.planted += 1;
            } else if planted.iter().flat_map(|m| &m.implied).any(|sight| sight.matches(found))
                || is_uncovered(world, planted, found)
            {
                entry.implied += 1;
            } else {
                entry.wrong += 1;
                self.notes.push(format!("wrong: {}", crate::situations::show(found)));
            }
        }
    }

    /// Everything as two Markdown tables.
    pub fn tables(&self) -> String {
        let mut out = String::from(
            "| mutation | planted | found | certain | likely | possible |\n|---|---:|---:|---:|---:|---:|\n",
        );
        for (way, r) in &self.recall {
            let found = r.found();
            let percent = 100 * found / r.planted;
            writeln!(
                out,
                "| {} | {} | {found} ({percent} %) | {} | {} | {} |",
                way.title(),
                r.planted,
                r.certain,
                r.likely,
                r.possible
            )
            .unwrap();
        }
        out += "\n| check | confidence | planted | implied | wrong | precision |\n|---|---|---:|---:|---:|---:|\n";
        for ((check, confidence), p) in &self.precision {
            let right = p.planted + p.implied;
            let percent = 100 * right / (right + p.wrong);
            writeln!(
                out,
                "| `{}` | {} | {} | {} | {} | {percent} % |",
                check.as_str(),
                confidence.as_str(),
                p.planted,
                p.implied,
                p.wrong
            )
            .unwrap();
        }
        out
    }
}

impl Recall {
    /// Found at any confidence.
    pub fn found(self) -> usize {
        self.certain + self.likely + self.possible
    }
}

/// Whether a finding is true, by the text of the sources, once the closures have become smaller: nothing leans any more on a
/// dependency that nothing names; an import that some program had no provider for is undeclared in those that are left.
fn is_uncovered(world: &World<'_>, planted: &[Planted], found: &Finding) -> bool {
    let takes_away = planted.iter().any(|mutation| mutation.way == Way::RemoveDep);
    let find = |label: &Option<Label>| world.run.graph.targets.find(label.as_ref()?);
    let (Some(user), Some(dep)) = (find(&found.target), find(&found.dep)) else { return false };
    takes_away
        && match (found.check, &found.module) {
            (CheckId::UnusedDep, _) => !world.names(user, dep),
            (CheckId::TransitiveDep, Some(module)) => world.lacks(user, module),
            _ => false,
        }
}

/// A finding, at its confidence and at every lesser one: only a rise is new.
fn levels(found: &Finding) -> impl Iterator<Item = (String, Confidence)> {
    let levels = [Confidence::Possible, Confidence::Likely, Confidence::Certain];
    let (identity, highest) = (found.identity(), found.confidence);
    levels
        .into_iter()
        .filter(move |level| *level <= highest)
        .map(move |level| (identity.clone(), level))
}
