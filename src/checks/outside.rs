//! Bazel's libraries without sources, which stand for what no build file has: packages that are installed on the machine, plugins
//! that are found at run time. Pure.

use super::edges::{Edges, TargetUses};
use crate::graph::{EdgeKind, Graph, NameId, TargetId, UseKind, Via};
use rustc_hash::FxHashSet;

/// Whether a target is a library that has nothing of its own, and may stand for something outside of the repository.
pub(super) fn is_stand_in(graph: &Graph, id: TargetId) -> bool {
    let offer = graph.owners.offer(id);
    let is_library = graph.definition(id).is_some_and(|target| &*target.kind == "py_library");
    is_library && !offer.has_sources && !offer.has_resources && offer.provisions.is_empty()
}

/// What something outside may import: the libraries that stand-ins bring along.
pub(super) fn brought_by_stand_ins(graph: &Graph) -> impl Iterator<Item = TargetId> + '_ {
    let stand_ins = graph.targets.ids().filter(|id| is_stand_in(graph, *id));
    let edges = stand_ins.flat_map(|id| &graph.targets.node(id).edges);
    edges.filter(|edge| edge.kind == EdgeKind::Modules).map(|edge| edge.to)
}

/// Whether some import of a target leads out of what is known here, so that any stand-in may be its provider.
pub(super) fn leads_out(graph: &Graph, uses: &TargetUses<'_>) -> bool {
    uses.uses.iter().any(|(_, used)| {
        let is_import = used.via == Via::Name && used.kind != UseKind::String;
        is_import && used.name.is_none() && !graph.owners.is_first_party(&used.wanted)
    })
}

/// Whether a library holds nothing but blank `__init__.py` files, as one does that only brings others along.
pub(super) fn is_blank(graph: &Graph, id: TargetId) -> bool {
    let provisions = graph.owners.of_target(id);
    let is_blank = |file| graph.files.get(file).is_empty;
    !graph.owners.offer(id).has_resources
        && !provisions.is_empty()
        && provisions.iter().all(|own| own.is_package && own.file.is_some_and(is_blank))
}

/// Whether `owners` have the `__init__` of a package that a target's own modules lie in. Without it Bazel makes an empty one.
pub(super) fn has_own_package(graph: &Graph, id: TargetId, owners: &[TargetId]) -> bool {
    let is_own = |package: &str| {
        let mut own = graph.owners.of_target(id).iter();
        own.any(|own| {
            let name = graph.owners.name(own.name).strip_prefix(package);
            name.is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let mut offered = owners.iter().flat_map(|owner| graph.owners.of_target(*owner));
    offered.any(|provision| {
        let is_blank = provision.file.is_some_and(|file| graph.files.get(file).is_empty);
        provision.is_package && !is_blank && is_own(graph.owners.name(provision.name))
    })
}

/// Modules that some target imports only if they are there, and does not declare: whoever depends on them switches that on.
pub(super) fn switched_on(edges: &Edges<'_>) -> FxHashSet<NameId> {
    let graph = edges.graph;
    let optional = graph.targets.ids().flat_map(|id| {
        let uses = edges.uses[id.index()].uses.iter();
        uses.filter(|(_, used)| used.kind == UseKind::Optional).map(move |(_, used)| (id, used))
    });
    let undeclared = optional.filter_map(|(id, used)| {
        let name = used.name?;
        (!edges.declares(id, name)).then_some(name)
    });
    undeclared.collect()
}
