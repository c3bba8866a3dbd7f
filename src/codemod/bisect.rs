//! Which of many fixes break the build: delta debugging as a state machine that can be saved and resumed. Pure; touches
//! nothing.
//!
//! # The search
//!
//! A set of fixes is *closed* if it has all that its fixes need; only closed sets are tested. Fixes that need each other
//! are one *unit*. Units stand in an order in which each comes after those it needs, so that every prefix is closed.
//!
//! 1. Test all that is left. If it passes, it is kept.
//! 2. Else find the shortest failing prefix by bisection. Its last unit `c` is a culprit, for without it the prefix
//!    passes. From now on *hold* `c` with what it needs, and drop what comes after it.
//! 3. Test what is held, alone. If it fails, the culprits found so far fail together, and without any one of them they
//!    don't. Else something before `c` fails only together with it: find the shortest prefix that fails with what is
//!    held, as in 2.
//! 4. Quarantine the set, leave out what needs it, begin again with the rest.
//!
//! # How many tests
//!
//! With `k` culprits among `n` fixes, at most `2·k·log2(n) + k` after the first test, the one that shows that something
//! is wrong at all. Proof: a culprit costs one bisection among at most `n` prefixes, the longest of which is known to
//! fail, and one test of what is held: `⌈log2 n⌉ + 1`. A set costs one test of the rest, and there are at most as many
//! sets as culprits. Together at most `k·(⌈log2 n⌉ + 2)`, which is not more than `k·(2·log2 n + 1)`, as
//! `⌈log2 n⌉ + 1 ≤ 2·log2 n` for every whole `n ≥ 2`: it holds with equality for 2, by figures for 3 and 4, and above
//! because `⌈log2 n⌉ < log2 n + 1` and `2 ≤ log2 n`. For `n = 1` nothing is left to test.
//!
//! For `n ≥ 6` the bound holds with the first test counted as well, because `⌈log2 n⌉ + 3 ≤ 2·log2 n + 1`. No search
//! that begins with all fixes can do that for `n = 3`: to be sure of a single culprit takes a test of it and a test of
//! the two others, which leaves one test to tell three candidates apart, or none.
//!
//! # What it rests on
//!
//! The tree without any fix passes, and a set that fails makes every larger one fail. Where a build does not behave so
//! (it is flaky, or fixes need each other without saying so) the search still ends, each quarantined set has failed a
//! test of its own, and what is kept has passed one; only the number of tests, and that no set could be smaller, are no
//! longer sure. For this reason what is kept is tested as such, not inferred from a larger set that passed.
//!
//! The state is the list of tests and their outcomes. The search is replayed over it, so there is nothing else to save.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a test of a set of fixes gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The command succeeded.
    Pass,
    /// The command failed.
    Fail,
    /// The command did not end in time. Nothing shows that the set is good, so it counts as failing.
    Timeout,
}

/// A test that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The fixes that were applied, sorted.
    pub fixes: Vec<usize>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the command said, or where that is kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log: String,
}

/// The search for the culprits among `n` fixes, which are called `0..n`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Bisection {
    /// For each fix those that must be applied before it or with it, itself included.
    needs: Vec<BTreeSet<usize>>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    needs: Vec<BTreeSet<usize>>,
    tests: Vec<Test>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Test the tree with exactly these fixes, then [`Bisection::record`] it.
    Test(Vec<usize>),
    /// Nothing is left to test.
    Done(Verdict),
}

/// What came of the search. Each fix is in one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Fixes that passed a test together, sorted. If there are none, none were tested.
    pub kept: Vec<usize>,
    /// Sets that fail, in the order in which they were found.
    pub quarantined: Vec<Quarantined>,
    /// Fixes that nothing speaks against, but that need a quarantined one; sorted.
    pub stranded: Vec<usize>,
}

/// Fixes that fail together, and as far as was tested not without one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The culprits, sorted.
    pub fixes: Vec<usize>,
    /// Their failing test; it has what the culprits need as well.
    pub test: Test,
}

/// Fixes that need each other, so that no test can tell them apart.
struct Unit {
    fixes: BTreeSet<usize>,
    /// With what they need.
    closure: BTreeSet<usize>,
}

/// The search cannot go on before this set was tested.
struct Untested(BTreeSet<usize>);

impl Bisection {
    /// A search among `needs.len()` fixes, of which fix `i` must not be applied without the fixes `needs[i]`.
    ///
    /// Fails if a number is that of no fix.
    pub fn new(needs: Vec<Vec<usize>>) -> Result<Self> {
        let needs = needs.into_iter().map(BTreeSet::from_iter).collect();
        Self::try_from(Saved { needs, tests: Vec::new() })
    }

    /// What to do next. Asks the same until it is recorded.
    pub fn step(&self) -> Step {
        match self.search() {
            Ok(verdict) => Step::Done(verdict),
            Err(Untested(fixes)) => Step::Test(fixes.into_iter().collect()),
        }
    }

    /// Notes the outcome of a test. `log` is what the command said, or where that is kept.
    pub fn record(&mut self, fixes: &[usize], outcome: Outcome, log: String) {
        let fixes: BTreeSet<usize> = fixes.iter().copied().collect();
        self.tests.push(Test { fixes: fixes.into_iter().collect(), outcome, log });
    }

    /// The tests made so far.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// How many tests are made at most for `culprits` among the fixes, the first one of all fixes included.
    pub fn most_tests(&self, culprits: usize) -> usize {
        let halvings = self.needs.len().max(1).next_power_of_two().ilog2() as usize;
        1 + culprits * (halvings + 2)
    }

    fn search(&self) -> std::result::Result<Verdict, Untested> {
        let mut units = self.units();
        let mut verdict = Verdict::default();
        // So many of the first units passed a test, possibly with others.
        let mut passing = 0;
        while !units.is_empty() {
            let all = fixes_of(&units);
            if self.tested(&all)?.outcome == Outcome::Pass {
                verdict.kept = all.into_iter().collect();
                break;
            }
            let (culprits, test, passed) = self.failing_set(&units, passing)?;
            let (gone, left): (Vec<Unit>, Vec<Unit>) =
                units.into_iter().partition(|unit| !unit.closure.is_disjoint(&culprits));
            passing = passed.saturating_sub(gone.len());
            units = left;
            verdict.stranded.extend(fixes_of(&gone).difference(&culprits));
            let fixes = culprits.into_iter().collect();
            verdict.quarantined.push(Quarantined { fixes, test: test.clone() });
        }
        verdict.stranded.sort_unstable();
        Ok(verdict)
    }

    /// A set that fails, its test, and how many of the first units pass. `units` fail together.
    fn failing_set(
        &self,
        units: &[Unit],
        passing: usize,
    ) -> std::result::Result<(BTreeSet<usize>, &Test, usize), Untested> {
        let mut held = BTreeSet::new();
        let mut culprits = BTreeSet::new();
        let mut before: Vec<&Unit> = units.iter().collect();
        let mut passing = if passing < before.len() { passing } else { 0 };
        let mut passed = None;
        loop {
            let length = self.shortest_failing(&before, &held, passing)?;
            let passed = *passed.get_or_insert(length.saturating_sub(1));
            before.truncate(length);
            if let Some(culprit) = before.pop() {
                culprits.extend(&culprit.fixes);
                held.extend(&culprit.closure);
            }
            before.retain(|unit| !unit.fixes.is_subset(&held));
            passing = 0;
            let test = self.tested(&held)?;
            // What has nothing left before it is the prefix that failed.
            if test.outcome != Outcome::Pass || before.is_empty() {
                return Ok((culprits, test, passed));
            }
        }
    }

    /// The length of the shortest prefix of `units` that fails together with `held`. The whole is known to fail, and the
    /// first `passing` units to pass.
    fn shortest_failing(
        &self,
        units: &[&Unit],
        held: &BTreeSet<usize>,
        passing: usize,
    ) -> std::result::Result<usize, Untested> {
        let (mut passing, mut failing) = (passing, units.len());
        while failing - passing > 1 {
            let middle = usize::midpoint(passing, failing);
            let prefix = units.iter().take(middle).flat_map(|unit| &unit.fixes);
            let set = prefix.chain(held).copied().collect();
            match self.tested(&set)?.outcome {
                Outcome::Pass => passing = middle,
                Outcome::Fail | Outcome::Timeout => failing = middle,
            }
        }
        Ok(failing)
    }

    /// The test of exactly these fixes; if there were several, the first.
    fn tested(&self, fixes: &BTreeSet<usize>) -> std::result::Result<&Test, Untested> {
        let mut tests = self.tests.iter();
        tests.find(|test| fixes.iter().eq(&test.fixes)).ok_or_else(|| Untested(fixes.clone()))
    }

    /// The units, each after those that it needs.
    fn units(&self) -> Vec<Unit> {
        // What needs another has the larger closure, and what needs each other the same one.
        let mut fixes: Vec<usize> = (0..self.needs.len()).collect();
        let closure = |fix: &usize| self.needs.get(*fix).cloned().unwrap_or_default();
        fixes.sort_by_cached_key(|fix| {
            let closure = closure(fix);
            (closure.len(), closure, *fix)
        });
        let mut units: Vec<Unit> = Vec::new();
        for fix in fixes {
            let closure = closure(&fix);
            match units.last_mut().filter(|unit| unit.closure == closure) {
                Some(unit) => _ = unit.fixes.insert(fix),
                None => units.push(Unit { fixes: BTreeSet::from([fix]), closure }),
            }
        }
        units
    }
}

impl TryFrom<Saved> for Bisection {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        let Saved { mut needs, tests } = saved;
        let known = 0..needs.len();
        let named = needs.iter().flatten().chain(tests.iter().flat_map(|test| &test.fixes));
        if let Some(stranger) = named.copied().find(|fix| !known.contains(fix)) {
            let message = format!("fix {stranger} is named, but there are {} fixes", known.end);
            return Err(Error::new(message).hint("begin a new search"));
        }
        for (fix, needs) in needs.iter_mut().enumerate() {
            needs.insert(fix);
        }
        close(&mut needs);
        Ok(Self { needs, tests })
    }
}

/// Adds to each fix what is needed by those it needs.
fn close(needs: &mut [BTreeSet<usize>]) {
    let mut changed = true;
    while changed {
        changed = false;
        for fix in 0..needs.len() {
            let all: BTreeSet<usize> =
                needs[fix].iter().flat_map(|other| &needs[*other]).copied().collect();
            changed |= all.len() > needs[fix].len();
            needs[fix] = all;
        }
    }
}

fn fixes_of(units: &[Unit]) -> BTreeSet<usize> {
    units.iter().flat_map(|unit| &unit.fixes).copied().collect()
}

#[cfg(test)]
#[path = "bisect_tests.rs"]
mod tests;
