//! What each source names, as modules that somebody provides. Pure.

use super::files::{PythonFile, PythonFiles};
use super::ids::{FileId, NameId};
use super::owners::Owners;
use crate::python::modules::{ancestors, resolve_relative};
use crate::python::{Base, DynamicTarget, Facts, Import, ImportKind, StringKind, stdlib};
use rustc_hash::FxHashMap;

/// How a module is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseKind {
    /// An import that runs when the module is loaded.
    Runtime,
    /// An import that runs when a function is called.
    Deferred,
    /// An import that runs on first use.
    Lazy,
    /// An import whose failure is caught.
    Optional,
    /// A call that loads a module by name.
    Dynamic,
    /// The main module of a program, or a plugin of a test.
    EntryPoint,
    /// A string that `mock.patch` and its like import.
    Patch,
    /// An import that only type checkers read.
    TypeOnly,
    /// A string that looks like the module's name.
    String,
}

impl UseKind {
    /// The name in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Deferred => "deferred",
            Self::Lazy => "lazy",
            Self::Optional => "optional",
            Self::Dynamic | Self::EntryPoint | Self::Patch => "dynamic",
            Self::TypeOnly => "type-only",
            Self::String => "string",
        }
    }

    /// Whether the program fails without the module.
    pub fn is_required(self) -> bool {
        matches!(
            self,
            Self::Runtime
                | Self::Deferred
                | Self::Lazy
                | Self::Dynamic
                | Self::EntryPoint
                | Self::Patch
        )
    }
}

/// What in a source names a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// An import, a call or a string.
    Name,
    /// Nothing: it is loaded on the way, as the `__init__` of a package above is.
    Implied,
    /// An expression such as `a.b.f()` after `import a`, where neither this source nor `a` imports `a.b`: it works
    /// because something else has loaded it.
    SideEffect,
}

/// One use of a module by a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The module as the source means it.
    pub wanted: Box<str>,
    /// The provided name that it belongs to; `None` if nobody provides it.
    pub name: Option<NameId>,
    /// How.
    pub kind: UseKind,
    /// What in the source names it.
    pub via: Via,
    /// Where, counted from 1.
    pub line: u32,
    /// The statement's bytes.
    pub span: crate::source::Span,
    /// The target that a `# @manual=` comment names as the provider.
    pub provider: Option<Box<str>>,
    /// A `# @manual` comment: people manage what provides it.
    pub manual: bool,
    /// Stands in a string or comment, not in a statement.
    pub in_text: bool,
    /// `from module import wanted`, and neither a submodule nor a name of the module.
    pub missing_name: bool,
}

/// What one source uses under one module name.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Its uses, in the order of the file.
    pub uses: Vec<Use>,
    /// Prefixes under which it may load any module, with the line.
    pub prefixes: Vec<(Box<str>, u32)>,
    /// Lines at which it may load any module at all.
    pub unbounded: Vec<u32>,
}

/// Resolves the names of sources against what targets provide.
pub(super) struct Resolver<'a> {
    pub(super) owners: &'a Owners,
    pub(super) files: &'a PythonFiles,
    /// An `__init__` that is not among the dependencies is an empty one, as in Bazel.
    pub(super) makes_inits: bool,
}

impl Resolver<'_> {
    /// The uses of a file that is loaded as `module`.
    pub(super) fn unit(&self, file: &PythonFile, module: &str, is_package: bool) -> Unit {
        let mut builder = Builder { resolver: self, module, is_package, unit: Unit::default() };
        builder.imports(&file.facts);
        builder.dynamic(&file.facts);
        builder.strings(&file.facts);
        builder.attributes(&file.facts);
        builder.pytest(&file.facts);
        builder.ancestors();
        builder.unit
    }

    /// A name by which something starts, such as `main_module`.
    pub(super) fn entry(&self, module: &str) -> Use {
        Use { name: self.owners.resolve(module), ..plain_use(module, UseKind::EntryPoint) }
    }

    /// Whether an absolute import of `module` means the standard library.
    fn is_standard(&self, module: &str) -> bool {
        let top = module.split('.').next().unwrap_or(module);
        if !stdlib::is_stdlib(top) {
            return false;
        }
        // A name at the root of the link tree beats the standard library, if the interpreter has not loaded its own before.
        stdlib::is_preloaded(top) || self.owners.find(top).is_none()
    }

    /// What a package's `__init__`, or a module, has under a name.
    fn binding(&self, module: NameId, name: &str, submodule: &str) -> Binding {
        let mut binding = Binding::Absent;
        for provision in self.owners.providers(module) {
            let Some(file) = provision.file else {
                // A generated or native module, or one in a wheel: it may have anything.
                binding = binding.max(Binding::MayHave);
                continue;
            };
            let facts = &self.files.get(file).facts;
            binding =
                binding.max(self.binding_in(facts, module, provision.is_package, name, submodule));
        }
        binding
    }

    fn binding_in(
        &self,
        facts: &Facts,
        module: NameId,
        is_package: bool,
        name: &str,
        submodule: &str,
    ) -> Binding {
        if name.starts_with("__") && name.ends_with("__") {
            return Binding::Has; // `__name__`, `__file__` and what else every module has
        }
        let own = self.owners.name(module);
        let is_own = |import: &Import| {
            resolve_relative(own, is_package, import.level, &import.module).as_deref() == Some(own)
        };
        let imports_submodule = facts.imports.iter().any(|import| {
            if !import.from {
                return import.module.starts_with(submodule);
            }
            let mut names = import.names.iter();
            names.any(|bound| &*bound.bound == name && bound.name == bound.bound) && is_own(import)
        });
        let is_bound = facts.bound.binary_search_by(|bound| (**bound).cmp(name)).is_ok();
        if is_bound && !imports_submodule {
            return Binding::Has;
        }
        let stars = facts.imports.iter().any(|import| import.names.iter().any(|n| &*n.name == "*"));
        let opaque = stars || facts.has_getattr || facts.incomplete;
        if imports_submodule || opaque { Binding::MayHave } else { Binding::Absent }
    }
}

/// Whether a module has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Absent,
    MayHave,
    Has,
}

fn plain_use(wanted: &str, kind: UseKind) -> Use {
    Use {
        wanted: wanted.into(),
        name: None,
        kind,
        via: Via::Name,
        line: 0,
        span: crate::source::Span::default(),
        provider: None,
        manual: false,
        in_text: false,
        missing_name: false,
    }
}

struct Builder<'a> {
    resolver: &'a Resolver<'a>,
    module: &'a str,
    is_package: bool,
    unit: Unit,
}

impl Builder<'_> {
    fn imports(&mut self, facts: &Facts) {
        for import in &facts.imports {
            let Some(base) =
                resolve_relative(self.module, self.is_package, import.level, &import.module)
            else {
                continue;
            };
            let kind = match import.kind {
                ImportKind::Runtime => UseKind::Runtime,
                ImportKind::TypeOnly => UseKind::TypeOnly,
                ImportKind::Optional => UseKind::Optional,
                ImportKind::Deferred => UseKind::Deferred,
                ImportKind::Lazy => UseKind::Lazy,
            };
            let template = Use {
                line: import.line,
                span: import.span,
                manual: import.manual.is_some(),
                provider: import.manual.as_ref().and_then(|manual| manual.label.clone()),
                ..plain_use("", kind)
            };
            if import.level == 0 && self.resolver.is_standard(&base) {
                continue;
            }
            if import.from {
                self.from_import(import, &base, &template);
            } else {
                self.push(&base, &template);
            }
        }
    }

    fn from_import(&mut self, import: &Import, base: &str, template: &Use) {
        let owners = self.resolver.owners;
        for name in &import.names {
            let at = Use { line: name.line, ..template.clone() };
            if &*name.name == "*" {
                self.push(base, &at);
                self.star(base, &at);
                continue;
            }
            let submodule = if base.is_empty() {
                name.name.to_string()
            } else {
                [base, ".", &name.name].concat()
            };
            let parent = owners.find(base);
            let binding = parent.map_or(Binding::Absent, |parent| {
                self.resolver.binding(parent, &name.name, &submodule)
            });
            let is_module = owners.find(&submodule).is_some();
            match (is_module, binding) {
                (true, Binding::Has) if self.resolver.makes_inits => {
                    // Which of both it is depends on who is asked.
                    let either = Use { kind: UseKind::Optional, ..at };
                    self.push(base, &either);
                    self.push(&submodule, &either);
                }
                (true, Binding::Absent | Binding::MayHave) => self.push(&submodule, &at),
                (_, Binding::Has | Binding::MayHave) => self.push(base, &at),
                (false, Binding::Absent) if parent.is_some() => {
                    // The package itself is used all the same.
                    self.push(base, &Use { via: Via::Implied, ..at.clone() });
                    let wanted = submodule.as_str().into();
                    self.unit.uses.push(Use { wanted, missing_name: true, ..at });
                }
                // `from namespace import module`, where the namespace has no file of its own.
                (false, Binding::Absent)
                    if owners.resolve(base).is_none() && owners.is_first_party(base) =>
                {
                    self.push(&submodule, &at);
                }
                (false, Binding::Absent) => self.push(base, &at),
            }
        }
    }

    /// `from package import *` loads the submodules that `__all__` names.
    fn star(&mut self, base: &str, at: &Use) {
        let owners = self.resolver.owners;
        let Some(parent) = owners.find(base) else { return };
        let files: Vec<FileId> = owners.providers(parent).filter_map(|p| p.file).collect();
        for file in files {
            let all = self.resolver.files.get(file).facts.all.as_ref();
            for name in all.map_or(&[][..], |all| &all.names) {
                let submodule = format!("{base}.{name}");
                let binding = self.resolver.binding(parent, name, &submodule);
                if owners.find(&submodule).is_some() && binding != Binding::Has {
                    self.push(&submodule, at);
                }
            }
        }
    }

    fn absolute(&self, base: Base, name: &str) -> Option<String> {
        let root = match base {
            Base::Absolute => return Some(name.to_owned()),
            Base::Package(level) => resolve_relative(self.module, self.is_package, level, "")?,
            Base::OwnName => self.module.into(),
        };
        Some(match (&*root, name) {
            (root, "") => root.to_owned(),
            ("", name) => name.to_owned(),
            (root, name) => format!("{root}.{name}"),
        })
    }

    fn dynamic(&mut self, facts: &Facts) {
        for call in &facts.dynamic {
            let kind = if call.optional { UseKind::Optional } else { UseKind::Dynamic };
            let template = Use { line: call.line, span: call.span, ..plain_use("", kind) };
            match &call.target {
                DynamicTarget::Unbounded => self.unit.unbounded.push(call.line),
                DynamicTarget::Module { base, name } => {
                    let Some(module) = self.absolute(*base, name) else { continue };
                    if *base != Base::Absolute || !self.resolver.is_standard(&module) {
                        self.push_longest(&module, &template);
                    }
                }
                DynamicTarget::Under { base, prefix } => {
                    let Some(prefix) = self.absolute(*base, prefix) else { continue };
                    if prefix.is_empty() {
                        self.unit.unbounded.push(call.line);
                        continue;
                    }
                    if let Some(name) = self.resolver.owners.find(&prefix) {
                        let wanted = prefix.as_str().into();
                        let name = Some(name);
                        self.unit.uses.push(Use { wanted, name, via: Via::Implied, ..template });
                    }
                    self.unit.prefixes.push((prefix.into(), call.line));
                }
            }
        }
    }

    /// A dynamic import of a name that may end in an attribute.
    fn push_longest(&mut self, module: &str, template: &Use) {
        let owners = self.resolver.owners;
        let found = std::iter::once(module).chain(ancestors(module));
        match found.into_iter().find(|name| owners.find(name).is_some()) {
            Some(name) => self.push(name, template),
            None => self.push(module, template),
        }
    }

    fn strings(&mut self, facts: &Facts) {
        for string in &facts.strings {
            let kind = match string.kind {
                StringKind::Plain => UseKind::String,
                StringKind::MockPatch => UseKind::Patch,
                StringKind::LazyTable => UseKind::Lazy,
                StringKind::Annotation => UseKind::TypeOnly,
                StringKind::EntryPoint => UseKind::String,
            };
            // Only what somebody provides: any text can have dots in it.
            let names = std::iter::once(&*string.text).chain(ancestors(&string.text));
            let owners = self.resolver.owners;
            let known =
                names.into_iter().filter(|name| name.contains('.') || kind != UseKind::String);
            let found = known.into_iter().find_map(|name| Some((name, owners.find(name)?)));
            if let Some((name, id)) = found
                && name != self.module
            {
                self.unit.uses.push(Use {
                    name: Some(id),
                    line: string.line,
                    span: string.span,
                    in_text: true,
                    ..plain_use(name, kind)
                });
            }
        }
    }

    /// `a.b.c()` after `import a`: needs `a.b`, whoever has loaded it.
    fn attributes(&mut self, facts: &Facts) {
        for attribute in &facts.attribute_uses {
            let owners = self.resolver.owners;
            let names = std::iter::once(&*attribute.chain).chain(ancestors(&attribute.chain));
            let found = names.into_iter().find_map(|name| Some((name, owners.find(name)?)));
            let Some((name, id)) = found else { continue };
            if self.unit.uses.iter().any(|used| used.name == Some(id) && !used.in_text) {
                continue; // imported by name
            }
            let kind = if attribute.type_only { UseKind::TypeOnly } else { UseKind::Runtime };
            self.unit.uses.push(Use {
                name: Some(id),
                via: self.via_attribute(name),
                line: attribute.line,
                ..plain_use(name, kind)
            });
        }
    }

    /// Whether the package above loads the module itself.
    fn via_attribute(&self, module: &str) -> Via {
        let Some((package, name)) = module.rsplit_once('.') else { return Via::Implied };
        let parent = self.resolver.owners.find(package);
        match parent.map(|parent| self.resolver.binding(parent, name, module)) {
            Some(Binding::Has | Binding::MayHave) => Via::Implied,
            Some(Binding::Absent) | None => Via::SideEffect,
        }
    }

    fn pytest(&mut self, facts: &Facts) {
        for (plugin, line) in &facts.pytest.plugins {
            let template = Use { line: *line, ..plain_use("", UseKind::EntryPoint) };
            self.push(plugin, &template);
        }
    }

    /// A use as the template has it, whose own name counts for nothing.
    fn push(&mut self, wanted: &str, template: &Use) {
        let name = self.resolver.owners.resolve(wanted);
        self.unit.uses.push(Use { wanted: wanted.into(), name, ..template.clone() });
    }

    /// Loading a module runs the `__init__` of every package above it.
    fn ancestors(&mut self) {
        let owners = self.resolver.owners;
        let mut implied: FxHashMap<(NameId, bool), Use> = FxHashMap::default();
        for used in &self.unit.uses {
            for ancestor in ancestors(&used.wanted) {
                let Some(id) = owners.find(ancestor) else { continue };
                let is_init = owners.providers(id).any(|provision| provision.is_package);
                if is_init {
                    let type_only = used.kind == UseKind::TypeOnly;
                    implied.entry((id, type_only)).or_insert_with(|| Use {
                        wanted: ancestor.into(),
                        name: Some(id),
                        via: Via::Implied,
                        provider: None,
                        manual: false,
                        missing_name: false,
                        ..used.clone()
                    });
                }
            }
        }
        let mut implied: Vec<_> = implied.into_iter().collect();
        implied.sort_by_key(|(key, _)| *key);
        self.unit.uses.extend(implied.into_iter().map(|(_, used)| used));
    }
}
