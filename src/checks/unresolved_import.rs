//! # unresolved-import
//!
//! ## What it finds
//!
//! An import below a first-party package of something that neither a target nor the package itself provides: a module
//! that does not exist, or a name that the module does not have.
//!
//! ## Why it matters
//!
//! It fails when it runs.
//!
//! ## Example
//!
//! ```python
//! from features import stroe          # there is a features/store.py
//! ```
//!
//! ## Fix
//!
//! Correct the name, or give the module an owner: if the file is there, `unowned-source` reports it too.

use super::context::Context;
use crate::finding::{CheckId, Confidence, Evidence, Finding};
use crate::graph::{Graph, TargetId, Use, Via};
use crate::python::modules::ancestors;
use crate::source::ProjectPath;
use rustc_hash::FxHashSet;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (user, target) in context.defined() {
        if target.manual || !(context.is_live(user) || context.roots.public.contains(&user)) {
            continue;
        }
        let mut seen: FxHashSet<(&ProjectPath, u32, &str)> = FxHashSet::default();
        for (path, used) in &context.edges.uses[user.index()].uses {
            if is_broken(context.graph, used) && seen.insert((path, used.line, &used.wanted)) {
                findings.push(finding(context, user, path, used));
            }
        }
    }
    findings
}

fn is_broken(graph: &Graph, used: &Use) -> bool {
    if !used.kind.is_required()
        || used.in_text
        || used.via != Via::Name
        || used.manual
        || used.line == 0
    {
        return false;
    }
    used.missing_name || used.name.is_none() && is_ours_and_absent(graph, &used.wanted)
}

/// Whether a package above the module is ours, no namespace package is meant, and no distribution is known for it.
fn is_ours_and_absent(graph: &Graph, module: &str) -> bool {
    ancestors(module).any(|package| graph.owners.is_first_party(package))
        && !graph.owners.is_first_party(module)
        && !graph.is_distributed(module)
}

fn finding(context: &Context<'_>, user: TargetId, path: &ProjectPath, used: &Use) -> Finding {
    let label = context.label(user);
    let message = format!("nothing provides `{}`", used.wanted);
    let file = file_of(context, &used.wanted);
    // A file without an owner is there when Python runs outside of Buck2.
    let confidence = if file.is_some() { Confidence::Likely } else { Confidence::Certain };
    let region = context.of_use(path, used);
    let mut finding = Finding::new(CheckId::UnresolvedImport, confidence, region, message);
    finding.target = Some(label.clone());
    finding.module = Some(used.wanted.to_string());
    match file {
        Some(file) => {
            let text = "is there, but no target has it as a source".to_owned();
            finding.evidence.push(Evidence { path: file.to_string(), line: 1, text });
            finding.hint = Some("add the file to a target, and that target to the deps".to_owned());
        }
        None => finding.hint = Some("correct the import, or remove it".to_owned()),
    }
    finding
}

/// A file that would be the module if a target owned it.
fn file_of(context: &Context<'_>, module: &str) -> Option<ProjectPath> {
    let (package, name) = module.rsplit_once('.')?;
    let graph = context.graph;
    let siblings = graph.owners.provisions().iter().filter(|provision| {
        let other = graph.owners.name(provision.name);
        other.rsplit_once('.').map_or("", |(parent, _)| parent) == package || other == package
    });
    let dirs = siblings.filter_map(|provision| provision.path.as_ref()?.parent());
    let dirs: std::collections::BTreeSet<ProjectPath> = dirs.collect();
    let candidates = dirs.iter().flat_map(|dir| {
        [format!("{name}.py"), format!("{name}/__init__.py")]
            .into_iter()
            .filter_map(|file| dir.join(&file))
    });
    let owned = |path: &ProjectPath| {
        graph.owners.provisions().iter().any(|provision| provision.path.as_ref() == Some(path))
    };
    candidates.into_iter().find(|path| context.workspace.tree.is_file(path) && !owned(path))
}
