//! A finding with all that the screen says of it. Pure values; touches nothing.

use crate::edits::FileChange;
use crate::finding::{CheckId, Finding, FixSet, Safety, Saving};
use crate::label::Label;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What became of a finding's fix when it was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// There is none, or it was not tried yet.
    #[default]
    Open,
    /// It changes what it says and nothing else.
    Proven(Arc<Vec<FileChange>>),
    /// It has to be made by hand, and why.
    Refused(String),
}

/// A finding on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Stays the same when lines move, and so do decisions.
    pub fingerprint: String,
    /// What was found.
    pub finding: Finding,
    /// The package to group by.
    pub package: String,
    /// Who answers for it.
    pub owner: String,
    /// What its fix saves on its own.
    pub saving: Option<Saving>,
    /// Whether its fix can be made.
    pub proof: Proof,
    /// The position of the first finding that the same edit settles; numbered once all are there.
    pub edit: Option<usize>,
}

/// Finds out which findings one and the same edit settles.
pub(super) fn number(items: &mut [Item]) {
    let mut first: FxHashMap<&FixSet, usize> = FxHashMap::default();
    let edits: Vec<Option<usize>> = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let fix = item.finding.fix.as_ref().filter(|fix| !fix.changes.is_empty())?;
            Some(*first.entry(fix).or_insert(at))
        })
        .collect();
    items.iter_mut().zip(edits).for_each(|(item, edit)| item.edit = edit);
}

impl Item {
    /// Whether a fix exists that can be made unseen.
    pub fn is_safe(&self) -> bool {
        self.finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe)
    }

    /// Whether there is a fix that nothing spoke against so far.
    pub fn is_fixable(&self) -> bool {
        self.finding.fix.is_some() && !matches!(self.proof, Proof::Refused(_))
    }

    /// The target to group by.
    pub fn target(&self) -> String {
        let target = self.finding.target.as_ref();
        target.map_or_else(|| self.finding.region.path.to_string(), ToString::to_string)
    }

    /// What a list says of it, where its check is said elsewhere.
    pub fn subject(&self) -> String {
        let finding = &self.finding;
        let file = finding.region.path.as_str().rsplit('/').next().unwrap_or_default();
        // Where there is no target, the group is the file.
        let place = || match finding.target {
            Some(_) => format!("{file}:{}", finding.region.line),
            None => format!("line {}", finding.region.line),
        };
        let short = |dep: &Label| short(dep, finding.target.as_ref());
        match (&finding.dep, &finding.module) {
            (Some(dep), Some(module)) => format!("{module} ← {}", short(dep)),
            (Some(dep), None) => short(dep),
            (None, Some(module)) => module.clone(),
            // The target itself, or the file, is what was found.
            (None, None)
                if matches!(finding.check, CheckId::DeadTarget | CheckId::UnownedSource) =>
            {
                String::new()
            }
            (None, None) => place(),
        }
    }

    /// Orders by what is saved, the most first.
    pub fn weight(&self) -> (usize, u64) {
        self.saving.as_ref().map_or((0, 0), |saving| (saving.target_roots, saving.byte_roots))
    }
}

/// A label as one would write it beside another: `:name` in the same package, `//package` in the same cell if the name says the same.
fn short(label: &Label, beside: Option<&Label>) -> String {
    let package = &label.package;
    if beside.is_some_and(|beside| beside.package == *package) {
        return format!(":{}", label.name);
    }
    let is_same_cell = beside.is_some_and(|beside| beside.package.cell == package.cell);
    let cell = if is_same_cell { "" } else { &*package.cell };
    match package.path.rsplit('/').next() {
        Some(last) if *last == *label.name => format!("{cell}//{}", package.path),
        _ => format!("{cell}//{}:{}", package.path, label.name),
    }
}
