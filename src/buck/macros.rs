//! Macros that are read as rules instead of being evaluated: `[macros]`, `[rules]` and the `fbcode` preset. Pure tables.
//!
//! Exported Meta trees load their macros from files that were left behind, or that stand in for them and drop what the
//! open-source build cannot use. The call itself says what the target is, so the call is what counts.

use super::rule::Rule;
use super::schema::{AttrKind, RuleSchema};
use super::session::Session;
use super::unknown::Unknown;
use crate::workspace::{self, Preset, RuleShape, Settings, SrcsOrder};
use rustc_hash::FxHashMap;
use starlark::values::structs::{AllocStruct, StructRef};
use starlark::values::{Heap, OwnedFrozenValue, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a loaded symbol is read as.
#[derive(Clone, Debug)]
pub(super) enum Macro {
    /// A rule of this kind.
    Rule(RuleShape),
    /// A struct whose members are rules by their names.
    Namespace,
    /// Defines nothing.
    Ignore,
    /// `f(_kind, **kwargs)`: calls its first argument with the rest.
    CallKind,
    /// A function that always gives this.
    Constant(bool),
}

/// Which macros the configuration and the preset speak of.
#[derive(Debug)]
pub(super) struct MacroTable {
    by_load: BTreeMap<String, BTreeMap<String, workspace::Macro>>,
    by_name: BTreeMap<String, workspace::Macro>,
    fbcode: bool,
}

/// fbcode's macros whose names differ from the prelude's rules.
const FBCODE_KINDS: &[(&str, &str)] = &[
    ("buck_command_alias", "command_alias"),
    ("buck_export_file", "export_file"),
    ("buck_filegroup", "filegroup"),
    ("buck_genrule", "genrule"),
    ("buck_sh_binary", "sh_binary"),
    ("cpp_binary", "cxx_binary"),
    ("cpp_library", "cxx_library"),
    ("cpp_python_extension", "cxx_python_extension"),
    ("cpp_unittest", "cxx_test"),
    ("custom_unittest", "sh_test"),
    ("fb_native", ""),
    ("python_pytest", "python_test"),
    ("python_unittest", "python_test"),
];

impl MacroTable {
    /// The macros that `settings` name.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            by_load: settings.macros.clone(),
            by_name: settings.rules.clone(),
            fbcode: settings.project.preset == Some(Preset::Fbcode),
        }
    }

    /// The symbols of a load that are read as something else than what the file defines.
    pub(super) fn overrides<'s>(
        &self,
        load: &str,
        symbols: &[&'s str],
    ) -> FxHashMap<&'s str, Macro> {
        let found = symbols.iter().filter_map(|symbol| Some((*symbol, self.one(load, symbol)?)));
        found.collect()
    }

    fn one(&self, load: &str, symbol: &str) -> Option<Macro> {
        let configured = self.by_load.get(load).and_then(|symbols| symbols.get(symbol));
        match configured.or_else(|| self.by_name.get(symbol)) {
            Some(workspace::Macro::Namespace) => Some(Macro::Namespace),
            Some(workspace::Macro::Ignore) => Some(Macro::Ignore),
            Some(workspace::Macro::Rule(shape)) => Some(Macro::Rule(shape.clone())),
            None if self.fbcode => fbcode(load, symbol),
            None => None,
        }
    }

    /// The shape that `[rules]` gives to a macro of this name.
    pub(super) fn named(&self, name: &str) -> Option<&RuleShape> {
        match self.by_name.get(name)? {
            workspace::Macro::Rule(shape) => Some(shape),
            workspace::Macro::Namespace | workspace::Macro::Ignore => None,
        }
    }

    /// The value that stands for a macro.
    pub(super) fn value<'v>(
        replacement: &Macro,
        original: Option<&OwnedFrozenValue>,
        session: &Session<'_>,
        heap: Heap<'v>,
    ) -> Value<'v> {
        match replacement {
            Macro::Rule(setting) => heap.alloc(rule(setting, session)),
            Macro::Ignore => heap.alloc(Unknown::inert("ignored macro")),
            Macro::CallKind => heap.alloc(super::rule::CallKind),
            Macro::Constant(value) => heap.alloc(super::rule::Constant(*value)),
            Macro::Namespace => namespace(original, session, heap),
        }
    }
}

/// A rule like the one of the prelude that has this name.
fn of_kind(kind: &str) -> RuleShape {
    RuleShape {
        kind: kind.to_owned(),
        srcs: None,
        deps: Vec::new(),
        sources: Vec::new(),
        modules: Vec::new(),
    }
}

/// The members of the original stay, except those that are rules by their names; all other rules are added.
fn namespace<'v>(
    original: Option<&OwnedFrozenValue>,
    session: &Session<'_>,
    heap: Heap<'v>,
) -> Value<'v> {
    let original = original.map(|value| heap.access_owned_frozen_value(value));
    let mut members: BTreeMap<String, Value<'v>> = BTreeMap::new();
    if let Some(members_of) = original.and_then(StructRef::from_value) {
        members.extend(members_of.iter().map(|(name, value)| (name.as_str().to_owned(), value)));
    }
    if session.core.macros.fbcode && members.contains_key("is_oss") {
        members.insert("is_oss".to_owned(), Value::new_bool(false));
    }
    for (name, rule) in session.namespace_rules() {
        members.insert(name.clone(), heap.alloc(rule.clone()));
    }
    heap.alloc(AllocStruct(members))
}

/// Every rule and fbcode macro by its name, as members of a namespace.
pub(super) fn namespace_rules(session: &Session<'_>) -> Vec<(String, Rule)> {
    let rules = session.core.rules.names().into_iter().map(|name| (name, name));
    let macros = FBCODE_KINDS.iter().copied().filter(|(_, kind)| !kind.is_empty());
    rules
        .chain(macros)
        .map(|(name, kind)| (name.to_owned(), rule(&of_kind(kind), session)))
        .collect()
}

/// A rule by the kind that a setting names, with the attributes it adds.
pub(super) fn rule(setting: &RuleShape, session: &Session<'_>) -> Rule {
    let known = session.core.rules.get(&setting.kind);
    let base = known.map(|schema| &**schema);
    let mut attributes: Vec<(Box<str>, AttrKind)> = FBCODE_ATTRIBUTES
        .iter()
        .filter_map(|(name, kind)| Some(((*name).into(), AttrKind::from_text(kind)?)))
        .collect();
    if let Some(base) = base {
        attributes
            .extend(base.sorted().into_iter().map(|(name, kind)| (name.into(), kind.clone())));
    }
    let deps = || AttrKind::from_text("each(dep)").unwrap_or(AttrKind::Plain);
    let sources = || AttrKind::from_text("named(source)").unwrap_or(AttrKind::Plain);
    attributes.extend(setting.deps.iter().map(|name| (name.as_str().into(), deps())));
    attributes.extend(setting.sources.iter().map(|name| (name.as_str().into(), sources())));
    let source_keys = setting.srcs.map(|order| order == SrcsOrder::SourceToDestination);
    let schema =
        RuleSchema::new(attributes).with_source_keys(source_keys).providing(&setting.modules);
    Rule::named(&setting.kind, Arc::new(schema))
}

/// Attributes that fbcode's macros take beyond those of the prelude's rules.
const FBCODE_ATTRIBUTES: &[(&str, &str)] = &[
    ("cpp_deps", "each(dep)"),
    ("exported_deps", "each(dep)"),
    ("main_src", "source"),
    ("preload_deps", "each(dep)"),
    ("resources", "named(one_of(dep,source))"),
    ("runtime_deps", "each(dep)"),
    ("srcs", "named(source)"),
    ("tests", "each(label)"),
    ("types", "named(source)"),
];

fn fbcode(load: &str, symbol: &str) -> Option<Macro> {
    let (cell, rest) = load.trim_start_matches('@').split_once("//")?;
    if rest.ends_with(":fbsource_utils.bzl") {
        return match symbol {
            "is_fbcode" => Some(Macro::Constant(true)),
            "is_xplat" | "is_arvr_mode" | "is_ovrsource" => Some(Macro::Constant(false)),
            _ => None,
        };
    }
    if !(cell == "fbcode_macros" && rest.starts_with("build_defs")) {
        return None;
    }
    match symbol {
        "fbcode_target" => Some(Macro::CallKind),
        "non_fbcode_target" => Some(Macro::Ignore),
        _ => {
            let renamed = FBCODE_KINDS.iter().find(|(name, _)| *name == symbol);
            let kind = renamed.map_or(symbol, |(_, kind)| *kind);
            is_rule_name(kind).then(|| Macro::Rule(of_kind(kind)))
        }
    }
}

fn is_rule_name(kind: &str) -> bool {
    super::schema::built_in().get(kind).is_some()
}
