//! One evaluation of a workspace under one configuration: names in scope, rules, macros, globs. Reads through the workspace.

use super::bazel;
use super::globals;
use super::helpers::Helpers;
use super::macros::{self, MacroTable};
use super::modules::{Loaded, ModuleKey, Modules};
use super::rule::Rule;
use super::schema::{AttrKind, RuleSchema, RuleTable};
use crate::source::ProjectPath;
use crate::workspace::{self, Cells, Files, Tree, Workspace};
use rustc_hash::FxHashSet;
use starlark::environment::{FrozenModule, Globals, GlobalsBuilder, Module};
use starlark::values::OwnedFrozenValue;
use starlark::values::structs::StructRef;
use std::sync::{Arc, OnceLock};

/// Names that a kind of file sees without loading them.
pub(super) struct Scope {
    pub(super) globals: Globals,
    names: FxHashSet<String>,
}

impl Scope {
    fn new(builder: GlobalsBuilder) -> Self {
        let globals = builder.build();
        let names = globals.names().map(|name| name.as_str().to_owned()).collect();
        Self { globals, names }
    }

    /// Whether `name` is in scope.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The files that an evaluation sees.
#[derive(Clone, Copy)]
pub(super) struct Disk<'a> {
    pub(super) tree: &'a Tree,
    pub(super) files: &'a Arc<dyn Files>,
}

/// Everything an evaluation asks its surroundings for.
#[derive(Clone)]
pub(super) struct Session<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) cells: &'a Cells,
    pub(super) disk: Disk<'a>,
    pub(super) core: Arc<Core>,
}

/// What stays the same whatever the files hold.
pub(super) struct Core {
    pub(super) rules: RuleTable,
    pub(super) macros: MacroTable,
    pub(super) empty: FrozenModule,
    /// Stand-ins for helper files that are not on disk.
    pub(super) helpers: Helpers,
    /// What Bazel's files see that is written in Starlark, if these are Bazel's.
    pub(super) bazel: Option<bazel::Shared>,
    prelude_cell: Option<Arc<str>>,
    /// `.bzl` files of the prelude.
    prelude_scope: Scope,
    /// All other `.bzl` files.
    module_scope: Scope,
    /// Build and PACKAGE files.
    build_scope: Scope,
    package_symbols: OnceLock<Vec<PackageSymbol>>,
    namespace_rules: OnceLock<Vec<(String, Rule)>>,
}

/// One entry of `[buildfile] package_includes`.
pub(super) struct PackageSymbol {
    cell: Arc<str>,
    dir: ProjectPath,
    name: String,
    value: OwnedFrozenValue,
}

impl<'a> Session<'a> {
    /// A session whose rules are those of the built-in table.
    pub(super) fn with_table(
        workspace: &'a Workspace,
        cells: &'a Cells,
    ) -> crate::error::Result<Self> {
        let rules = super::schema::built_in();
        let scopes = scopes(globals::base, rules);
        Self::new(workspace, cells, rules.clone(), scopes, None)
    }

    /// A session as Bazel has it.
    pub(super) fn with_bazel(
        workspace: &'a Workspace,
        cells: &'a Cells,
    ) -> crate::error::Result<Self> {
        let shared = bazel::Shared::new(&empty_module()?);
        let rules = bazel::rules();
        let scopes = scopes(|| bazel::base(&shared), rules);
        Self::new(workspace, cells, rules.clone(), scopes, Some(shared))
    }

    /// A session whose rules are those that the prelude on disk exports; `None` if it exports no `native`.
    pub(super) fn with_prelude(
        workspace: &'a Workspace,
        cells: &'a Cells,
        prelude: &FrozenModule,
        declared: Option<&FrozenModule>,
    ) -> Option<crate::error::Result<Self>> {
        let native = prelude.get_option("native").ok().flatten()?;
        let members = StructRef::from_value(native.value())?;
        let frozen: Vec<(String, starlark::values::FrozenValue)> = members
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.unpack_frozen()?)))
            .collect();
        let rules = members.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), Arc::clone(Rule::from_value(value)?.schema())))
        });
        let mut table = super::schema::built_in().clone();
        // Macros hide some rules of `native`; `rules.bzl` has them all.
        table.extend(declared.into_iter().flat_map(exported_rules));
        table.extend(rules);
        let whole = native.value().unpack_frozen()?;
        let add_native = |builder: &mut GlobalsBuilder| {
            builder.frozen_heap().add_reference(native.owner());
            builder.set("native", whole);
        };
        let add_members = |builder: &mut GlobalsBuilder| {
            for (name, value) in &frozen {
                builder.set(name, *value);
            }
        };
        let modules = globals::base().with(add_native);
        let builds = globals::base().with(add_native).with(add_members);
        Some(Self::new(workspace, cells, table, [modules, builds], None))
    }

    fn new(
        workspace: &'a Workspace,
        cells: &'a Cells,
        rules: RuleTable,
        [modules, builds]: [GlobalsBuilder; 2],
        bazel: Option<bazel::Shared>,
    ) -> crate::error::Result<Self> {
        let empty = empty_module()?;
        let core = Core {
            rules,
            macros: MacroTable::new(&workspace.settings),
            helpers: Helpers::new(&empty),
            empty,
            bazel,
            prelude_cell: cells.prelude().map(|(name, _)| name),
            prelude_scope: Scope::new(globals::base()),
            module_scope: Scope::new(modules),
            build_scope: Scope::new(builds),
            package_symbols: OnceLock::new(),
            namespace_rules: OnceLock::new(),
        };
        let disk = Disk { tree: &workspace.tree, files: &workspace.files };
        Ok(Self { workspace, cells, disk, core: Arc::new(core) })
    }

    /// The same with other files.
    pub(super) fn over<'b>(&'b self, disk: Disk<'b>) -> Session<'b> {
        Session { disk, ..self.clone() }
    }

    /// The rules of a `namespace`, made once.
    pub(super) fn namespace_rules(&self) -> &[(String, Rule)] {
        self.core.namespace_rules.get_or_init(|| macros::namespace_rules(self))
    }

    /// The rule that a name means wherever it is loaded from: that of `[rules]`, else that of the table.
    pub(super) fn named_rule(&self, name: &str) -> Option<Rule> {
        if let Some(setting) = self.core.macros.named(name) {
            return Some(macros::rule(setting, self));
        }
        Some(Rule::named(name, self.core.rules.get(name)?.clone()))
    }

    /// A module in which nothing is defined.
    pub(super) fn nothing(&self) -> Loaded {
        Loaded { marked: self.core.empty.clone(), plain: self.core.empty.clone() }
    }

    /// Whether a file belongs to the prelude.
    pub(super) fn is_prelude(&self, path: &ProjectPath) -> bool {
        self.core.prelude_cell.as_deref() == Some(&*self.cells.cell_of(path).name)
    }

    /// Whether only that half of a file is read which runs without an analysis: it belongs to a prelude, and that is a tool.
    pub(super) fn has_half_of(&self, path: &ProjectPath) -> bool {
        self.cells.is_tool(&self.cells.cell_of(path).name)
    }

    /// The names that a `.bzl` file sees.
    pub(super) fn module_scope(&self, path: &ProjectPath) -> &Scope {
        if self.is_prelude(path) { &self.core.prelude_scope } else { &self.core.module_scope }
    }

    /// The names that a build or PACKAGE file sees.
    pub(super) fn build_scope(&self) -> &Scope {
        &self.core.build_scope
    }

    /// How a loaded file is keyed: for each cell of build files once, the prelude's files only for their own.
    pub(super) fn module_key(&self, path: ProjectPath, build_file_cell: &Arc<str>) -> ModuleKey {
        let cell = match &self.core.prelude_cell {
            Some(prelude) if self.is_prelude(&path) => Arc::clone(prelude),
            _ => Arc::clone(build_file_cell),
        };
        ModuleKey { path, cell }
    }

    /// `read_config`.
    pub(super) fn config(&self, cell: &str, section: &str, key: &str) -> Option<&str> {
        self.cells.get(cell)?.config.get(section, key)
    }

    /// `read_root_config`.
    pub(super) fn root_config(&self, section: &str, key: &str) -> Option<&str> {
        self.cells.root().config.get(section, key)
    }

    /// `glob`.
    pub(super) fn glob(
        &self,
        dir: &ProjectPath,
        include: &[String],
        exclude: &[String],
    ) -> anyhow::Result<Vec<String>> {
        let tree = self.disk.tree;
        let package = tree.package_at(dir).ok_or_else(|| anyhow::anyhow!("no package here"))?;
        let include: Vec<&str> = include.iter().map(String::as_str).collect();
        let exclude: Vec<&str> = exclude.iter().map(String::as_str).collect();
        workspace::glob(tree, package, &include, &exclude)
            .map_err(|message| anyhow::anyhow!(message))
    }

    /// Kind and schema of a macro that could not be read, by the name it was called with.
    pub(super) fn schema_of_unknown(&self, callee: &str) -> (Box<str>, bool, Arc<RuleSchema>) {
        let name = callee.rsplit('.').next().unwrap_or(callee).trim_end_matches("()");
        if let Some(setting) = self.core.macros.named(name) {
            let rule = macros::rule(setting, self);
            return (setting.kind.as_str().into(), true, Arc::clone(rule.schema()));
        }
        if let Some(schema) = self.core.rules.get(name) {
            return (name.into(), false, Arc::clone(schema));
        }
        (format!("?{name}").into(), false, Arc::new(guessed_schema()))
    }

    /// Loads what `[buildfile] package_includes` names; call once, when its files are loaded.
    pub(super) fn set_package_symbols(&self, symbols: Vec<PackageSymbol>) {
        let _ = self.core.package_symbols.set(symbols);
    }

    /// `implicit_package_symbol`: the entry of the nearest directory wins.
    pub(super) fn package_symbol(
        &self,
        cell: &str,
        dir: &ProjectPath,
        name: &str,
    ) -> Option<OwnedFrozenValue> {
        let symbols = self.core.package_symbols.get()?;
        symbols
            .iter()
            .filter(|symbol| &*symbol.cell == cell && symbol.name == name)
            .filter(|symbol| dir.below(&symbol.dir).is_some())
            .max_by_key(|symbol| symbol.dir.as_str().len())
            .map(|symbol| symbol.value.clone())
    }
}

/// What `.bzl` files and what build files see besides `base`: the rules, in `native`, and in build files by their bare names too.
fn scopes(base: impl Fn() -> GlobalsBuilder, rules: &RuleTable) -> [GlobalsBuilder; 2] {
    let members = base().build();
    let add_rules = |builder: &mut GlobalsBuilder| {
        for name in rules.names() {
            if let Some(schema) = rules.get(name) {
                builder.set(name, Rule::named(name, Arc::clone(schema)));
            }
        }
    };
    let native = |builder: &mut GlobalsBuilder| {
        builder.namespace("native", |builder| {
            globals::copy(&members, builder);
            add_rules(builder);
        });
    };
    [base().with(native), base().with(native).with(add_rules)]
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over the heap's lifetime"
)]
fn empty_module() -> crate::error::Result<FrozenModule> {
    Module::with_temp_heap(|module| module.freeze())
        .map_err(|_| crate::error::Error::new("the evaluator cannot make an empty module"))
}

fn exported_rules(module: &FrozenModule) -> Vec<(String, Arc<RuleSchema>)> {
    let rules = module.names().filter_map(|name| {
        let value = module.get_option(name.as_str()).ok().flatten()?;
        Some((name.as_str().to_owned(), Arc::clone(Rule::from_value(value.value())?.schema())))
    });
    rules.collect()
}

/// What the attributes of an unknown macro hold, by their usual names.
fn guessed_schema() -> RuleSchema {
    let known = ["deps", "exported_deps", "preload_deps", "runtime_deps"];
    let deps = known.into_iter().map(|name| (name, "each(dep)"));
    let sources = ["srcs", "resources", "types", "headers"].into_iter();
    let sources = sources.map(|name| (name, "named(one_of(dep,source))"));
    let attributes = deps.chain(sources).chain([("main_src", "source"), ("main", "source")]);
    RuleSchema::new(
        attributes.filter_map(|(name, kind)| Some((name.into(), AttrKind::from_text(kind)?))),
    )
    .guessing()
}

/// The entries of `[buildfile] package_includes`: `dir=>cell//path:file.bzl::symbol::alias=symbol,…`, by cell.
pub(super) fn package_includes(session: &Session<'_>) -> Vec<PackageInclude> {
    let mut includes = Vec::new();
    for cell in session.cells.iter() {
        let Some(entries) = cell.config.get_list("buildfile", "package_includes") else { continue };
        for entry in entries {
            let Some((dir, rest)) = entry.trim().split_once("=>") else { continue };
            let mut parts = rest.split("::");
            let Some(load) = parts.next() else { continue };
            let Some(dir) = cell.root.join(dir) else { continue };
            let origin = cell.root.join("BUCK").unwrap_or_else(ProjectPath::root);
            let Ok(path) = super::loads::resolve(session.cells, &origin, load) else { continue };
            let symbols = parts.map(|symbol| {
                let (name, source) = symbol.split_once('=').unwrap_or((symbol, symbol));
                (name.to_owned(), source.to_owned())
            });
            let symbols = symbols.collect();
            includes.push(PackageInclude { cell: Arc::clone(&cell.name), dir, path, symbols });
        }
    }
    includes
}

/// One parsed entry of `[buildfile] package_includes`.
pub(super) struct PackageInclude {
    pub(super) cell: Arc<str>,
    pub(super) dir: ProjectPath,
    pub(super) path: ProjectPath,
    symbols: Vec<(String, String)>,
}

impl PackageInclude {
    /// The symbols, once the file is loaded.
    pub(super) fn symbols(&self, session: &Session<'_>, modules: &Modules) -> Vec<PackageSymbol> {
        let key = session.module_key(self.path.clone(), &self.cell);
        let Some(loaded) = modules.loaded.get(&key) else { return Vec::new() };
        let found = self.symbols.iter().filter_map(|(name, source)| {
            let value = loaded.plain.get_option(source).ok().flatten()?;
            Some(PackageSymbol {
                cell: Arc::clone(&self.cell),
                dir: self.dir.clone(),
                name: name.clone(),
                value,
            })
        });
        found.collect()
    }
}
