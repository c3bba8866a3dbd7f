//! # missing-source
//!
//! ## What it finds
//!
//! A file named in `srcs` or another attribute of sources that is not there.
//!
//! ## Why it matters
//!
//! Buck2 refuses the whole package.
//!
//! ## Example
//!
//! ```python
//! python_library(name = "data", srcs = ["loader.py", "sampler.py"])    # sampler.py was deleted
//! ```
//!
//! ## Fix
//!
//! Remove the mention or bring the file back.

use super::ground::Ground;
use crate::buck::SourceOrigin;
use crate::finding::{Change, CheckId, Confidence, Finding, FixSet, Safety};

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, target) in ground.defined() {
        if !target.known || !ground.graph.targets.node(id).kind.has_python_sources() {
            continue;
        }
        for source in &target.sources {
            let SourceOrigin::File { path, present: false } = &source.origin else { continue };
            if is_elsewhere(ground, path) {
                continue;
            }
            let region = match source.literal {
                Some(literal) => ground.literal(literal),
                None => ground.call(target),
            };
            let message = format!("`{path}` is not there");
            let check = CheckId::MissingSource;
            let mut finding = Finding::new(check, Confidence::Certain, region, message);
            finding.target = Some(target.label.clone());
            let changes = source.literal.map(Change::RemoveSource);
            finding.fix = changes.map(|change| FixSet::new(Safety::Unsafe, [change]));
            finding.hint = Some("remove it, or bring the file back".to_owned());
            findings.push(finding);
        }
    }
    findings
}

/// Whether something other than a plain file is at a path: a directory, or a link that leaves the tree.
fn is_elsewhere(ground: &Ground<'_>, path: &crate::source::ProjectPath) -> bool {
    let tree = &ground.workspace.tree;
    let linked = std::iter::successors(Some(path.clone()), crate::source::ProjectPath::parent)
        .any(|at| tree.symlinks().any(|(link, _)| *link == at));
    tree.dir(path).is_some() || linked || ground.workspace.files.exists(path)
}
