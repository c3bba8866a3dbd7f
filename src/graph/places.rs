//! Where sources go in a link tree, by the rules' own attributes. Pure.

use super::ids::TargetId;
use super::owners::Context;
use crate::buck::{Source, SourceOrigin, Target, Value, Written};
use crate::source::ProjectPath;

/// Where a target's sources go in the link tree (`python_library.bzl`): `base_module`, else the package path; for the
/// bootstrap rules the root (`python_bootstrap.bzl`).
pub(super) fn prefix(target: &Target) -> String {
    match target.attr("base_module") {
        _ if target.kind.starts_with("python_bootstrap_") => String::new(),
        Some(Value::Str(base)) => base.text.replace('.', "/"),
        _ => target.label.package.path.to_string(),
    }
}

/// Bazel's `imports`: directories that are on `sys.path` too, as link-tree prefixes.
pub(super) fn import_roots(target: &Target) -> Vec<String> {
    let mut roots = Vec::new();
    if target.kind.trim_start_matches('?').starts_with("py_")
        && let Some(imports) = target.attr("imports")
    {
        imports.for_each_text(&mut |text| {
            let root = join(&target.label.package.path, &text.text);
            if !root.is_empty() {
                roots.push(format!("{root}/"));
            }
        });
    }
    roots
}

/// `prefix/key` with `.` and `..` resolved; a key may lead out of its prefix.
pub(super) fn join(prefix: &str, key: &str) -> String {
    let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for part in key.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The files that a source stands for: where each goes, relative to the prefix, and where it is if it is on disk.
pub(super) fn outputs(
    context: &Context<'_>,
    id: TargetId,
    source: &Source,
) -> Vec<(String, Option<ProjectPath>)> {
    match &source.origin {
        SourceOrigin::File { path, .. } => {
            let own = context.dir_of(id).and_then(|dir| path.below(dir)).unwrap_or(path.as_str());
            let key = source.destination.as_deref().unwrap_or(own);
            vec![(key.to_owned(), Some(path.clone()))]
        }
        SourceOrigin::Target(written) => outputs_of_target(context, written, source),
    }
}

fn outputs_of_target(
    context: &Context<'_>,
    written: &Written,
    source: &Source,
) -> Vec<(String, Option<ProjectPath>)> {
    let destination = source.destination.as_deref();
    let maker = context.targets.find(&written.label).and_then(|id| context.targets.node(id).origin);
    let Some((package, index)) = maker else {
        let key = destination
            .map(str::to_owned)
            .or_else(|| written.sub_target.as_deref().map(str::to_owned));
        return key.map(|key| (key, None)).into_iter().collect();
    };
    let maker = &context.evaluation.packages[package].targets[index];
    let files = maker.sources.iter().filter_map(|source| match &source.origin {
        SourceOrigin::File { path, .. } => Some((source, path)),
        SourceOrigin::Target(_) => None,
    });
    let dir = &context.evaluation.packages[package].dir;
    match &*maker.kind {
        "filegroup" => {
            let root = destination.unwrap_or(&maker.label.name);
            let place = |(source, path): (&Source, &ProjectPath)| {
                let own = path.below(dir).unwrap_or(path.as_str());
                let key = source.destination.as_deref().unwrap_or(own);
                (format!("{root}/{key}"), Some(path.clone()))
            };
            files.map(place).collect()
        }
        "export_file" => {
            let path = maker.text("src").unwrap_or(&maker.label.name);
            let name = maker.text("out").unwrap_or(path);
            let key = destination.unwrap_or(name).to_owned();
            vec![(key, dir.join(path))]
        }
        _ => {
            let out = written.sub_target.as_deref().or_else(|| maker.text("out"));
            let key = destination.or(out).unwrap_or(&maker.label.name).to_owned();
            vec![(key, None)]
        }
    }
}
