//! Targets and the edges between them, from what the build files define. Pure.

use super::ids::TargetId;
use super::kinds::Kind;
use crate::buck::{Dep, DepRole, Evaluation, Package, Target};
use crate::label::{Label, PackageId};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// A target of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its label.
    pub label: Label,
    /// What its rule means.
    pub kind: Kind,
    /// Where the evaluation has it: package and position; `None` for targets outside of the disk.
    pub origin: Option<(usize, usize)>,
    /// Its dependencies, one for each time one is written.
    pub edges: Vec<Edge>,
}

/// One dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The other target.
    pub to: TargetId,
    /// Its position in [`Target::deps`].
    pub dep: usize,
    /// What travels along it.
    pub kind: EdgeKind,
}

/// What a dependency brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// Python modules, into the link tree of every executable above.
    Modules,
    /// Files, tools or programs.
    Build,
    /// Configuration only.
    Configuration,
}

/// What a label stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A target on disk.
    Defined,
    /// Something that is not in this repository.
    Outside,
    /// A target that an unread macro, or a part of a build file that failed, may define.
    MaybeDefined,
    /// Nothing defines it.
    Broken,
}

/// All targets.
#[derive(Debug, Default)]
pub struct Targets {
    nodes: Vec<Node>,
    by_label: FxHashMap<Label, TargetId>,
    resolutions: FxHashMap<Label, Resolution>,
}

/// What is known about the places where packages can be.
pub(super) struct Places<'a> {
    /// Whether a package's directory would be in this repository.
    pub(super) on_disk: &'a dyn Fn(&PackageId) -> bool,
    /// Whether the text of a label says that it means something of another repository.
    pub(super) foreign: &'a dyn Fn(&str, &Label) -> bool,
    /// Whether Bazel's rules hold.
    pub(super) is_bazel: bool,
}

impl Targets {
    /// Makes nodes of all targets, then edges. A label without a target gets a node of its own.
    pub(super) fn build(evaluation: &Evaluation, places: &Places<'_>) -> Self {
        let mut targets = Self::default();
        for (at, package) in evaluation.packages.iter().enumerate() {
            for (index, target) in package.targets.iter().enumerate() {
                let kind = match Kind::of_rule(&target.kind, target.known) {
                    _ if target.is_toolchain => Kind::Configuration,
                    Kind::OtherLibrary if target.starts => Kind::OtherExecutable,
                    kind => kind,
                };
                targets.add(target.label.clone(), kind, Some((at, index)));
            }
        }
        targets.add_outputs(evaluation);
        let by_id: FxHashMap<&PackageId, &Package> =
            evaluation.packages.iter().map(|package| (&package.id, package)).collect();
        let find = |dep: &Dep| targets.find(&dep.to);
        let found_of = |target: &Target| target.deps.iter().map(find).collect();
        let all: Vec<&Target> =
            evaluation.packages.iter().flat_map(|package| &package.targets).collect();
        let found: Vec<Vec<Option<TargetId>>> = all.into_par_iter().map(found_of).collect();
        let mut found = found.into_iter();
        for (at, package) in evaluation.packages.iter().enumerate() {
            for (index, target) in package.targets.iter().enumerate() {
                let found = found.next().unwrap_or_default();
                let Some(from) = targets.find(&target.label) else { continue };
                if targets.node(from).origin != Some((at, index)) {
                    continue; // a second target of the same name
                }
                for (position, (dep, found)) in target.deps.iter().zip(found).enumerate() {
                    let to = found.unwrap_or_else(|| targets.resolve(dep, &by_id, places));
                    let kind = targets.edge_kind(target, dep, to, places.is_bazel);
                    targets.nodes[from.index()].edges.push(Edge { to, dep: position, kind });
                }
            }
        }
        targets
    }

    fn add(&mut self, label: Label, kind: Kind, origin: Option<(usize, usize)>) -> TargetId {
        let next = TargetId::new(self.nodes.len());
        let id = *self.by_label.entry(label.clone()).or_insert(next);
        if id == next {
            self.nodes.push(Node { label, kind, origin, edges: Vec::new() });
        }
        id
    }

    /// Of Bazel: a file that a target makes is a label of its own, and means that target.
    fn add_outputs(&mut self, evaluation: &Evaluation) {
        for target in evaluation.packages.iter().flat_map(|package| &package.targets) {
            let Some(maker) = self.find(&target.label) else { continue };
            for output in &target.outputs {
                let label = target.label.package.target(&**output);
                self.by_label.entry(label).or_insert(maker);
            }
        }
    }

    fn resolve(
        &mut self,
        dep: &Dep,
        packages: &FxHashMap<&PackageId, &Package>,
        places: &Places<'_>,
    ) -> TargetId {
        if let Some(id) = self.find(&dep.to) {
            return id;
        }
        let resolution =
            if (places.foreign)(&dep.text, &dep.to) || !(places.on_disk)(&dep.to.package) {
                Resolution::Outside
            } else {
                match packages.get(&dep.to.package) {
                    Some(package) if may_define(package, &dep.to) => Resolution::MaybeDefined,
                    Some(package) if places.is_bazel && may_make(package, &dep.to) => {
                        Resolution::MaybeDefined
                    }
                    _ => Resolution::Broken,
                }
            };
        self.resolutions.insert(dep.to.clone(), resolution);
        let id = self.add(dep.to.clone(), Kind::External, None);
        if resolution == Resolution::MaybeDefined {
            // A macro's further targets live and die with the one it was called for.
            let maker =
                packages.get(&dep.to.package).and_then(|package| macro_behind(package, &dep.to));
            if let Some(maker) = maker.and_then(|target| self.find(&target.label)) {
                let kind = EdgeKind::Build;
                self.nodes[id.index()].edges.push(Edge { to: maker, dep: usize::MAX, kind });
            }
        }
        id
    }

    fn edge_kind(&self, from: &Target, dep: &Dep, to: TargetId, is_bazel: bool) -> EdgeKind {
        if is_bazel && self.is_in_runfiles(from, dep, to) {
            return EdgeKind::Modules;
        }
        let carries_modules = match &*dep.attr {
            "deps"
            | "exported_deps"
            | "runtime_deps"
            | "actual"
            | "implicit_test_library"
            | "extra_deps"
            | "test_deps" => true,
            // Nobody printed what it is for: it carries whatever it can.
            _ if dep.is_implicit() => true,
            // They are put into the link tree too, and imported by nobody (`python_binary.bzl`).
            "preload_deps" => Kind::of_rule(&from.kind, from.known).is_executable(),
            // A wheel or generated module that stands among the sources is a source, not a dependency.
            "srcs" | "resources" | "type_stubs" | "types" | "headers" | "main" | "main_src" => {
                false
            }
            _ => Kind::of_rule(&from.kind, from.known) == Kind::Unknown,
        };
        let library = matches!(
            self.node(to).kind,
            Kind::PythonLibrary
                | Kind::PythonPrebuilt
                | Kind::PythonExtension
                | Kind::Alias
                | Kind::Unknown
                | Kind::External
                | Kind::OtherLibrary
                | Kind::Files
        );
        match dep.role {
            DepRole::Toolchain | DepRole::Configuration => EdgeKind::Configuration,
            DepRole::Target if carries_modules && library && !dep.in_string => EdgeKind::Modules,
            DepRole::Target | DepRole::Exec => EdgeKind::Build,
        }
    }

    /// Of Bazel: whether a dependency puts Python modules where its user can import them. Programs bring theirs too, and so does
    /// `data`.
    fn is_in_runfiles(&self, from: &Target, dep: &Dep, to: TargetId) -> bool {
        let python = |kind| {
            matches!(
                kind,
                Kind::PythonLibrary
                    | Kind::PythonBinary
                    | Kind::PythonTest
                    | Kind::Alias
                    | Kind::Unknown
                    | Kind::Proto
            )
        };
        let (user, brought) = (Kind::of_rule(&from.kind, from.known), self.node(to).kind);
        let is_py_grpc = &*from.kind == "py_grpc_library" && brought == Kind::Proto;
        dep.role == DepRole::Target
            && !dep.in_string
            && !is_py_grpc
            && python(user)
            && python(brought)
            && matches!(&*dep.attr, "deps" | "data" | "srcs")
    }

    /// The target of a label.
    pub fn find(&self, label: &Label) -> Option<TargetId> {
        self.by_label.get(label).copied()
    }

    /// A target.
    pub fn node(&self, id: TargetId) -> &Node {
        &self.nodes[id.index()]
    }

    /// How many there are, those outside of the disk included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All handles: first the targets on disk in the order of their packages, then the others.
    pub fn ids(&self) -> impl Iterator<Item = TargetId> + use<> {
        (0..self.nodes.len()).map(TargetId::new)
    }

    /// What a label stands for.
    pub fn resolution(&self, label: &Label) -> Resolution {
        self.resolutions.get(label).copied().unwrap_or(Resolution::Defined)
    }
}

/// Whether a package may define a target that evaluation did not find.
fn may_define(package: &Package, label: &Label) -> bool {
    package.incomplete || package.failed || macro_behind(package, label).is_some()
}

/// Of Bazel: whether a label may be an output that a rule names after its target, such as `x.zip` or `libx.jar` of `x`.
fn may_make(package: &Package, label: &Label) -> bool {
    let name = label.name.strip_prefix("lib").unwrap_or(&label.name);
    package.targets.iter().any(|target| {
        let rest =
            [&*label.name, name].into_iter().find_map(|n| n.strip_prefix(&*target.label.name));
        rest.is_some_and(|rest| rest.starts_with(['.', '_', '-']) && rest.contains('.'))
    })
}

/// The unread macro whose target's name begins a label's name: macros derive the names of further targets that way.
fn macro_behind<'p>(package: &'p Package, label: &Label) -> Option<&'p Target> {
    let unknown = package.targets.iter().filter(|target| {
        Kind::of_rule(&target.kind, target.known) == Kind::Unknown
            && label.name.starts_with(&*target.label.name)
    });
    unknown.max_by_key(|target| target.label.name.len())
}
