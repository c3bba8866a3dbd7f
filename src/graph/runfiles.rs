//! Where the files of Bazel's targets go: each keeps its path from the repository's root, and `imports` adds further roots. Pure.

use super::ids::TargetId;
use super::owners::Context;
use crate::buck::{Source, SourceOrigin, Target};
use crate::label::Label;
use crate::source::ProjectPath;

/// How deep file groups may name each other.
const MAX_DEPTH: u32 = 20;

/// The files that a source stands for: the path of each from the root of the runfiles, and where it is if it is on disk.
pub(super) fn files_of(
    context: &Context<'_>,
    source: &Source,
) -> Vec<(String, Option<ProjectPath>)> {
    let mut found = Vec::new();
    collect(context, source, 0, &mut found);
    found
}

fn collect(
    context: &Context<'_>,
    source: &Source,
    depth: u32,
    found: &mut Vec<(String, Option<ProjectPath>)>,
) {
    let label = match &source.origin {
        SourceOrigin::File { path, .. } => {
            return found.push((path.to_string(), Some(path.clone())));
        }
        SourceOrigin::Target(written) => &written.label,
    };
    let maker = context.targets.find(label).and_then(|id| context.definition(id));
    let Some(maker) = maker else { return found.push((path_of(label), None)) };
    if maker.label == *label && maker.outputs.is_empty() {
        // What a group or a library stands for; of any other rule the outputs are not known.
        let sources = maker.sources.iter().filter(|source| &*source.attr == "srcs");
        match &*maker.kind {
            "filegroup" | "py_library" if depth < MAX_DEPTH => {
                sources.for_each(|source| collect(context, source, depth + 1, found));
            }
            _ => found.push((path_of(label), None)),
        }
    } else if maker.label == *label {
        let package = &label.package;
        found.extend(maker.outputs.iter().map(|out| (path_of(&package.target(&**out)), None)));
    } else {
        found.push((path_of(label), None));
    }
}

/// What a generated file of this label is called.
fn path_of(label: &Label) -> String {
    super::places::join(&label.package.path, &label.name)
}

/// The modules that are made of `.proto` files: their paths from the root.
///
/// A `proto_library` has them for whoever reaches it through a rule for Python, which generates code for all that it depends
/// on; the rule itself is their owner.
pub(super) fn made_of_protos(context: &Context<'_>, id: TargetId, target: &Target) -> Vec<String> {
    let suffix = match &*target.kind {
        "proto_library" | "py_proto_library" => "_pb2",
        "py_grpc_library" => "_pb2_grpc",
        _ => return Vec::new(),
    };
    let mut makers = vec![target];
    if &*target.kind != "proto_library" {
        makers.extend(protos_of(context, id));
    }
    makers.into_iter().flat_map(|maker| generated(context, maker, suffix)).collect()
}

fn generated(context: &Context<'_>, target: &Target, suffix: &str) -> Vec<String> {
    let protos = target.sources.iter().filter(|source| &*source.attr == "srcs");
    let files = protos.flat_map(|source| files_of(context, source));
    let module = |(path, _): (String, _)| {
        // protoc writes `-` as `_`.
        let stem = path.strip_suffix(".proto")?.replace('-', "_");
        Some(format!("{}{suffix}.py", moved(target, &stem)))
    };
    files.filter_map(module).collect()
}

/// `import_prefix` and `strip_import_prefix` of a `proto_library` decide what its modules are called.
fn moved(target: &Target, path: &str) -> String {
    let package = &*target.label.package.path;
    let path = match target.text("strip_import_prefix") {
        Some(strip) => {
            let prefix = match strip.strip_prefix('/') {
                Some(from_root) => from_root.to_owned(),
                None => super::places::join(package, strip),
            };
            path.strip_prefix(&prefix).map_or(path, |rest| rest.trim_start_matches('/'))
        }
        None => path,
    };
    let prefix = target.text("import_prefix").unwrap_or_default();
    super::places::join(prefix, path)
}

/// The `proto_library` targets that a rule generates code for.
fn protos_of<'a>(context: &Context<'a>, id: TargetId) -> Vec<&'a Target> {
    let edges = &context.targets.node(id).edges;
    let targets = edges.iter().filter_map(|edge| context.definition(edge.to));
    targets.filter(|target| &*target.kind == "proto_library").collect()
}

/// The entry of a program or test: `main`, else the source that has its name.
pub(super) fn main_of(target: &Target) -> Option<String> {
    let main = target.text("main").map(|main| main.strip_prefix(':').unwrap_or(main).to_owned());
    let named = || format!("{}.py", target.label.name);
    main.or_else(|| Some(named()).filter(|_| target.starts || is_program(target)))
}

fn is_program(target: &Target) -> bool {
    matches!(&*target.kind, "py_binary" | "py_test")
}

/// The directory of a program's entry, which Python puts first on its path: modules beside it are found by their bare names.
pub(super) fn script_dir(target: &Target) -> Option<String> {
    if !is_program(target) {
        return None;
    }
    let main = main_of(target)?;
    let path = super::places::join(&target.label.package.path, &main);
    path.rsplit_once('/').map(|(dir, _)| dir.to_owned())
}
