//! Several configurations of one tree as one: what any of them uses is used. Pure.

use super::{Evaluation, LiteralId, Target};
use crate::label::Label;
use rustc_hash::FxHashMap;

impl Evaluation {
    /// Adds what another configuration of the same tree has and this one lacks.
    pub fn merge(&mut self, other: Self) {
        let numbers = self.adopt_files(&other);
        let renumber = |id: LiteralId| LiteralId { file: numbers[id.file as usize], ..id };
        let mut by_label: FxHashMap<Label, (usize, usize)> = FxHashMap::default();
        for (at, package) in self.packages.iter().enumerate() {
            for (index, target) in package.targets.iter().enumerate() {
                by_label.insert(target.label.clone(), (at, index));
            }
        }
        for (at, package) in other.packages.into_iter().enumerate() {
            for mut target in package.targets {
                for dep in &mut target.deps {
                    dep.literal = dep.literal.map(renumber);
                }
                for source in &mut target.sources {
                    source.literal = source.literal.map(renumber);
                }
                match by_label.get(&target.label) {
                    Some(&(at, index)) => {
                        merge_target(&mut self.packages[at].targets[index], target);
                    }
                    // Both evaluations list the same packages in the same order.
                    None => self.packages[at].targets.push(target),
                }
            }
        }
        self.problems.extend(other.problems);
        self.problems.sort();
        self.problems.dedup();
    }

    /// Takes over files that only the other evaluation has read; gives the numbers that its files have here.
    fn adopt_files(&mut self, other: &Self) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(other.files.len());
        for file in &other.files {
            let next = self.files.len() as u32;
            let number = *self.by_path.entry(file.path().clone()).or_insert(next);
            if number == next {
                self.files.push(file.clone());
            }
            numbers.push(number);
        }
        numbers
    }
}

fn merge_target(into: &mut Target, from: Target) {
    for dep in from.deps {
        let same = |known: &super::Dep| {
            known.to == dep.to && known.attr == dep.attr && known.literal == dep.literal
        };
        if !into.deps.iter().any(same) {
            into.deps.push(dep);
        }
    }
    for source in from.sources {
        if !into.sources.contains(&source) {
            into.sources.push(source);
        }
    }
    into.incomplete |= from.incomplete;
    into.manual |= from.manual;
    into.known &= from.known;
}
