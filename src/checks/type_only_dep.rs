//! # type-only-dep
//!
//! ## What it finds
//!
//! A dependency of which a target uses something, but only under `TYPE_CHECKING`, in string annotations or in type
//! comments, while the target is not type-checked by Buck2 (`typing = True` is not set).
//!
//! ## Why it matters
//!
//! The program runs without it. Whether it may go depends on how you run your type checker.
//!
//! ## Example
//!
//! ```python
//! if TYPE_CHECKING:
//!     from models.net import Net      # the only use of //models:net
//! ```
//!
//! ## Fix
//!
//! Remove it if your type checker does not read `deps`; else set `typing = True`, or keep it with
//! `# secateur: keep[type-only-dep] reason`. Never applied without you.

use super::context::Context;
use super::edges::Usage;
use crate::finding::{CheckId, Confidence, Evidence, Finding};
use crate::graph::UseKind;

/// Runs the check.
pub(super) fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, usage) in context.edges.usages() {
        let Usage::TypeOnly(places) = usage else { continue };
        if !context.is_live(id.from) {
            continue;
        }
        let (from, to) = (context.label(id.from), context.label(context.edges.edge(id).to));
        let by_import = context.edges.uses[id.from.index()].uses.iter().any(|(_, used)| {
            used.kind == UseKind::TypeOnly
                && used.span != crate::source::Span::default()
                && is_import(context, used, id)
        });
        let confidence = if by_import { Confidence::Certain } else { Confidence::Likely };
        let message = format!("`{from}` uses `{to}` for type checking only");
        let mut finding = Finding::new(CheckId::TypeOnlyDep, confidence, context.dep(id), message);
        finding.target = Some(from.clone());
        finding.dep = Some(to.clone());
        finding.evidence = places
            .iter()
            .map(|(path, line, module)| Evidence {
                path: path.to_string(),
                line: *line,
                text: format!("names `{module}` for type checkers only"),
            })
            .collect();
        finding.evidence.sort();
        finding.evidence.dedup();
        finding.hint = Some("remove it, or set `typing = True`".to_owned());
        findings.push(finding);
    }
    findings
}

/// Whether a use is an import statement, not a string or a comment, and of something that the dependency has.
fn is_import(context: &Context<'_>, used: &crate::graph::Use, id: super::edges::EdgeId) -> bool {
    let owners = context.edges.stands_for(context.edges.edge(id).to);
    let provided = used
        .name
        .is_some_and(|name| owners.iter().any(|owner| context.edges.provides(*owner, name)));
    provided && !used.in_text
}
