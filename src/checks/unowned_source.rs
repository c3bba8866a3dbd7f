//! # unowned-source
//!
//! ## What it finds
//!
//! A Python file that no target has as a source. Setup scripts and the like, which run outside of Buck2, are left out.
//!
//! ## Why it matters
//!
//! No build checks it, and no program can import it.
//!
//! ## Example
//!
//! `features/new_store.py` is not in the `srcs` of any target of `//features`.
//!
//! ## Fix
//!
//! Add it to a target, delete it, or leave its directory out with `[project] exclude` or `[python] source-roots`.

use super::context::Context;
use crate::finding::{CheckId, Confidence, Finding, Region};
use crate::source::ProjectPath;

/// Files that tools other than Buck2 load by name.
const LOADED_BY_NAME: &[&str] =
    &["setup.py", "conftest.py", "noxfile.py", "conf.py", "fabfile.py", "tasks.py"];

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let graph = context.graph;
    let sources: rustc_hash::FxHashSet<&ProjectPath> = context
        .defined()
        .flat_map(|(_, target)| &target.sources)
        .filter_map(|source| match &source.origin {
            crate::buck::SourceOrigin::File { path, .. } => Some(path),
            crate::buck::SourceOrigin::Target(_) => None,
        })
        .collect();
    let unowned = graph.unowned().iter().map(|(file, _)| graph.files.get(*file));
    let reported = unowned.filter(|file| {
        let name = file.path.file_name();
        name.ends_with(".py")
            && (name != "__init__.py" || !file.is_empty)
            && !LOADED_BY_NAME.contains(&name)
            && !sources.contains(&file.path)
            && !graph.mentions.paths.contains_key(file.path.as_str())
            && in_source_roots(context, &file.path)
    });
    reported
        .map(|file| {
            let message = format!("no target has `{}` as a source", file.path);
            let region = Region::line(file.path.clone(), 1);
            let check = CheckId::UnownedSource;
            let mut finding = Finding::new(check, Confidence::Certain, region, message);
            finding.hint = Some("add it to the `srcs` of a target, or delete it".to_owned());
            finding
        })
        .collect()
}

fn in_source_roots(context: &Context<'_>, path: &ProjectPath) -> bool {
    let roots = &context.workspace.settings.python.source_roots;
    roots.is_empty()
        || roots.iter().any(|root| path.below(&ProjectPath::new(root.as_str())).is_some())
}
