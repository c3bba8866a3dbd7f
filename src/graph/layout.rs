//! The files that a target brings to the link tree of a program, and what the program starts. Pure.

use super::ids::TargetId;
use super::kinds::Kind;
use super::owners::Context;
use super::places::{import_roots, join, outputs, prefix};
use super::runfiles;
use super::third_party::ThirdParty;
use super::{Edge, Graph};
use crate::buck::{Source, SourceOrigin, Target, Value};
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::Workspace;

/// One file, or directory, of a link tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Where it goes, from the root of the tree.
    pub destination: String,
    /// What it is.
    pub origin: LaidOrigin,
}

/// Where a file of a link tree comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaidOrigin {
    /// A file or directory of the repository.
    Source(ProjectPath),
    /// An output of a target, which nobody has built yet.
    Made {
        /// The target.
        by: Label,
        /// Which of its outputs, if it has names for them.
        sub_target: Option<Box<str>>,
    },
}

/// What a program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Main {
    /// A module.
    Module(String),
    /// A function of a module, by its dotted name.
    Function {
        /// The module.
        module: String,
        /// The function.
        function: String,
    },
    /// A file, by its path from the root of the tree.
    Script(String),
    /// The tests in these modules.
    Tests(Vec<String>),
}

/// The key of the branch that is taken where no other one holds.
const DEFAULT: &str = "DEFAULT";

fn has_default(value: &Value) -> bool {
    match value {
        Value::Select(branches) => {
            branches.iter().any(|(key, value)| &**key == DEFAULT || has_default(value))
        }
        Value::Sum(parts) | Value::List(parts) => parts.iter().any(has_default),
        _ => false,
    }
}

/// Asks where files go.
pub struct LinkTrees<'a> {
    graph: &'a Graph,
    workspace: &'a Workspace,
    third_party: ThirdParty,
}

impl<'a> LinkTrees<'a> {
    /// The link trees of a graph and the workspace it was made from.
    pub fn new(graph: &'a Graph, workspace: &'a Workspace) -> Self {
        let third_party =
            ThirdParty::new(workspace, &graph.evaluation, graph.distributions.clone());
        Self { graph, workspace, third_party }
    }

    /// All targets whose modules are in the link tree of `root`, itself included. Of a `select` that has a `DEFAULT`, that
    /// branch alone is taken: a tree is of one configuration.
    pub fn closure(&self, root: TargetId) -> Vec<TargetId> {
        let web = self.graph.module_web(|from, edge| self.is_taken(from, edge));
        web.closure([root.index()]).ones().map(super::target_at).collect()
    }

    fn is_taken(&self, from: TargetId, edge: &Edge) -> bool {
        let Some(target) = self.graph.definition(from) else { return true };
        let Some(dep) = target.deps.get(edge.dep) else { return true };
        let is_default = dep.branch.as_deref().is_none_or(|branch| branch == DEFAULT);
        is_default || !target.attr(&dep.attr).is_some_and(has_default)
    }

    /// The files that one target brings. Those of a wheel, and what a rule of another language makes, are not among them.
    pub fn of_target(&self, id: TargetId) -> Vec<Laid> {
        let Some(target) = self.graph.definition(id) else { return Vec::new() };
        let context = Context {
            workspace: self.workspace,
            evaluation: &self.graph.evaluation,
            targets: &self.graph.targets,
            files: &self.graph.files.paths,
            third_party: &self.third_party,
        };
        let kind = self.graph.targets.node(id).kind;
        let own = |destination: String| Laid {
            destination,
            origin: LaidOrigin::Made { by: target.label.clone(), sub_target: None },
        };
        let mut laid = Vec::new();
        match kind {
            Kind::PythonExtension => {
                let name = target.text("module_name").unwrap_or(&target.label.name);
                laid.push(own(join(&prefix(target), &format!("{}.so", name.replace('.', "/")))));
            }
            kind if kind.has_python_sources() => {
                for source in &target.sources {
                    self.add_source(&context, id, target, source, &mut laid);
                }
                laid.extend(self.main_file(id, target));
            }
            _ => {}
        }
        laid.extend(runfiles::made_of_protos(&context, id, target).into_iter().map(own));
        laid
    }

    fn add_source(
        &self,
        context: &Context<'_>,
        id: TargetId,
        target: &Target,
        source: &Source,
        laid: &mut Vec<Laid>,
    ) {
        let is_bazel = self.workspace.cells.is_bazel();
        let is_there = match &*source.attr {
            "srcs" | "main" | "main_src" | "versioned_srcs" => true,
            "data" => is_bazel,
            attr => attr.contains("resources"),
        };
        if !is_there {
            return;
        }
        let files = if is_bazel {
            runfiles::files_of(context, source)
        } else {
            let placed = outputs(context, id, source).into_iter();
            placed.map(|(key, path)| (join(&prefix(target), &key), path)).collect()
        };
        for (destination, path) in files {
            let origin = match (path, &source.origin) {
                (Some(path), _) => LaidOrigin::Source(path),
                (None, SourceOrigin::File { path, .. }) => LaidOrigin::Source(path.clone()),
                (None, SourceOrigin::Target(written)) => LaidOrigin::Made {
                    by: written.label.clone(),
                    sub_target: written.sub_target.clone(),
                },
            };
            laid.push(Laid { destination, origin });
        }
    }

    /// `python_binary(main = "x.py")`: the file is a module of the program itself.
    fn main_file(&self, id: TargetId, target: &Target) -> Option<Laid> {
        let main = target.text("main").or_else(|| target.text("main_src"))?;
        let main = main.strip_prefix(':').unwrap_or(main);
        let path = self.graph.package(id)?.dir.join(main)?;
        let destination = if self.workspace.cells.is_bazel() {
            path.to_string()
        } else {
            join(&prefix(target), main)
        };
        let is_there = self.workspace.tree.is_file(&path);
        is_there.then_some(Laid { destination, origin: LaidOrigin::Source(path) })
    }

    /// Directories of the tree that are on the path besides its root, and end in `/`.
    pub fn import_roots(&self, id: TargetId) -> Vec<String> {
        self.graph.definition(id).map(import_roots).unwrap_or_default()
    }

    /// What a target starts, if it is a program or a test.
    pub fn main(&self, id: TargetId) -> Option<Main> {
        let kind = self.graph.targets.node(id).kind;
        let target = self.graph.definition(id).filter(|_| kind.is_executable())?;
        let base = prefix(target).replace('/', ".");
        let absolute = |name: &str| match name.strip_prefix('.') {
            Some(rest) if base.is_empty() => rest.to_owned(),
            Some(rest) => format!("{base}.{rest}"),
            None => name.to_owned(),
        };
        if let Some(function) = target.text("main_function") {
            let name = absolute(function);
            let (module, function) = name.rsplit_once([':', '.'])?;
            return Some(Main::Function {
                module: module.to_owned(),
                function: function.to_owned(),
            });
        }
        if let Some(module) = target.text("main_module") {
            return Some(Main::Module(absolute(module)));
        }
        if self.workspace.cells.is_bazel() {
            let main = runfiles::main_of(target)?;
            return Some(Main::Script(join(&target.label.package.path, &main)));
        }
        if let Some(main) = target.text("main").or_else(|| target.text("main_src")) {
            let main = main.strip_prefix(':').unwrap_or(main);
            return Some(Main::Script(join(&prefix(target), main)));
        }
        let modules = self.graph.owners.of_target(id).iter();
        let modules = modules
            .filter(|module| module.first_party && !module.type_only && module.file.is_some());
        let names = modules.map(|module| self.graph.owners.name(module.name).to_owned());
        (kind == Kind::PythonTest).then(|| Main::Tests(names.collect()))
    }
}
