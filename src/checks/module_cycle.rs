//! # module-cycle
//!
//! ## What it finds
//!
//! Modules that import each other when they are loaded. Imports inside functions, for type checkers, and lazy ones do not
//! make a cycle.
//!
//! ## Why it matters
//!
//! Whether it works depends on which module is imported first, and none of them can be moved or dropped alone.
//!
//! ## Example
//!
//! `models/net.py` imports `models/loss.py`, which imports `models/net.py`.
//!
//! ## Fix
//!
//! Move what both need into a third module, or import it where it is used.

use super::ground::Ground;
use crate::finding::{CheckId, Confidence, Evidence, Finding, Region};
use crate::graph::{Graph, NameId, TargetId, Use, UseKind, Via, Web};
use crate::source::ProjectPath;

/// One import between two modules of this repository.
struct Link<'a> {
    /// The handles of the modules, as numbers.
    ends: (usize, usize),
    path: &'a ProjectPath,
    used: &'a Use,
}

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let mut links: Vec<Link<'_>> = Vec::new();
    for (id, _) in ground.defined() {
        for (provision, unit) in ground.graph.units_of(id) {
            let Some(path) = provision.path.as_ref().filter(|_| !provision.type_only) else {
                continue;
            };
            for used in &unit.uses {
                let loads =
                    used.kind == UseKind::Runtime && used.via == Via::Name && !used.missing_name;
                if let Some(to) = used.name.filter(|to| loads && *to != provision.name) {
                    links.push(Link { ends: (provision.name.index(), to.index()), path, used });
                }
            }
        }
    }
    // Of several between the same modules the first stays.
    links.sort_by_key(|link| link.ends);
    links.dedup_by_key(|link| link.ends);
    let ends = || links.iter().map(|link| link.ends);
    let nodes = ends().map(|(from, to)| from.max(to) + 1).max().unwrap_or(0);
    let cycles = Web::new(nodes, ends()).cycles().into_iter();
    cycles.filter_map(|cycle| finding(ground, &cycle, &links)).collect()
}

/// The target with the smallest label among those that have a module as a source.
fn owner(ground: &Ground<'_>, name: NameId) -> Option<TargetId> {
    let graph = ground.graph;
    let has_source = |at: &usize| {
        let provision = &graph.owners.provisions()[*at];
        let is_source = provision.path.is_some() && !provision.type_only;
        is_source && graph.unit_at(*at).is_some() && graph.definition(provision.target).is_some()
    };
    let owners = graph.owners.positions(name).filter(has_source);
    let owners = owners.map(|at| graph.owners.provisions()[at].target);
    owners.min_by_key(|id| ground.label(*id))
}

fn finding(ground: &Ground<'_>, cycle: &[usize], links: &[Link<'_>]) -> Option<Finding> {
    let owners_of = &ground.graph.owners;
    let mut names: Vec<(&str, usize)> =
        cycle.iter().map(|at| (owners_of.name(crate::graph::name_at(*at)), *at)).collect();
    names.sort_unstable();
    let (first, first_at) = *names.first()?;
    if cycle.iter().all(|at| is_generated(ground.graph, crate::graph::name_at(*at))) {
        return None; // nobody writes these imports
    }
    let inner: Vec<(&str, &Link<'_>)> = names
        .iter()
        .flat_map(|(name, from)| {
            let start = links.partition_point(|link| link.ends.0 < *from);
            let own = links[start..].iter().take_while(|link| link.ends.0 == *from);
            let inside = own.filter(|link| cycle.binary_search(&link.ends.1).is_ok());
            inside.map(|link| (*name, link))
        })
        .collect();
    let start = inner.iter().filter(|(name, _)| *name == first);
    let (_, link) = start.min_by_key(|(_, link)| link.used.line)?;
    let region: Region = ground.of_use(link.path, link.used);
    let shown: Vec<String> = names.iter().take(4).map(|(name, _)| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(shown.len());
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("{}{others} import each other", shown.join(", "));
    let mut finding = Finding::new(CheckId::ModuleCycle, Confidence::Certain, region, message);
    let owner = owner(ground, crate::graph::name_at(first_at));
    finding.target = owner.map(|owner| ground.label(owner).clone());
    finding.module = Some(first.to_owned());
    let mut evidence: Vec<Evidence> = inner
        .iter()
        .map(|(name, link)| Evidence {
            path: link.path.to_string(),
            line: link.used.line,
            text: format!("`{name}` imports `{}`", link.used.wanted),
        })
        .collect();
    evidence.sort();
    evidence.dedup();
    finding.evidence = evidence;
    finding.hint = Some(
        "move what they share into a module of its own, or import it where it is used".to_owned(),
    );
    Some(finding)
}

fn is_generated(graph: &Graph, name: NameId) -> bool {
    let mut files = graph.owners.providers(name).filter_map(|provision| provision.file);
    files.any(|file| graph.files.get(file).facts.generated)
}
