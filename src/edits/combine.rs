//! Which of many fixes can be made together. Writes nothing.

use super::prove::{Contents, Prover};
use crate::finding::{Change, FixSet};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Fixes that were proven together, and those that were not.
#[derive(Debug, Default)]
pub struct Combined<'f> {
    /// Fixes that are made.
    pub fixes: Vec<&'f FixSet>,
    /// What they make of the files.
    pub contents: Contents,
    /// Fixes that have to be made by hand, and why.
    pub refused: Vec<(&'f FixSet, String)>,
}

impl Prover<'_> {
    /// Proves each fix alone, and then as many as can be made together.
    ///
    /// A target whose users go with it cannot be deleted alone: such fixes are only tried together.
    pub fn combine<'f>(&self, fixes: impl IntoIterator<Item = &'f FixSet>) -> Combined<'f> {
        let fixes: BTreeSet<&FixSet> = fixes.into_iter().collect();
        let (deletions, others): (Vec<&FixSet>, Vec<&FixSet>) =
            fixes.into_iter().partition(|fix| deletes_targets(fix));
        let alone: Vec<(&FixSet, Option<String>)> =
            others.par_iter().map(|fix| (*fix, self.propose(&fix.changes).err())).collect();
        let mut combined = Combined::default();
        let mut proven = Vec::new();
        for (fix, refusal) in alone {
            match refusal {
                None => proven.push(fix),
                Some(reason) => combined.refused.push((fix, reason)),
            }
        }
        self.join(&proven, &mut combined);
        let deletions = self.without_users(deletions, &mut combined);
        self.join(&deletions, &mut combined);
        combined.fixes.sort();
        combined.refused.sort();
        combined
    }

    /// Adds fixes that are proven alone to those that are proven together: all at once, or half by half.
    fn join<'f>(&self, fixes: &[&'f FixSet], combined: &mut Combined<'f>) {
        if fixes.is_empty() {
            return;
        }
        let together = || combined.fixes.iter().chain(fixes).flat_map(|fix| &fix.changes);
        match self.propose(together()) {
            Ok(contents) => {
                combined.contents = contents;
                combined.fixes.extend(fixes);
            }
            Err(reason) if fixes.len() == 1 => {
                combined.refused.extend(fixes.iter().map(|fix| (*fix, reason.clone())));
            }
            Err(_) => {
                let (left, right) = fixes.split_at(fixes.len() / 2);
                self.join(left, combined);
                self.join(right, combined);
            }
        }
    }

    /// Deletions of targets on which nothing depends but what goes too.
    fn without_users<'f>(
        &self,
        mut deletions: Vec<&'f FixSet>,
        combined: &mut Combined<'f>,
    ) -> Vec<&'f FixSet> {
        loop {
            let all = combined.fixes.iter().chain(&deletions).flat_map(|fix| &fix.changes);
            let Some((label, reason)) = self.user_left(&all.collect()) else { return deletions };
            let gone = Change::DeleteTarget(label);
            let (kept, refused): (Vec<&FixSet>, Vec<&FixSet>) =
                deletions.iter().partition(|fix| !fix.changes.contains(&gone));
            combined.refused.extend(refused.into_iter().map(|fix| (fix, reason.clone())));
            deletions = kept;
        }
    }
}

fn deletes_targets(fix: &FixSet) -> bool {
    fix.changes.iter().any(|change| matches!(change, Change::DeleteTarget(_)))
}
