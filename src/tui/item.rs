//! A finding with all that the screen says of it. Pure values; touches nothing.

use crate::edits::FileChange;
use crate::finding::{Finding, Safety, Saving};
use crate::label::Label;
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
        let place = || format!("{}:{}", finding.region.path, finding.region.line);
        let short = |dep: &Label| short(dep, finding.target.as_ref());
        match (&finding.dep, &finding.module) {
            (Some(dep), Some(module)) => format!("{module} ← {}", short(dep)),
            (Some(dep), None) => short(dep),
            (None, Some(module)) => module.clone(),
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
