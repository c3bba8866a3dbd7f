//! Seeded mutations: a repository is changed where the right answer is known by construction, and the findings are scored.
//!
//! `SEEDED_TREE` names a tree to mutate in memory, `SEEDED_K` how often, `SEEDED_SEED` where the choices start.

mod deps;
mod orphans;
mod planted;
mod random;
mod repository;
mod score;
mod world;

use crate::support::repository as home;
use planted::{Planted, Way};
use random::Random;
use repository::Repository;
use score::Score;
use secateur::finding::Confidence;
use std::path::{Path, PathBuf};
use world::World;

/// Mutates the tree in each of the ways, and scores what a run says about it.
fn score(root: &Path, count: usize, seed: u64) -> Score {
    let repository = Repository::new(root);
    let before = repository.run([]);
    let random = &mut Random::new(seed);
    let mut score = Score::default();
    let rounds: [Vec<Planted>; 3] = [
        deps::insert(&mut World::new(&before), count, random),
        deps::remove_used(&mut World::new(&before), count, random),
        orphans::add(&World::new(&before), count, random),
    ];
    for planted in rounds {
        let after = repository.run(planted.iter().map(|mutation| &mutation.changes));
        score.add(&World::new(&before), &after, &planted);
    }
    score
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let tree = std::env::var_os("SEEDED_TREE").map(PathBuf::from);
    let is_sample = tree.is_none();
    let tree = tree.unwrap_or_else(|| home().join("sample-repos/ml-monorepo"));
    let count = number("SEEDED_K", if is_sample { 10 } else { 100 }) as usize;
    let score = score(&tree, count, number("SEEDED_SEED", 1));
    let notes = score.notes.join("\n");
    println!("{}\n{notes}", score.tables());
    for ((check, confidence), precision) in &score.precision {
        let is_wrong = *confidence == Confidence::Certain && precision.wrong > 0;
        assert!(!is_wrong, "{check:?} is certain and wrong\n{notes}");
    }
    let inserted = score.recall[&Way::InsertDep];
    assert!(inserted.found() * 100 >= inserted.planted * 98, "{inserted:?}\n{notes}");
    assert!(inserted.planted > 0);
}
