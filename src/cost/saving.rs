//! What a change saves, root by root: the closures before and after it are compared. Pure.

use super::model::{Delta, Model, Root, Weight};
use crate::finding::{Rebuilds, Saving};
use fixedbitset::FixedBitSet;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use std::cmp::Reverse;

/// What a change saves in one root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RootSaving {
    /// Targets that leave its closure.
    pub targets: usize,
    /// Source files that leave it.
    pub sources: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Targets that enter it.
    pub entered: usize,
    /// Commits after which it would not have had to be built again; null without a history.
    pub rebuilds: Option<usize>,
}

impl RootSaving {
    /// Orders by what is saved, the least first.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (self.targets, self.bytes, self.rebuilds, Reverse(self.entered))
    }

    fn is_nothing(&self) -> bool {
        self.targets == 0 && self.sources == 0 && self.entered == 0
    }
}

/// What one root loses.
struct Loss {
    root: Root,
    saving: RootSaving,
    /// Nodes that leave its closure.
    nodes: FixedBitSet,
    /// Deleted files that go without their target.
    files: FixedBitSet,
}

/// What a change saves in all, and in each root that it concerns, by node.
pub(super) fn compute(model: &Model, delta: &Delta) -> (Saving, Vec<(usize, RootSaving)>) {
    let (after, gone) = model.after(delta);
    let ends = delta.removed.iter().chain(&delta.added).map(|(from, _)| *from);
    let files = delta.deleted_files.iter().map(|file| model.files[*file].node);
    let above = model.back.closure(ends.chain(files).chain(gone.iter().copied()));
    let concerned = model.roots.par_iter().filter(|root| above.contains(root.node));
    let losses: Vec<Loss> = concerned
        .map(|root| {
            let alive = (!gone.contains(&root.node)).then_some(root.node);
            loss(model, delta, *root, &after.closure(alive))
        })
        .filter(|loss| !loss.saving.is_nothing())
        .collect();
    let everything = |root: &Root| root.node;
    let before = model.web.closure(model.roots.iter().map(everything));
    let alive = model.roots.iter().map(everything).filter(|node| !gone.contains(node));
    let unreached = before.difference(&after.closure(alive)).collect::<Vec<_>>();
    let saving = Saving { unreached: model.weigh(unreached).targets, ..total(model, &losses) };
    (saving, losses.into_iter().map(|loss| (loss.root.node, loss.saving)).collect())
}

fn loss(model: &Model, delta: &Delta, root: Root, after: &FixedBitSet) -> Loss {
    let before = model.web.closure([root.node]);
    let mut nodes = before.clone();
    nodes.difference_with(after);
    let mut files = FixedBitSet::with_capacity(model.files.len());
    let stays = |node: usize| before.contains(node) && after.contains(node);
    files.extend(delta.deleted_files.iter().copied().filter(|f| stays(model.files[*f].node)));
    let Weight { targets, sources, bytes } = model.weigh(nodes.ones());
    let rebuilds = model.commits.as_ref().map(|commits| {
        let had = |file: &usize| before.contains(model.files[*file].node);
        let has = |file: &usize| {
            after.contains(model.files[*file].node) && !delta.deleted_files.contains(file)
        };
        commits.iter().filter(|files| files.iter().any(had) && !files.iter().any(has)).count()
    });
    let saving = RootSaving {
        targets,
        sources: sources + files.count_ones(..),
        bytes: bytes + files.ones().map(|file| model.files[file].bytes).sum::<u64>(),
        entered: model.weigh(after.difference(&before)).targets,
        rebuilds,
    };
    Loss { root, saving, nodes, files }
}

fn total(model: &Model, losses: &[Loss]) -> Saving {
    let mut nodes = FixedBitSet::with_capacity(model.weights.len());
    let mut files = FixedBitSet::with_capacity(model.files.len());
    let commits = model.commits.as_ref().map(Vec::len);
    let rebuilds = commits.map(|commits| Rebuilds { avoided: 0, commits });
    let mut total = Saving { rebuilds, ..Saving::default() };
    for Loss { root, saving, nodes: lost, files: deleted } in losses {
        nodes.union_with(lost);
        files.union_with(deleted);
        let shrinks = saving.targets + saving.sources > 0;
        total.roots += usize::from(shrinks);
        total.programs += usize::from(shrinks && root.is_program);
        total.target_roots += saving.targets;
        total.byte_roots += saving.bytes;
        total.entered += saving.entered;
        if let Some(rebuilds) = &mut total.rebuilds {
            rebuilds.avoided += saving.rebuilds.unwrap_or(0);
        }
    }
    let lost = model.weigh(nodes.ones());
    // A file that goes without its target here may go with it there; it counts once.
    let alone = files.ones().map(|file| model.files[file]);
    let alone = alone.filter(|file| !nodes.contains(file.node));
    let (sources, bytes) = alone.fold((0, 0), |(n, sum), file| (n + 1, sum + file.bytes));
    total.targets = lost.targets;
    total.sources = lost.sources + sources;
    total.bytes = lost.bytes + bytes;
    total
}
