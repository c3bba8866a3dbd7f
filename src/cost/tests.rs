//! Prices and savings against definitions taken word for word, on small random graphs. Pure.

use super::model::{Delta, Model, Root, Weight};
use super::price;
use super::saving::{self, RootSaving};
use crate::finding::{Rebuilds, Saving};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NODES: usize = 9;
const FILES: usize = 7;

/// A repository without files on disk.
#[derive(Clone, Debug)]
struct World {
    edges: Vec<(usize, usize)>,
    roots: BTreeSet<usize>,
    owners: Vec<BTreeSet<usize>>,
    commits: Vec<BTreeSet<usize>>,
}

prop_compose! {
    fn world()(
        edges in vec((0..NODES, 0..NODES), 0..22),
        roots in btree_set(0..NODES, 0..5),
        owners in vec(btree_set(0..NODES, 1..4), FILES),
        commits in vec(btree_set(0..FILES, 0..4), 0..6),
    ) -> World {
        World { edges, roots, owners, commits }
    }
}

fn bytes(file: usize) -> u64 {
    1 << file
}

impl World {
    fn model(&self) -> Model {
        let roots = self.roots.iter().map(|&node| Root { node, is_program: node % 2 == 0 });
        let sources = self.owners.iter().enumerate();
        let sources = sources.map(|(file, owners)| (owners.iter().copied().collect(), bytes(file)));
        let mut model = Model::new(vec![true; NODES], self.edges.clone(), roots.collect(), sources);
        let commits = self.commits.iter().map(|files| files.iter().copied().collect());
        model.commits = Some(commits.collect());
        model
    }

    /// The world after a change; targets and files keep their numbers.
    fn after(&self, delta: &Delta) -> Self {
        let mut after = self.clone();
        for gone in &delta.removed {
            if let Some(at) = after.edges.iter().position(|edge| edge == gone) {
                after.edges.remove(at);
            }
        }
        after.edges.extend(&delta.added);
        let is_gone = |node: &usize| delta.deleted_nodes.contains(node);
        after.edges.retain(|(from, to)| !is_gone(from) && !is_gone(to));
        after.roots.retain(|root| !is_gone(root));
        for (file, owners) in after.owners.iter_mut().enumerate() {
            owners.retain(|owner| !is_gone(owner) && !delta.deleted_files.contains(&file));
        }
        after
    }

    fn closure(&self, root: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = self.roots.get(&root).copied().into_iter().collect();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(self.edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to));
            }
        }
        seen
    }

    fn files(&self, root: usize) -> BTreeSet<usize> {
        let closure = self.closure(root);
        (0..FILES).filter(|file| !self.owners[*file].is_disjoint(&closure)).collect()
    }

    fn rebuilds(&self, root: usize) -> Vec<bool> {
        let files = self.files(root);
        self.commits.iter().map(|commit| !commit.is_disjoint(&files)).collect()
    }
}

/// What a change saves, by its definition.
fn brute_force(before: &World, after: &World) -> (Saving, BTreeMap<usize, RootSaving>) {
    let (mut lost, mut lost_files) = (BTreeSet::new(), BTreeSet::new());
    let (mut roots, mut programs) = (BTreeMap::new(), 0);
    for &root in &before.roots {
        let (old, new) = (before.closure(root), after.closure(root));
        let (old_files, new_files) = (before.files(root), after.files(root));
        let files: BTreeSet<usize> = old_files.difference(&new_files).copied().collect();
        let targets: BTreeSet<usize> = old.difference(&new).copied().collect();
        let felt = before.rebuilds(root).into_iter().zip(after.rebuilds(root));
        let saving = RootSaving {
            targets: targets.len(),
            sources: files.len(),
            bytes: files.iter().map(|file| bytes(*file)).sum(),
            entered: new.difference(&old).count(),
            rebuilds: Some(felt.filter(|(was, is)| *was && !is).count()),
        };
        if saving.targets + saving.sources + saving.entered > 0 {
            roots.insert(root, saving);
        }
        programs += usize::from(root % 2 == 0 && saving.targets + saving.sources > 0);
        lost.extend(targets);
        lost_files.extend(files);
    }
    let all = |world: &World| -> BTreeSet<usize> {
        world.roots.iter().flat_map(|root| world.closure(*root)).collect()
    };
    let sum = |value: fn(&RootSaving) -> usize| roots.values().map(value).sum::<usize>();
    let avoided = sum(|root| root.rebuilds.unwrap());
    let saving = Saving {
        roots: roots.values().filter(|root| root.targets + root.sources > 0).count(),
        programs,
        targets: lost.len(),
        target_roots: sum(|root| root.targets),
        unreached: all(before).difference(&all(after)).count(),
        sources: lost_files.len(),
        bytes: lost_files.iter().map(|file| bytes(*file)).sum(),
        byte_roots: roots.values().map(|root| root.bytes).sum(),
        entered: sum(|root| root.entered),
        rebuilds: Some(Rebuilds { avoided, commits: before.commits.len() }),
    };
    (saving, roots)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_saving_is_the_difference_of_the_closures(
        world in world(),
        picks in vec(any::<proptest::sample::Index>(), 0..4),
        added in vec((0..NODES, 0..NODES), 0..3),
        nodes in btree_set(0..NODES, 0..2),
        files in btree_set(0..FILES, 0..3),
    ) {
        // The same edge may be picked twice, though it is written once.
        let removed = picks.iter().filter(|_| !world.edges.is_empty());
        let delta = Delta {
            removed: removed.map(|pick| *pick.get(&world.edges)).collect(),
            added,
            deleted_nodes: nodes.into_iter().collect(),
            deleted_files: files.into_iter().collect(),
        };
        let (saving, roots) = saving::compute(&world.model(), &delta);
        let (expected, expected_roots) = brute_force(&world, &world.after(&delta));
        prop_assert_eq!(saving, expected);
        prop_assert_eq!(roots.into_iter().collect::<BTreeMap<_, _>>(), expected_roots);
    }

    #[test]
    fn the_price_of_each_edge_is_what_its_removal_saves(world in world()) {
        let prices = price::all(&world.model());
        let edges: BTreeSet<(usize, usize)> = world.edges.iter().copied().collect();
        prop_assert_eq!(prices.len(), edges.len());
        for (price, edge) in prices.into_iter().zip(edges) {
            prop_assert_eq!((price.from.index(), price.to.index()), edge);
            let mut after = world.clone();
            after.edges.retain(|other| *other != edge);
            let (saving, roots) = brute_force(&world, &after);
            prop_assert_eq!(price.roots, saving.roots);
            let sources = roots.values().map(|root| root.sources).sum();
            let held = Weight { targets: saving.target_roots, sources, bytes: saving.byte_roots };
            prop_assert_eq!(price.held, held);
            prop_assert_eq!(price.rebuilds, saving.rebuilds.map(|rebuilds| rebuilds.avoided));
            prop_assert_eq!(price.retained.targets, saving.unreached);
        }
    }
}

#[test]
fn a_saving_fits_in_one_line() {
    let rebuilds = Some(Rebuilds { avoided: 17, commits: 500 });
    let many = Saving {
        roots: 3,
        programs: 3,
        targets: 12,
        sources: 40,
        bytes: 48_200,
        rebuilds,
        ..Saving::default()
    };
    let line = "saves 12 targets in 3 programs, 48 kB; 17 rebuilds in the last 500 commits";
    assert_eq!(many.to_string(), line);
    let file = Saving { roots: 1, sources: 1, bytes: 7, entered: 2, ..Saving::default() };
    assert_eq!(file.to_string(), "saves 1 source in 1 root, 7 B; adds 2 targets to closures");
    let nothing = "saves nothing: other ways lead to all of it";
    assert_eq!(Saving::default().to_string(), nothing);
}
