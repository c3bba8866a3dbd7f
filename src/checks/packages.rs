//! Bazel's visibility: specifications of packages, and the groups that hold some (`package_group`). Pure.

use crate::buck;
use crate::graph::Graph;
use crate::label::{Label, PackageId};
use crate::workspace::Workspace;

/// How deep groups may include each other.
const MAX_DEPTH: u32 = 20;

/// Whether an entry of the visibility of a target in `package` takes in `label`.
pub(super) fn holds(
    workspace: &Workspace,
    graph: &Graph,
    package: &PackageId,
    entry: &str,
    label: &Label,
) -> bool {
    let Some(written) = buck::parse_label(entry, package, &workspace.cells) else { return false };
    match &*written.label.name {
        "__pkg__" => label.package == written.label.package,
        "__subpackages__" => is_below(&label.package, &written.label.package),
        _ => in_group(workspace, graph, &written.label, label, 0),
    }
}

fn in_group(
    workspace: &Workspace,
    graph: &Graph,
    group: &Label,
    label: &Label,
    depth: u32,
) -> bool {
    let found = graph.targets.find(group).and_then(|id| graph.definition(id));
    // `//visibility:private`, or a group that is not in the repository.
    let Some(group) = found.filter(|_| depth < MAX_DEPTH) else { return false };
    let mut texts: Vec<Box<str>> = Vec::new();
    if let Some(packages) = group.attr("packages") {
        packages.for_each_text(&mut |text| texts.push(text.text.clone()));
    }
    let (without, with): (Vec<&str>, Vec<&str>) =
        texts.iter().map(|text| &**text).partition(|text| text.starts_with('-'));
    let any = |specifications: Vec<&str>| {
        specifications.into_iter().any(|text| is_in(text.trim_start_matches('-'), &label.package))
    };
    if any(with) && !any(without) {
        return true;
    }
    let mut included = Vec::new();
    if let Some(includes) = group.attr("includes") {
        includes.for_each_text(&mut |text| {
            let cells = &workspace.cells;
            included.extend(buck::parse_label(&text.text, &group.label.package, cells));
        });
    }
    included.iter().any(|other| in_group(workspace, graph, &other.label, label, depth + 1))
}

/// Whether a specification, `//a`, `//a/...` or `public`, takes in a package.
fn is_in(specification: &str, package: &PackageId) -> bool {
    if !package.cell.is_empty() {
        return false;
    }
    match specification.trim_start_matches('@').strip_prefix("//") {
        Some("...") => true,
        Some(path) => match path.strip_suffix("/...") {
            Some(above) => is_below(package, &PackageId::new(package.cell.clone(), above)),
            None => *package.path == *path,
        },
        None => specification == "public",
    }
}

fn is_below(package: &PackageId, above: &PackageId) -> bool {
    let rest = package.path.strip_prefix(&*above.path);
    package.cell == above.cell
        && rest
            .is_some_and(|rest| above.path.is_empty() || rest.is_empty() || rest.starts_with('/'))
}
