//! What has to be declared in place of the dependencies that go, and in place of which of them. Pure.

use super::edges::{EdgeId, Edges};
use super::leaning::{self, Executables, Lost, Wanted, Webs};
use crate::graph::{TargetId, Web};
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// Who gets which dependency.
pub(super) type Declared = BTreeSet<(TargetId, TargetId)>;

/// Who gets which dependency, and the removals that call for it.
pub(super) type Additions = BTreeMap<(TargetId, TargetId), BTreeSet<EdgeId>>;

/// Of the additions that were thought of, those without which something is lost once all of `removable` is out.
pub(super) fn needed(
    edges: &Edges<'_>,
    webs: &Webs,
    executables: &Executables,
    wanted: &Wanted,
    removable: &BTreeSet<EdgeId>,
    thought_of: &Declared,
) -> Additions {
    let mut additions = Additions::new();
    loop {
        let after = leaning::web_after(edges, &webs.modules, removable, additions.keys());
        let lost = leaning::find_lost(edges.graph, executables, wanted, &after);
        let ways = Ways::new(edges, &webs.modules, removable, &after, &lost);
        let before = additions.len();
        for loss in &lost {
            let provides = |(_, owner): &&(TargetId, TargetId)| edges.provides(*owner, loss.name);
            let own = thought_of.iter().filter(|(user, _)| *user == loss.user);
            let removals = ways.called_for_by(executables, loss);
            match own.into_iter().find(provides) {
                Some(addition) => additions.entry(*addition).or_default().extend(removals),
                // Something that was added for another user has been bringing it.
                None => {
                    for addition in thought_of {
                        additions.entry(*addition).or_default().extend(&removals);
                    }
                }
            }
        }
        if additions.len() == before {
            return additions;
        }
    }
}

/// The removals, and what each would bring back.
struct Ways<'a> {
    edges: &'a Edges<'a>,
    after: &'a Web,
    /// Each removal with what lies at or below its dependency once all are out, and before.
    removals: Vec<(EdgeId, FixedBitSet, FixedBitSet)>,
}

impl<'a> Ways<'a> {
    fn new(
        edges: &'a Edges<'a>,
        whole: &Web,
        removable: &BTreeSet<EdgeId>,
        after: &'a Web,
        lost: &[Lost],
    ) -> Self {
        let removals = if lost.is_empty() {
            Vec::new()
        } else {
            let deps: Vec<usize> = removable.iter().map(|id| edges.edge(*id).to.index()).collect();
            let below = after.closures(&deps).into_iter().zip(whole.closures(&deps));
            removable.iter().zip(below).map(|(id, (after, whole))| (*id, after, whole)).collect()
        };
        Self { edges, after, removals }
    }

    /// The removals any of which, put back alone, gives an executable its owner back: every set of removals by which the owner
    /// is lost has all of them. Where more than one has to come back, all that lie on some way: each such set has one.
    fn called_for_by(&self, executables: &Executables, loss: &Lost) -> BTreeSet<EdgeId> {
        let graph = self.edges.graph;
        let owners: FxHashSet<usize> =
            graph.owners.providers(loss.name).map(|owner| owner.target.index()).collect();
        let brings = |below: &FixedBitSet| owners.iter().any(|owner| below.contains(*owner));
        let mut found = BTreeSet::new();
        for at in &loss.executables {
            let held = &executables.closures[*at];
            let left = self.after.closure([executables.tops[*at].index()]);
            let alone = self
                .removals
                .iter()
                .filter(|(id, after, _)| left.contains(id.from.index()) && brings(after));
            let before = found.len();
            found.extend(alone.map(|(id, ..)| *id));
            if found.len() == before {
                let any = self
                    .removals
                    .iter()
                    .filter(|(id, _, whole)| held.contains(id.from.index()) && brings(whole));
                found.extend(any.map(|(id, ..)| *id));
            }
        }
        found
    }
}
