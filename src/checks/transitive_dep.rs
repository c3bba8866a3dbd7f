//! # transitive-dep
//!
//! ## What it finds
//!
//! An import of a module whose provider is in the closure of every executable that runs it, but that the importing
//! target does not declare: it is there because some other dependency brings it. An expression such as `a.b.f()` counts
//! as an import of the submodule `a.b`, which works by the side effect of somebody else's import (`likely`).
//!
//! ## Why it matters
//!
//! It works until somebody else drops that dependency.
//!
//! ## Example
//!
//! ```python
//! # models/net.py imports features.geo; //models:net declares //features:store, which depends on //features:geo
//! import features.geo                 # transitive-dep
//! ```
//!
//! ## Fix
//!
//! Declare the dependency.

use super::context::Context;
use super::leaning;
use super::loading::{self, When};
use super::visibility;
use crate::finding::{
    Addition, Change, CheckId, Confidence, Evidence, Finding, FixSet, Region, Safety,
};
use crate::graph::{TargetId, Use, UseKind, Via, Ways};
use crate::source::ProjectPath;
use rayon::prelude::*;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let by_user = context.undeclared.par_chunk_by(|one, other| one.user == other.user);
    let of_user = |cases: &[Undeclared<'_>]| -> Vec<Finding> {
        let ways = OnceCell::new();
        let held = cases.iter().filter(|case| case.without.is_none());
        held.map(|case| finding(context, case, &ways)).collect()
    };
    by_user.flat_map_iter(of_user).collect()
}

/// `ways` are those from the user of the case, once they were asked for.
fn finding(context: &Context<'_>, case: &Undeclared<'_>, ways: &OnceCell<Ways>) -> Finding {
    let user = context.label(case.user);
    let owner = context.label(case.owner);
    let module = &case.used.wanted;
    let (message, confidence) = if case.used.via == Via::SideEffect {
        let message =
            format!("`{user}` uses `{module}` of `{owner}` without importing or declaring it");
        (message, Confidence::Likely)
    } else {
        let message = format!("`{user}` imports `{module}` of `{owner}` without declaring it");
        let in_doubt = case.is_declared_elsewhere(context);
        (message, if in_doubt { Confidence::Likely } else { Confidence::Certain })
    };
    let mut finding = case.outline(context, CheckId::TransitiveDep, confidence, message);
    if context.known.has(&finding) {
        return finding;
    }
    let ways = ways.get_or_init(|| context.webs.modules.ways_from([case.user.index()]));
    finding.region = case.region(context);
    finding.evidence = way(context, case, ways);
    finding.hint = Some(case.hint(context));
    finding.fix = case.fix(context);
    finding
}

/// How the owner is reached now.
fn way(context: &Context<'_>, case: &Undeclared<'_>, ways: &Ways) -> Vec<Evidence> {
    let Some(way) = ways.to(case.owner.index()) else { return Vec::new() };
    let step = |pair: &[usize]| {
        let (from, to) = (crate::graph::target_at(pair[0]), crate::graph::target_at(pair[1]));
        let edges = &context.graph.targets.node(from).edges;
        let position = edges.iter().position(|edge| edge.to == to)?;
        let region = context.dep(super::edges::EdgeId { from, position });
        let text = format!("`{}` depends on `{}`", context.label(from), context.label(to));
        Some(Evidence { path: region.path.to_string(), line: region.line, text })
    };
    way.windows(2).filter_map(step).collect()
}

/// A required use whose provider the user does not declare.
pub(super) struct Undeclared<'a> {
    pub(super) user: TargetId,
    pub(super) path: &'a ProjectPath,
    pub(super) used: &'a Use,
    /// The provider to declare.
    pub(super) owner: TargetId,
    /// An executable that has no provider.
    pub(super) without: Option<Without>,
    /// Whether the provider depends on the user.
    closes_cycle: bool,
}

/// An executable that has the user of a module, and nothing that provides it.
#[derive(Clone, Copy)]
pub(super) struct Without {
    /// Its position.
    pub(super) at: usize,
    /// It fails when it starts, whatever it is then asked to do.
    pub(super) fails_at_start: bool,
}

impl Undeclared<'_> {
    /// The dependency, where it can be declared.
    pub(super) fn fix(&self, context: &Context<'_>) -> Option<FixSet> {
        let (workspace, graph) = (context.workspace, context.graph);
        let is_program = graph.targets.node(self.owner).kind.is_executable();
        if is_program
            || self.closes_cycle
            || self.shares_sources(context)
            || !visibility::allows(workspace, graph, self.user, self.owner)
        {
            return None;
        }
        let (to, dep) = (context.label(self.user).clone(), context.label(self.owner).clone());
        Some(FixSet::new(Safety::Unsafe, [Change::AddDep(Addition { to, dep })]))
    }

    /// Of Bazel: whether another target has the same source and declares the module. One of them is the smaller on purpose.
    fn is_declared_elsewhere(&self, context: &Context<'_>) -> bool {
        let owners = context.owners_of_file.get(self.path);
        let mut others = owners.into_iter().flatten().filter(|(id, _)| *id != self.user);
        context.workspace.cells.is_bazel()
            && self
                .used
                .name
                .is_some_and(|name| others.any(|(id, _)| context.edges.declares(*id, name)))
    }

    /// Whether both ends have a source in common: together in one link tree they would clash.
    fn shares_sources(&self, context: &Context<'_>) -> bool {
        context.graph.owners.share_source(self.user, self.owner)
    }

    /// What to do about it.
    pub(super) fn hint(&self, context: &Context<'_>) -> String {
        let (user, owner) = (context.label(self.user), context.label(self.owner));
        let kind = context.graph.targets.node(self.owner).kind;
        if kind.is_executable() {
            format!("move `{}` from the program `{owner}` into a library", self.used.wanted)
        } else if self.shares_sources(context) {
            let module = &self.used.wanted;
            format!("`{owner}` and `{user}` have sources in common: move `{module}` below both")
        } else if self.closes_cycle {
            format!("`{owner}` depends on `{user}`: move `{}` below both", self.used.wanted)
        } else {
            format!("add `{owner}` to the deps of `{user}`")
        }
    }

    /// A finding about it, without columns and what else only readers need.
    pub(super) fn outline(
        &self,
        context: &Context<'_>,
        check: CheckId,
        confidence: Confidence,
        message: String,
    ) -> Finding {
        let region = if self.is_in_source() {
            Region::line(self.path.clone(), self.used.line)
        } else {
            self.region(context)
        };
        Finding {
            target: Some(context.label(self.user).clone()),
            dep: Some(context.label(self.owner).clone()),
            module: Some(self.used.wanted.to_string()),
            ..Finding::new(check, confidence, region, message)
        }
    }

    fn is_in_source(&self) -> bool {
        self.used.kind != UseKind::EntryPoint || self.used.line > 0
    }

    /// The import, or the attribute that names the entry point.
    pub(super) fn region(&self, context: &Context<'_>) -> Region {
        if self.is_in_source() {
            return context.of_use(self.path, self.used);
        }
        let Some(target) = context.graph.definition(self.user) else {
            return Region::line(self.path.clone(), 1);
        };
        let whole = context.build_region(&target.place.path, target.place.span);
        let file = context.graph.evaluation.file(&target.place.path);
        let call = file.and_then(|file| file.text().get(target.place.span.range()));
        let at = call.and_then(|call| {
            ["main_module", "main_function"].iter().find_map(|attr| {
                let at = call.find(attr)?;
                Some(at + call[at..].find(['"', '\'']).unwrap_or(0))
            })
        });
        match (at, call) {
            (Some(at), Some(call)) => {
                let start = target.place.span.start + at as u32;
                let rest = &call[at..];
                let length = rest[1..].find(['"', '\'']).map_or(1, |end| end + 2) as u32;
                let span = crate::source::Span::new(start, start + length);
                context.build_region(&target.place.path, span)
            }
            _ => whole,
        }
    }
}

/// Every module that a target needs and does not declare, once for each target and module, at its first use.
pub(super) fn undeclared<'a>(context: &Context<'a>) -> Vec<Undeclared<'a>> {
    let live = context.defined().filter(|(id, target)| {
        !target.manual && (context.is_live(*id) || context.roots.public.contains(id))
    });
    let live: Vec<TargetId> = live.map(|(user, _)| user).collect();
    let mut found: Vec<Undeclared<'a>> =
        live.into_par_iter().flat_map_iter(|user| undeclared_by(context, user)).collect();
    let ends: Vec<(usize, usize)> =
        found.iter().map(|case| (case.owner.index(), case.user.index())).collect();
    for (case, closes_cycle) in found.iter_mut().zip(context.webs.builds.reaches(&ends)) {
        case.closes_cycle = closes_cycle;
    }
    found
}

fn undeclared_by<'a>(context: &Context<'a>, user: TargetId) -> Vec<Undeclared<'a>> {
    let mut cases: BTreeMap<&str, (&'a ProjectPath, &'a Use)> = BTreeMap::new();
    for (path, used) in &context.edges.uses[user.index()].uses {
        let counts = used.kind.is_required()
            && used.via != Via::Implied
            && !used.manual
            && !used.missing_name;
        let Some(name) = used.name.filter(|_| counts) else { continue };
        if !context.edges.declares(user, name) && !is_ignored(context, &used.wanted) {
            let first = cases.entry(&used.wanted).or_insert((path, used));
            if (*path, used.line) < (first.0, first.1.line) {
                *first = (path, used);
            }
        }
    }
    let case = |(path, used)| case(context, user, path, used);
    cases.into_values().filter_map(case).collect()
}

fn is_ignored(context: &Context<'_>, module: &str) -> bool {
    context.workspace.settings.python.ignore_modules.iter().any(|pattern| {
        match pattern.strip_suffix(".*") {
            Some(prefix) => module == prefix || module.starts_with(&format!("{prefix}.")),
            None => module == pattern,
        }
    })
}

fn case<'a>(
    context: &Context<'_>,
    user: TargetId,
    path: &'a ProjectPath,
    used: &'a Use,
) -> Option<Undeclared<'a>> {
    let name = used.name?;
    let graph = context.graph;
    let mut owners: Vec<TargetId> = graph
        .owners
        .providers(name)
        .filter(|provision| !provision.type_only)
        .map(|provision| provision.target)
        .collect();
    owners.sort_by(|a, b| context.label(*a).cmp(context.label(*b)));
    owners.dedup();
    if owners.is_empty() {
        return None;
    }
    let holding = context.executables.holding(user);
    let held = |owner: &TargetId| context.executables.holding(*owner).intersection(holding).count();
    let provision = graph
        .owners
        .offer(user)
        .provisions
        .clone()
        .find(|at| graph.owners.provisions()[*at].path.as_ref() == Some(path));
    let loads = |at: &usize, when: When| {
        let executables = &context.executables;
        let loads = |source| context.loading.loads(graph, executables, *at, source, when);
        executables.is_run(graph, *at) && loading::runs(used, when) && provision.is_none_or(loads)
    };
    let provided = context.executables.holding_any(owners.iter().copied());
    let lacking: Vec<usize> = holding.difference(&provided).collect();
    let first = |when: When| lacking.iter().copied().find(|at| loads(at, when));
    let anywhere = || lacking.first().copied().filter(|_| holding.is_disjoint(&provided));
    let without = match first(When::AtStart) {
        Some(at) => Some(Without { at, fails_at_start: true }),
        None => first(When::Ever).or_else(anywhere).map(|at| Without { at, fails_at_start: false }),
    };
    // Nothing of Python can depend on definitions of protocol buffers themselves.
    owners.retain(|owner| !leaning::is_proto(graph, *owner));
    // Nobody depends on a program for its modules, if a library has them too.
    let rank = |owner: &TargetId| (!graph.targets.node(*owner).kind.is_executable(), held(owner));
    let best = owners.iter().map(rank).max()?;
    let owner = owners.iter().copied().find(|owner| rank(owner) == best)?;
    Some(Undeclared { user, path, used, owner, without, closes_cycle: false })
}
