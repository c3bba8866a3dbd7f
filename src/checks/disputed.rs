//! Removals whose literal may feed more than our evaluation shows, because Buck2 has more than we found. Pure.

use super::edges::{EdgeId, Edges};
use crate::finding::Evidence;
use crate::label::Label;
use crate::workspace::{Fact, Side, Workspace};
use rustc_hash::FxHashSet;

/// The removals of which this is so, with the place of the call that was not read, or of the literal.
///
/// A literal within the call of a target is sure to feed that call alone. Any other may feed whatever Buck2 has and we have not.
pub(super) fn disputed(
    workspace: &Workspace,
    edges: &Edges<'_>,
    removable: impl IntoIterator<Item = EdgeId>,
) -> Vec<(EdgeId, Evidence)> {
    let Some(outside) = &workspace.outside else { return Vec::new() };
    let mut unfound: FxHashSet<&Label> = FxHashSet::default();
    for (label, facts) in &outside.differences {
        for fact in facts {
            match fact {
                Fact::Dep(Side::Buck2, _, to) => {
                    unfound.insert(to);
                }
                Fact::Target(Side::Buck2) => {
                    let id = edges.graph.targets.find(label);
                    let target = id.and_then(|id| edges.graph.definition(id));
                    unfound.extend(target.into_iter().flat_map(|it| &it.deps).map(|dep| &dep.to));
                }
                _ => {}
            }
        }
    }
    let judge = |id| Some((id, evidence(edges, id, &unfound)?));
    removable.into_iter().filter_map(judge).collect()
}

fn evidence(edges: &Edges<'_>, id: EdgeId, unfound: &FxHashSet<&Label>) -> Option<Evidence> {
    let graph = edges.graph;
    let target = graph.definition(id.from)?;
    let dep = edges.dep(id)?;
    let place = graph.evaluation.place(dep.literal?);
    let (call, written) = (target.call.span, place.span);
    let is_within =
        target.call.path == place.path && call.start <= written.start && written.end <= call.end;
    let text = if target.unread {
        "goes through a macro that was not read, and may be used there".to_owned()
    } else if !is_within && unfound.contains(&dep.to) {
        format!("may also be what makes others depend on `{}`, as Buck2 says they do", dep.to)
    } else {
        return None;
    };
    let line = graph.evaluation.file(&place.path)?.lines().line(written.start);
    Some(Evidence { path: place.path.to_string(), line, text })
}
