//! Whether one target may depend on another: `visibility` and `within_view`. Pure.

use super::packages;
use crate::buck::{Package, Target};
use crate::graph::{Graph, TargetId};
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::{Pattern, Workspace};

/// Whether Buck2 lets `user` depend on `dep`. What lies outside of the disk is taken to be visible.
pub(super) fn allows(workspace: &Workspace, graph: &Graph, user: TargetId, dep: TargetId) -> bool {
    let user_label = &graph.targets.node(user).label;
    let dep_label = &graph.targets.node(dep).label;
    let in_view = graph.definition(user).and_then(|target| patterns(target, "within_view"));
    if in_view.is_some_and(|view| !matches(workspace, graph, &user_label.package, &view, dep_label))
    {
        return false;
    }
    lets_see(workspace, graph, user_label, dep)
}

/// Whether the visibility of a target takes in a label. What lies outside of the disk is taken to be visible.
pub(super) fn lets_see(workspace: &Workspace, graph: &Graph, user: &Label, dep: TargetId) -> bool {
    let (Some(target), Some(package)) = (graph.definition(dep), graph.package(dep)) else {
        return true;
    };
    let visible = visibility(target, package);
    user.package == package.id || matches(workspace, graph, &package.id, &visible, user)
}

/// The visibility of a target: its own, else what PACKAGE files give.
pub(super) fn visibility(target: &Target, package: &Package) -> Vec<Box<str>> {
    patterns(target, "visibility").unwrap_or_else(|| package.default_visibility.clone())
}

fn patterns(target: &Target, attr: &str) -> Option<Vec<Box<str>>> {
    let value = target.attr(attr)?;
    let mut found = Vec::new();
    value.for_each_text(&mut |text| found.push(text.text.clone()));
    Some(found)
}

/// Whether a visibility takes in everybody: Buck2's word for it, or Bazel's.
pub(super) fn is_public(pattern: &str) -> bool {
    matches!(pattern, "PUBLIC" | "//visibility:public")
}

fn matches(
    workspace: &Workspace,
    graph: &Graph,
    package: &crate::label::PackageId,
    patterns: &[Box<str>],
    label: &Label,
) -> bool {
    patterns.iter().any(|text| {
        if is_public(text) {
            return true;
        }
        if workspace.cells.is_bazel() {
            return packages::holds(workspace, graph, package, text, label);
        }
        // Patterns are relative to the cell of the package that has them.
        let qualified = match text.strip_prefix("//") {
            Some(rest) => format!("{}//{rest}", package.cell),
            None if text.starts_with(':') => format!("{package}{text}"),
            None => text.to_string(),
        };
        Pattern::parse(&qualified, &workspace.cells, &ProjectPath::root())
            .is_ok_and(|pattern| pattern.matches_label(label))
    })
}
