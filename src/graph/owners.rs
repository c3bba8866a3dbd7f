//! Module names and the targets that provide them, by the rules' own attributes. Pure.

use super::files::PythonPaths;
use super::ids::{FileId, NameId, TargetId};
use super::kinds::Kind;
use super::places::{import_roots, join, outputs, prefix};
use super::runfiles;
use super::targets::Targets;
use super::third_party::{Provided, ThirdParty};
use crate::buck::{Evaluation, Source, SourceOrigin, Target};
use crate::python::modules::{ModuleForm, module_of};
use crate::source::{Problem, ProjectPath};
use crate::workspace::Workspace;
use rustc_hash::{FxHashMap, FxHashSet};

/// One module that one target provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision {
    /// The target.
    pub target: TargetId,
    /// The module.
    pub name: NameId,
    /// The file it is loaded from, if it is a source on disk.
    pub file: Option<FileId>,
    /// The same as a path; empty for generated modules and those in wheels.
    pub path: Option<ProjectPath>,
    /// It is a package's `__init__`.
    pub is_package: bool,
    /// How it is loaded.
    pub form: ModuleForm,
    /// It stands for everything below its name too.
    pub is_prefix: bool,
    /// Only for type checkers.
    pub type_only: bool,
    /// Made from sources of this repository, not from a distribution.
    pub first_party: bool,
}

/// What a target provides as a whole.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its modules, as positions in [`Owners::provisions`].
    pub provisions: std::ops::Range<usize>,
    /// All of its modules are known, and imports alone can show that it is not used.
    pub complete: bool,
    /// It has files besides modules, which programs open by path.
    pub has_resources: bool,
    /// It has sources of any kind.
    pub has_sources: bool,
    /// Where its resources go: dotted names of their directories, and their file names.
    pub resources: Vec<(String, String)>,
}

impl Offer {
    /// Takes a file that is no module, by its path in the link tree.
    fn add_resource(&mut self, path: &str) {
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        self.has_resources = true;
        self.resources.push((directory.replace('/', "."), file.to_owned()));
    }
}

/// Who provides which module.
#[derive(Debug, Default)]
pub struct Owners {
    names: Vec<Box<str>>,
    by_name: FxHashMap<Box<str>, NameId>,
    provisions: Vec<Provision>,
    by_module: Vec<Vec<usize>>,
    offers: Vec<Offer>,
    /// Prefixes of first-party module names, namespace packages among them.
    first_party: FxHashSet<Box<str>>,
    /// Wheels that could not be read.
    pub(super) problems: Vec<Problem>,
}

/// What finding out about owners needs.
pub(super) struct Context<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) evaluation: &'a Evaluation,
    pub(super) targets: &'a Targets,
    pub(super) files: &'a PythonPaths,
    pub(super) third_party: &'a ThirdParty,
}

impl<'a> Context<'a> {
    pub(super) fn dir_of(&self, id: TargetId) -> Option<&ProjectPath> {
        let (package, _) = self.targets.node(id).origin?;
        Some(&self.evaluation.packages[package].dir)
    }

    /// The definition of a target that is on disk.
    pub(super) fn definition(&self, id: TargetId) -> Option<&'a Target> {
        let (package, index) = self.targets.node(id).origin?;
        Some(&self.evaluation.packages[package].targets[index])
    }
}

impl Owners {
    /// Works out what every target provides.
    pub(super) fn build(context: &Context<'_>) -> Self {
        let mut owners = Self::default();
        let texts = written_labels(context);
        for id in context.targets.ids() {
            let start = owners.provisions.len();
            let mut offer = Offer {
                provisions: start..start,
                complete: true,
                has_resources: false,
                has_sources: false,
                resources: Vec::new(),
            };
            match context.definition(id) {
                Some(target) => owners.add_target(context, id, target, &mut offer),
                None => {
                    let label = &context.targets.node(id).label;
                    let written = texts.get(&id).map_or(&[][..], Vec::as_slice);
                    match context.third_party.of_label(written, label) {
                        Some(provided) => owners.add_provided(id, provided, &mut offer),
                        None => offer.complete = false,
                    }
                }
            }
            offer.provisions = start..owners.provisions.len();
            owners.offers.push(offer);
        }
        owners.index();
        owners
    }

    fn add_target(
        &mut self,
        context: &Context<'_>,
        id: TargetId,
        target: &Target,
        offer: &mut Offer,
    ) {
        offer.has_sources = !target.sources.is_empty();
        offer.complete = target.known && !target.incomplete;
        match context.targets.node(id).kind {
            Kind::PythonPrebuilt => {
                let provided = context.third_party.of_prebuilt(context.workspace, target);
                self.add_provided(id, provided, offer);
            }
            Kind::PythonExtension => {
                let name = target.text("module_name").unwrap_or(&target.label.name);
                let destination = join(&prefix(target), &format!("{name}.so"));
                self.add(id, &destination, None, None);
            }
            kind if kind.has_python_sources() => {
                for source in &target.sources {
                    self.add_source(context, id, target, source, offer);
                }
                self.add_main(context, id, target);
            }
            _ => {}
        }
        for path in runfiles::made_of_protos(context, id, target) {
            self.add(id, &path, None, None);
        }
        for template in &target.provides {
            let base = prefix(target).replace('/', ".");
            let name = template.replace("{base}", &base);
            let name = name.replace("{name}", &target.label.name);
            self.add(id, &format!("{}.py", name.trim_matches('.').replace('.', "/")), None, None);
        }
        if let Some(provided) = context.third_party.of_label(&[], &target.label)
            && self.provisions.last().is_none_or(|last| last.target != id)
        {
            // A stand-in for something outside, such as a remote file: the tables say what is in it.
            self.add_provided(id, provided, offer);
        }
    }

    fn add_provided(&mut self, id: TargetId, provided: Provided, offer: &mut Offer) {
        offer.complete &= provided.complete;
        self.problems.extend(provided.problem);
        offer.has_sources = true;
        for module in provided.exact {
            let name = self.intern(&module.name);
            self.provisions.push(Provision {
                target: id,
                name,
                file: None,
                path: None,
                is_package: module.is_package,
                form: module.form,
                is_prefix: false,
                type_only: provided.type_only || module.form == ModuleForm::Stub,
                first_party: false,
            });
        }
        for module in provided.prefixes {
            let name = self.intern(&module);
            self.provisions.push(Provision {
                target: id,
                name,
                file: None,
                path: None,
                is_package: true,
                form: ModuleForm::Source,
                is_prefix: true,
                type_only: provided.type_only,
                first_party: false,
            });
        }
    }

    fn add_source(
        &mut self,
        context: &Context<'_>,
        id: TargetId,
        target: &Target,
        source: &Source,
        offer: &mut Offer,
    ) {
        if context.workspace.cells.is_bazel() {
            return self.add_to_runfiles(context, id, target, source, offer);
        }
        let is_resource = source.attr.contains("resources");
        if !is_resource && !is_python_attribute(&source.attr) {
            return;
        }
        let is_made = matches!(source.origin, SourceOrigin::Target(_));
        for (key, path) in outputs(context, id, source) {
            let destination = join(&prefix(target), &key);
            // A directory of generated files: what is in it is not known.
            let is_opaque = is_made && !is_resource && module_of(&destination).is_none();
            offer.complete &= !is_opaque;
            if is_resource {
                offer.add_resource(&destination);
                if let Some(path) = path.filter(|path| path.file_name().ends_with(".ipynb"))
                    && let Some(file) = context.files.find(&path)
                {
                    self.add_notebook(id, &destination, file, path);
                }
                continue;
            }
            let file = path.as_ref().and_then(|path| context.files.find(path));
            self.add(id, &destination, file, path.clone());
            for root in import_roots(target) {
                if let Some(below) = destination.strip_prefix(&root) {
                    let below = below.trim_start_matches('/').to_owned();
                    self.add(id, &below, file, path.clone());
                }
            }
        }
    }

    /// A source of Bazel's rules: its module has its path's name, and further ones below each root of `imports` and below the
    /// directory of the program's own entry.
    fn add_to_runfiles(
        &mut self,
        context: &Context<'_>,
        id: TargetId,
        target: &Target,
        source: &Source,
        offer: &mut Offer,
    ) {
        let is_data = &*source.attr == "data";
        if !is_data && !matches!(&*source.attr, "srcs" | "pyi_srcs" | "main") {
            return;
        }
        let mut roots = import_roots(target);
        roots.extend(runfiles::script_dir(target).map(|dir| format!("{dir}/")));
        for (destination, path) in runfiles::files_of(context, source) {
            if is_data {
                offer.add_resource(&destination);
                continue;
            }
            let is_module = module_of(&destination).is_some();
            // What a rule makes that nobody read.
            let has_form = destination.rsplit('/').next().is_some_and(|name| name.contains('.'));
            offer.complete &= is_module || has_form;
            let file = path.as_ref().and_then(|path| context.files.find(path));
            self.add(id, &destination, file, path.clone());
            for below in roots.iter().filter_map(|root| destination.strip_prefix(root)) {
                self.add(id, below, file, path.clone());
            }
        }
    }

    /// `python_binary(main = "x.py")`: the file is a module of the program itself.
    fn add_main(&mut self, context: &Context<'_>, id: TargetId, target: &Target) {
        let main = target.text("main").or_else(|| target.text("main_src"));
        let main = main.map(|main| main.strip_prefix(':').unwrap_or(main));
        let already = |path: &ProjectPath| {
            self.provisions
                .iter()
                .rev()
                .take_while(|provision| provision.target == id)
                .any(|provision| provision.path.as_ref() == Some(path))
        };
        let Some(main) = main else { return };
        let Some(path) = context.dir_of(id).and_then(|dir| dir.join(main)) else { return };
        if !already(&path)
            && let Some(file) = context.files.find(&path)
        {
            self.add(id, &join(&prefix(target), main), Some(file), Some(path));
        }
    }

    fn add(
        &mut self,
        target: TargetId,
        destination: &str,
        file: Option<FileId>,
        path: Option<ProjectPath>,
    ) {
        let Some(module) = module_of(destination) else { return };
        let name = self.intern(&module.name);
        self.provisions.push(Provision {
            target,
            name,
            file,
            path,
            is_package: module.is_package,
            form: module.form,
            is_prefix: false,
            type_only: module.form == ModuleForm::Stub,
            first_party: true,
        });
    }

    /// A notebook among the resources uses modules as a source does, and is none itself.
    fn add_notebook(
        &mut self,
        target: TargetId,
        destination: &str,
        file: FileId,
        path: ProjectPath,
    ) {
        let name = self.intern(destination);
        self.provisions.push(Provision {
            target,
            name,
            file: Some(file),
            path: Some(path),
            is_package: false,
            form: ModuleForm::Source,
            is_prefix: false,
            type_only: false,
            first_party: false,
        });
    }

    fn intern(&mut self, name: &str) -> NameId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = NameId::new(self.names.len());
        self.names.push(name.into());
        self.by_name.insert(name.into(), id);
        id
    }

    fn index(&mut self) {
        self.by_module = vec![Vec::new(); self.names.len()];
        for (at, provision) in self.provisions.iter().enumerate() {
            self.by_module[provision.name.index()].push(at);
            if provision.first_party {
                let name = &self.names[provision.name.index()];
                self.first_party.insert(name.clone());
                for ancestor in crate::python::modules::ancestors(name) {
                    self.first_party.insert(ancestor.into());
                }
            }
        }
    }

    /// The dotted name of a handle.
    pub fn name(&self, id: NameId) -> &str {
        &self.names[id.index()]
    }

    /// The handle of a dotted name that somebody provides.
    pub fn find(&self, name: &str) -> Option<NameId> {
        self.by_name.get(name).copied().filter(|id| self.positions(*id).next().is_some())
    }

    /// Every provision.
    pub fn provisions(&self) -> &[Provision] {
        &self.provisions
    }

    /// Who provides exactly this module.
    pub fn providers(&self, name: NameId) -> impl Iterator<Item = &Provision> {
        self.positions(name).map(|at| &self.provisions[at])
    }

    /// Positions in [`Owners::provisions`] of who provides exactly this module.
    pub fn positions(&self, name: NameId) -> impl Iterator<Item = usize> + '_ {
        self.by_module.get(name.index()).into_iter().flatten().copied()
    }

    /// Positions of all modules at or below a dotted prefix.
    pub fn below(&self, prefix: &str) -> Vec<usize> {
        let is_below = |name: &str| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let provisions = self.provisions.iter().enumerate();
        provisions
            .filter(|(_, provision)| is_below(&self.names[provision.name.index()]))
            .map(|(at, _)| at)
            .collect()
    }

    /// The provided name that a module belongs to: itself, or the longest prefix that stands for all below it.
    pub fn resolve(&self, module: &str) -> Option<NameId> {
        if let Some(exact) = self.find(module) {
            return Some(exact);
        }
        crate::python::modules::ancestors(module).find_map(|prefix| {
            let id = self.find(prefix)?;
            self.providers(id).any(|provision| provision.is_prefix).then_some(id)
        })
    }

    /// Whether sources of this repository lie at or below a dotted name.
    pub fn is_first_party(&self, name: &str) -> bool {
        self.first_party.contains(name)
    }

    /// What a target provides.
    pub fn offer(&self, target: TargetId) -> &Offer {
        &self.offers[target.index()]
    }

    /// The modules of a target.
    pub fn of_target(&self, target: TargetId) -> &[Provision] {
        &self.provisions[self.offers[target.index()].provisions.clone()]
    }

    /// Whether two targets have a source in common.
    pub fn share_source(&self, one: TargetId, other: TargetId) -> bool {
        let others = self.of_target(other);
        let mut own = self.of_target(one).iter().filter_map(|own| own.path.as_ref());
        own.any(|path| others.iter().any(|other| other.path.as_ref() == Some(path)))
    }
}

/// The texts by which targets outside of the disk are named.
fn written_labels<'a>(context: &Context<'a>) -> FxHashMap<TargetId, Vec<&'a str>> {
    let mut texts: FxHashMap<TargetId, Vec<&str>> = FxHashMap::default();
    for package in &context.evaluation.packages {
        for dep in package.targets.iter().flat_map(|target| &target.deps) {
            if let Some(id) = context.targets.find(&dep.to)
                && context.targets.node(id).origin.is_none()
            {
                let known = texts.entry(id).or_default();
                if !known.contains(&&*dep.text) {
                    known.push(&dep.text);
                }
            }
        }
    }
    texts
}

fn is_python_attribute(attr: &str) -> bool {
    matches!(
        attr,
        "srcs" | "versioned_srcs" | "type_stubs" | "types" | "type_stub" | "main" | "main_src"
    )
}
