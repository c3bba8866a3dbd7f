//! # unused-load
//!
//! ## What it finds
//!
//! A symbol of a `load` that its file never uses. A symbol that a comment hiding code (`@oss-disable`, `@fb-only`) names
//! is used there.
//!
//! ## Why it matters
//!
//! The loaded file and all it loads are evaluated for every package that loads this one.
//!
//! ## Example
//!
//! ```python
//! load("//build_defs:ml.bzl", "ml_library", "ml_binary")      # ml_binary is never called
//! ```
//!
//! ## Fix
//!
//! Remove the symbol; with the last one, the `load`.

use super::ground::Ground;
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Safety};

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let prelude = ground.workspace.cells.prelude().map(|(name, _)| name);
    let unread: rustc_hash::FxHashSet<_> = ground
        .graph
        .problems
        .iter()
        .filter(|problem| problem.kind == crate::source::ProblemKind::Syntax)
        .map(|problem| &problem.path)
        .collect();
    for file in &ground.graph.evaluation.files {
        let cell = &ground.workspace.cells.cell_of(file.path()).name;
        if prelude.as_ref() == Some(cell) || unread.contains(file.path()) {
            continue;
        }
        for load in file.loads() {
            for symbol in &load.symbols {
                if file.uses_name(&symbol.local) {
                    continue;
                }
                let region = ground.build_region(file.path(), symbol.span);
                let message = format!("nothing uses `{}` of `{}`", symbol.local, load.module);
                let check = CheckId::UnusedLoad;
                let mut finding = Finding::new(check, Confidence::Certain, region, message);
                let change = Change::RemoveLoad(file.path().clone(), symbol.span);
                finding.fix = Some(FixSet::new(Safety::Safe, [change]));
                finding.hint = Some(match load.symbols.len() {
                    1 => "remove the `load`".to_owned(),
                    _ => format!("remove `{}` from the `load`", symbol.local),
                });
                findings.push(finding);
            }
        }
    }
    findings
}
