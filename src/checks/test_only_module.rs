//! # test-only-module
//!
//! ## What it finds
//!
//! A module of a library that only tests reach, where those tests name nothing that any program uses, or only the
//! module's own test, by the usual names (`x.py`, `x_test.py`, `test_x.py`): the module and its tests keep each other
//! alive. Support code for tests of something alive is not reported; what lies in a directory of tests counts as such.
//!
//! ## Why it matters
//!
//! It is dead code that looks used.
//!
//! ## Example
//!
//! `features/legacy_geo.py` is imported by `features/legacy_geo_test.py` and by nothing else.
//!
//! ## Fix
//!
//! Delete the module together with its tests, and with targets that have no other source. Never applied without you.

use super::context::Context;
use super::dead_module::named_by_unread;
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Region, Safety};
use crate::graph::Kind;
use crate::source::ProjectPath;
use std::collections::BTreeSet;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for at in context.life.test_only.modules.ones() {
        let provision = &graph.owners.provisions()[at];
        let id = provision.target;
        let (Some(path), Some(file)) = (&provision.path, provision.file) else { continue };
        let is_library = graph.targets.node(id).kind == Kind::PythonLibrary;
        let manual = graph.definition(id).is_none_or(|target| target.manual);
        if !is_library
            || manual
            || provision.type_only
            || graph.files.get(file).is_empty
            || path.file_name() == "conftest.py"
            || context.roots.public.contains(&id)
            || named_by_unread(context, path)
            || lives_elsewhere(context, file)
            || !seen.insert(path)
        {
            continue;
        }
        let name = graph.owners.name(provision.name);
        let message = format!("only its own tests reach `{name}`");
        let region = Region::line(path.clone(), 1);
        let check = CheckId::TestOnlyModule;
        let mut finding = Finding::new(check, Confidence::Likely, region, message);
        finding.target = Some(context.label(id).clone());
        finding.module = Some(name.to_owned());
        finding.fix = fix(context, at);
        finding.hint =
            Some("delete it together with its tests, or name it in `[roots] modules`".to_owned());
        findings.push(finding);
    }
    findings
}

/// The module goes with everything that names it, and with test targets of which nothing is left.
fn fix(context: &Context<'_>, at: usize) -> Option<FixSet> {
    let graph = context.graph;
    let provisions = graph.owners.provisions();
    let going = context.life.test_only.goes_with(graph, at)?;
    let mut files: BTreeSet<&ProjectPath> = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for at in &going {
        let provision = &provisions[*at];
        let path = provision.path.as_ref()?;
        // Tests load these without naming them.
        let is_implied = provision.is_package || path.file_name() == "conftest.py";
        if is_implied
            || graph.definition(provision.target)?.manual
            || lives_elsewhere(context, provision.file?)
            || named_by_unread(context, path)
        {
            return None;
        }
        files.insert(path);
        targets.insert(provision.target);
    }
    targets.retain(|id| {
        let mut sources = graph.owners.of_target(*id).iter();
        graph.targets.node(*id).kind == Kind::PythonTest
            && sources.all(|source| source.path.as_ref().is_some_and(|path| files.contains(path)))
    });
    let files = files.into_iter().cloned().map(Change::DeleteFile);
    let targets = targets.into_iter().map(|id| Change::DeleteTarget(context.label(id).clone()));
    Some(FixSet::new(Safety::Unsafe, files.chain(targets)))
}

/// Whether the same file is alive as a source of another target.
fn lives_elsewhere(context: &Context<'_>, file: crate::graph::FileId) -> bool {
    let provisions = context.graph.owners.provisions().iter().enumerate();
    provisions
        .filter(|(_, provision)| provision.file == Some(file))
        .any(|(at, _)| context.life.in_production.contains(at))
}
