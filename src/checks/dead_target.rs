//! # dead-target
//!
//! ## What it finds
//!
//! A target that no root depends on, directly or through others, once unused dependencies are gone. Roots are programs
//! and tests, what `[roots]` in `secateur.toml` names, and every label that CI files and scripts name.
//!
//! ## Why it matters
//!
//! It is parsed in every build, tested and maintained for nobody.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "old_client", srcs = ["old_client.py"])     # nobody depends on it
//! ```
//!
//! ## Fix
//!
//! Delete it. If something outside of the repository uses it, name it in `[roots] targets`. A target that is visible to
//! everybody is reported as `likely` at most.

use super::context::Context;
use super::leaning;
use super::visibility;
use crate::buck::{self, LiteralId};
use crate::finding::{Change, CheckId, Confidence, Evidence, Finding, FixSet, Safety};
use crate::graph::{Kind, Resolution, TargetId};
use crate::label::{Label, PackageId};
use crate::source::{Place, ProjectPath};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    // Where a build file could not be read at all, anything may be used by it.
    let failed = context.graph.evaluation.packages.iter().any(|package| package.failed);
    if failed || context.blind_spot.is_some() {
        return Vec::new();
    }
    let wanted = wanted(context);
    let kept_by_macro = live_calls(context);
    let dead: Vec<TargetId> = context
        .defined()
        .filter(|(id, target)| {
            !context.is_live(*id)
                && !target.manual
                && !wanted.contains(id)
                && !kept_by_macro.contains(&target.place)
        })
        .map(|(id, _)| id)
        .collect();
    // What a doubtful target needs is as doubtful.
    let named = named_elsewhere(context);
    let broken = broken_labels(context);
    let unread = unread_packages(context);
    let is_exported = context.workspace.settings.project.preset.is_some();
    let doubtful = dead.iter().filter(|id| {
        let label = context.label(**id);
        confidence(context, **id) != Confidence::Certain
            || named.contains(label)
            || broken.iter().any(|broken| may_mean(broken, label))
            || unread.iter().any(|package| sees(context, &package.target("any"), **id))
            // What an exported tree lacks was left behind, and may depend on what it saw.
            || is_exported && broken.iter().any(|label| sees(context, label, **id))
    });
    // One call takes the least confidence of all that it makes.
    let doubtful: Vec<TargetId> = doubtful.copied().collect();
    let calls: FxHashSet<&Place> = doubtful.iter().filter_map(|id| place(context, *id)).collect();
    let made_with =
        dead.iter().filter(|id| place(context, **id).is_some_and(|p| calls.contains(p)));
    let doubtful =
        context.webs.builds.closure(doubtful.iter().chain(made_with).map(|id| id.index()));
    let importers = importers(context);
    let mut findings = Vec::new();
    for id in dead {
        let Some(target) = context.graph.definition(id) else { continue };
        let importer = importers.get(&id);
        let doubt = doubtful.contains(id.index()) || importer.is_some();
        let confidence = if doubt { Confidence::Likely } else { Confidence::Certain };
        let message = format!("nothing alive depends on `{}`", target.label);
        let region = context.call(target);
        let mut finding = Finding::new(CheckId::DeadTarget, confidence, region, message);
        finding.target = Some(target.label.clone());
        finding.fix =
            Some(FixSet::new(Safety::Unsafe, [Change::DeleteTarget(target.label.clone())]));
        finding.hint = Some("delete it, or name it in `[roots] targets`".to_owned());
        finding.evidence.extend(importer.cloned());
        findings.push(finding);
    }
    findings
}

fn place<'a>(context: &Context<'a>, id: TargetId) -> Option<&'a Place> {
    context.graph.definition(id).map(|target| &target.place)
}

/// Files without an owner that import something of a target: people run them without Buck2.
fn importers(context: &Context<'_>) -> FxHashMap<TargetId, Evidence> {
    let graph = context.graph;
    let mut found = FxHashMap::default();
    for (file, unit) in graph.unowned() {
        let path = &graph.files.get(*file).path;
        for used in unit.uses.iter().filter(|used| used.kind.is_required()) {
            for provision in used.name.into_iter().flat_map(|name| graph.owners.providers(name)) {
                found.entry(provision.target).or_insert_with(|| Evidence {
                    path: path.to_string(),
                    line: used.line,
                    text: format!("imports `{}`, and no target owns this file", used.wanted),
                });
            }
        }
    }
    found
}

fn confidence(context: &Context<'_>, id: TargetId) -> Confidence {
    let kind = context.graph.targets.node(id).kind;
    let public = context.roots.visible.contains(&id);
    let rule = context.graph.definition(id).map(|target| &*target.kind);
    // What a genrule makes may be a product that somebody builds by name.
    let sure = matches!(kind, Kind::PythonLibrary | Kind::PythonPrebuilt)
        || matches!(rule, Some("filegroup" | "export_file"));
    let stands_for_more = context.edges.is_stand_in(id);
    if public || !sure || stands_for_more { Confidence::Likely } else { Confidence::Certain }
}

/// Dead targets whose modules something alive imports without declaring it: what they lack is a dependency on them.
fn wanted(context: &Context<'_>) -> FxHashSet<TargetId> {
    let graph = context.graph;
    let mut wanted = FxHashSet::default();
    for (id, _) in context.defined().filter(|(id, _)| context.is_live(*id)) {
        for name in context.edges.uses[id.index()].by_name.keys() {
            let owners = || graph.owners.providers(*name).map(|provision| provision.target);
            // What only has definitions of protocol buffers cannot be declared.
            let is_declarable = |owner: &TargetId| !leaning::is_proto(graph, *owner);
            if !owners().filter(is_declarable).any(|owner| context.is_live(owner)) {
                wanted.extend(owners());
            }
        }
    }
    wanted
}

/// Packages of which a part failed: it may depend on whatever the package may see.
fn unread_packages<'a>(context: &Context<'a>) -> Vec<&'a PackageId> {
    let costs = context.graph.problems.iter().filter(|problem| problem.costs_targets());
    let failed: FxHashSet<&ProjectPath> = costs.map(|problem| &problem.path).collect();
    let packages = context.graph.evaluation.packages.iter();
    packages.filter(|p| failed.contains(&p.build_file)).map(|package| &package.id).collect()
}

fn sees(context: &Context<'_>, user: &Label, id: TargetId) -> bool {
    visibility::lets_see(context.workspace, context.graph, user, id)
}

/// Labels that some build file names and none defines.
fn broken_labels<'a>(context: &Context<'a>) -> Vec<&'a Label> {
    let deps = context.defined().flat_map(|(_, target)| &target.deps).map(|dep| &dep.to);
    deps.filter(|to| context.graph.targets.resolution(to) == Resolution::Broken).collect()
}

/// Whether a broken label may be another spelling of a target: the same name, in a package whose path ends alike.
fn may_mean(broken: &Label, label: &Label) -> bool {
    let (one, other) = (&*broken.package.path, &*label.package.path);
    broken.name == label.name && (one.ends_with(other) || other.ends_with(one))
}

/// Labels that literals and macro strings name without feeding any target here: another configuration may use them.
fn named_elsewhere(context: &Context<'_>) -> FxHashSet<Label> {
    let graph = context.graph;
    let mut fed: FxHashSet<LiteralId> = FxHashSet::default();
    for (_, target) in context.defined() {
        fed.extend(target.deps.iter().filter_map(|dep| dep.literal));
        fed.extend(target.sources.iter().filter_map(|source| source.literal));
    }
    let in_strings: FxHashSet<&Label> = context
        .defined()
        .flat_map(|(_, target)| target.deps.iter().filter(|dep| dep.in_string).map(|dep| &dep.to))
        .collect();
    let mut named = FxHashSet::default();
    for (file, number) in graph.evaluation.files.iter().zip(0_u32..) {
        let dir = file.path().parent().unwrap_or_else(ProjectPath::root);
        let package = context.workspace.cells.package_of_dir(&dir);
        for (literal, index) in file.literals().iter().zip(0_u32..) {
            if !fed.contains(&LiteralId { file: number, index }) {
                let written = buck::parse_label(&literal.text, &package, &context.workspace.cells);
                named.extend(written.map(|written| written.label));
            }
        }
        for text in buck::in_arg(file.text()) {
            let written = buck::parse_label(text, &package, &context.workspace.cells);
            let label = written.map(|written| written.label);
            named.extend(label.filter(|label| !in_strings.contains(label)));
        }
    }
    named.extend(named_by_unloaded(context));
    named
}

/// Labels in `.bzl` files that nothing here loads: macros for whoever does.
fn named_by_unloaded(context: &Context<'_>) -> Vec<Label> {
    let (workspace, evaluation) = (context.workspace, &context.graph.evaluation);
    let prelude = workspace.cells.prelude().map(|(name, _)| name);
    let is_unloaded = |path: &&ProjectPath| {
        path.file_name().ends_with(".bzl")
            && evaluation.file(path).is_none()
            && prelude.as_ref() != Some(&workspace.cells.cell_of(path).name)
    };
    let paths: Vec<&ProjectPath> = workspace.tree.files().filter(is_unloaded).collect();
    let labels = paths.par_iter().flat_map_iter(|path| {
        let bytes = workspace.files.read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let dir = path.parent().unwrap_or_else(ProjectPath::root);
        let package = workspace.cells.package_of_dir(&dir);
        let words = text.split(['"', '\'']).filter(|word| buck::looks_like_label(word));
        let labels = words.filter_map(|word| buck::parse_label(word, &package, &workspace.cells));
        labels.map(|written| written.label).collect::<Vec<_>>()
    });
    labels.collect()
}

/// The calls that define something alive. A macro that defines several targets in one call is used if any of them is.
fn live_calls<'a>(context: &Context<'a>) -> FxHashSet<&'a Place> {
    let live = context.defined().filter(|(id, _)| context.is_live(*id));
    live.map(|(_, target)| &target.place).collect()
}
