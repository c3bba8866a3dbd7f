//! # test-only-module
//!
//! ## What it finds
//!
//! A module of a library that only tests reach, where those tests reach nothing that any program uses: the module and
//! its tests keep each other alive. Support code for tests of something alive is not reported.
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
//! Delete the module together with its tests. Never applied without you.

use super::context::Context;
use super::dead_module::named_by_unread;
use crate::finding::{CheckId, Confidence, Finding, Region};
use crate::graph::Kind;
use std::collections::BTreeSet;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for at in context.life.test_only.ones() {
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
        finding.hint =
            Some("delete it together with its tests, or name it in `[roots] modules`".to_owned());
        findings.push(finding);
    }
    findings
}

/// Whether the same file is alive as a source of another target.
fn lives_elsewhere(context: &Context<'_>, file: crate::graph::FileId) -> bool {
    let provisions = context.graph.owners.provisions().iter().enumerate();
    provisions
        .filter(|(_, provision)| provision.file == Some(file))
        .any(|(at, _)| context.life.in_production.contains(at))
}
