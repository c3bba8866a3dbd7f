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

use super::context::Context;
use crate::finding::{CheckId, Confidence, Evidence, Finding, Region};
use crate::graph::{Graph, NameId, TargetId, Use, UseKind, Via, Web};
use crate::source::ProjectPath;
use std::collections::BTreeMap;

/// One import between two modules of this repository.
struct Link<'a> {
    path: &'a ProjectPath,
    used: &'a Use,
}

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    let mut owners: BTreeMap<NameId, TargetId> = BTreeMap::new();
    let mut links: BTreeMap<(usize, usize), Link<'_>> = BTreeMap::new();
    for (id, _) in context.defined() {
        for (provision, unit) in graph.units_of(id) {
            let Some(path) = &provision.path else { continue };
            if provision.type_only {
                continue;
            }
            let owner = owners.entry(provision.name).or_insert(id);
            if context.label(id) < context.label(*owner) {
                *owner = id;
            }
            for used in &unit.uses {
                let loads =
                    used.kind == UseKind::Runtime && used.via == Via::Name && !used.missing_name;
                if let Some(to) = used.name.filter(|to| loads && *to != provision.name) {
                    let key = (provision.name.index(), to.index());
                    links.entry(key).or_insert(Link { path, used });
                }
            }
        }
    }
    let nodes = links.keys().flat_map(|(a, b)| [*a, *b]).max().map_or(0, |max| max + 1);
    let web = Web::new(nodes, links.keys().copied());
    let cycles = web.cycles().into_iter();
    cycles.filter_map(|cycle| finding(context, &cycle, &links, &owners)).collect()
}

fn finding(
    context: &Context<'_>,
    cycle: &[usize],
    links: &BTreeMap<(usize, usize), Link<'_>>,
    owners: &BTreeMap<NameId, TargetId>,
) -> Option<Finding> {
    let owners_of = &context.graph.owners;
    let mut names: Vec<(&str, usize)> =
        cycle.iter().map(|at| (owners_of.name(crate::graph::name_at(*at)), *at)).collect();
    names.sort_unstable();
    let (first, first_at) = *names.first()?;
    if cycle.iter().all(|at| is_generated(context.graph, crate::graph::name_at(*at))) {
        return None; // nobody writes these imports
    }
    let inner: Vec<(&str, &Link<'_>)> = names
        .iter()
        .flat_map(|(name, from)| {
            let links = links.range((*from, 0)..=(*from, usize::MAX));
            let inside = links.filter(|((_, to), _)| cycle.binary_search(to).is_ok());
            inside.map(|(_, link)| (*name, link))
        })
        .collect();
    let start = inner.iter().filter(|(name, _)| *name == first);
    let (_, link) = start.min_by_key(|(_, link)| link.used.line)?;
    let region: Region = context.of_use(link.path, link.used);
    let shown: Vec<String> = names.iter().take(4).map(|(name, _)| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(shown.len());
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("{}{others} import each other", shown.join(", "));
    let mut finding = Finding::new(CheckId::ModuleCycle, Confidence::Certain, region, message);
    let owner = owners.get(&crate::graph::name_at(first_at));
    finding.target = owner.map(|owner| context.label(*owner).clone());
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
