//! Targets that Buck2 printed, lowered like those of our own evaluation. Pure.

use super::lower::{self, Dep, Source, SourceOrigin, Surroundings, Target};
use super::recorder::RawTarget;
use super::schema::{DepRole, RuleSchema, RuleTable};
use super::value::{Text, Value};
use crate::label::{Label, PackageId};
use crate::source::{Place, ProjectPath, Span};
use crate::workspace::{RecordedTarget, Recording, Workspace};
use serde_json::Value as Json;
use std::sync::Arc;

/// The attribute of dependencies that no attribute names: a rule has them by itself, or nobody printed the attributes.
pub(super) const DEPS: &str = "buck.deps";
/// The same of files.
const INPUTS: &str = "buck.inputs";
/// Attributes that say what modules and files are called.
pub(super) const TEXTS: [&str; 4] = ["base_module", "main_module", "main_function", "out"];

impl Dep {
    /// Whether no attribute that we know of names it.
    pub fn is_implicit(&self) -> bool {
        &*self.attr == DEPS
    }

    /// Whether a rule has it by itself: a tool or toolchain, which nobody can take out.
    pub fn is_own_of_rule(&self) -> bool {
        self.is_implicit() && self.role == DepRole::Exec
    }
}

/// What lowering a recorded target needs.
#[derive(Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) recording: &'a Recording,
    pub(super) workspace: &'a Workspace,
    pub(super) rules: &'a RuleTable,
}

impl Recorded<'_> {
    /// The directory of a package, if it is a part of the project that we look at.
    pub(super) fn dir(self, package: &PackageId) -> Option<ProjectPath> {
        let cells = &self.workspace.cells;
        if cells.is_tool(&package.cell) {
            return None;
        }
        let dir = cells.dir_of_package(package)?;
        self.workspace.tree.dir(&dir)?;
        (!self.workspace.is_excluded(&self.build_file(package, &dir)?)).then_some(dir)
    }

    /// The build file of a package, or where it would be.
    pub(super) fn build_file(self, package: &PackageId, dir: &ProjectPath) -> Option<ProjectPath> {
        if let Some(found) = self.workspace.tree.package_at(dir) {
            return Some(found.build_file.clone());
        }
        let names = &self.workspace.cells.get(&package.cell)?.build_file_names;
        dir.join(names.last().map_or("BUCK", String::as_str))
    }

    /// A target as Buck2 has it. `fallback` is the rule of a target whose rule was not printed. Nothing of it has a literal.
    pub(super) fn target(
        self,
        label: &Label,
        recorded: &RecordedTarget,
        fallback: &str,
    ) -> Option<Target> {
        let package = &label.package;
        let dir = self.dir(package)?;
        let build_file = self.build_file(package, &dir)?;
        let rule = recorded.rule.as_deref().unwrap_or(fallback);
        let schema = self.rules.get(rule);
        // What is printed has gone through the macros: a dictionary of sources is as the prelude has it.
        let schema_of = |schema: RuleSchema| Arc::new(schema.with_source_keys(Some(false)));
        let name = text(&label.name);
        let raw = RawTarget {
            name,
            kind: rule.into(),
            known: schema.is_some(),
            schema: schema.map_or_else(
                || schema_of(RuleSchema::default().guessing()),
                |schema| schema_of(RuleSchema::clone(schema).with_defaults(Vec::new())),
            ),
            attrs: attrs(recorded),
            frames: Vec::new(),
        };
        let is_file = |path: &ProjectPath| self.workspace.tree.is_file(path);
        let around = Surroundings {
            cells: &self.workspace.cells,
            package,
            dir: &dir,
            is_file: &is_file,
            // In labels of Buck2 a file is never meant by a target's name.
            is_made: &|_| false,
            is_written: &|_, _| false,
        };
        let place = Place { path: build_file, span: Span::default() };
        let mut target = lower::target(raw, [place.clone(), place], false, &around);
        target.incomplete = !self.recording.answers_all();
        target.unread = true;
        self.settle_deps(recorded, &mut target);
        self.settle_sources(recorded, &mut target);
        Some(target)
    }

    /// What Buck2 lists as dependencies decides; attributes say what each is for.
    fn settle_deps(self, recorded: &RecordedTarget, target: &mut Target) {
        let Some(listed) = &recorded.deps else { return };
        target.deps.retain(|dep| dep.role == DepRole::Configuration || listed.contains(&dep.to));
        let known = |label: &Label, deps: &[Dep]| deps.iter().any(|dep| dep.to == *label);
        for label in listed {
            if !known(label, &target.deps) {
                let role = if self.is_tool(label) { DepRole::Exec } else { DepRole::Target };
                target.deps.push(implicit(label, role));
            }
        }
    }

    /// Whether a dependency that no attribute names is one that rules have by themselves. Where attributes were printed it
    /// is; else those are that the prelude can name: its own targets and those of the cell `toolchains`.
    pub(super) fn is_tool(self, label: &Label) -> bool {
        let cells = &self.workspace.cells;
        let toolchains = cells.resolve_alias(&cells.root().name, "toolchains");
        self.recording.answers("deps")
            || toolchains.as_ref() == Some(&label.package.cell)
            || self.dir(&label.package).is_none()
    }

    fn settle_sources(self, recorded: &RecordedTarget, target: &mut Target) {
        let Some(listed) = &recorded.inputs else { return };
        target.sources.retain(|source| match &source.origin {
            SourceOrigin::File { path, .. } => listed.contains(path),
            SourceOrigin::Target(_) => true,
        });
        for path in listed {
            let is_it = |source: &Source| matches!(&source.origin, SourceOrigin::File { path: of, .. } if of == path);
            if !target.sources.iter().any(is_it) {
                let is_module = [".py", ".pyi", ".so", ".pyd"]
                    .iter()
                    .any(|end| path.file_name().ends_with(end));
                let guess = is_module && !self.recording.answers("srcs");
                let present = self.workspace.tree.is_file(path);
                target.sources.push(Source {
                    attr: if guess { "srcs".into() } else { INPUTS.into() },
                    destination: None,
                    origin: SourceOrigin::File { path: path.clone(), present },
                    literal: None,
                });
            }
        }
    }
}

fn implicit(label: &Label, role: DepRole) -> Dep {
    Dep {
        to: label.clone(),
        sub_target: None,
        attr: DEPS.into(),
        role,
        in_string: false,
        text: label.to_string().into(),
        literal: None,
        branch: None,
    }
}

fn attrs(recorded: &RecordedTarget) -> Vec<(Box<str>, Value)> {
    let attrs = recorded.attrs.iter().map(|(name, json)| (name.clone(), value(json)));
    attrs.filter(|(_, value)| *value != Value::None).collect()
}

/// A value as Buck2 prints it (`buck2_node/src/attrs/coerced_attr.rs`).
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Other(number.to_string().into()),
        },
        Json::String(string) => Value::Str(text(string)),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        Json::Object(object) => {
            let kind = object.get("__type").and_then(Json::as_str);
            match (kind, object.get("entries"), object.get("items")) {
                (Some("selector"), Some(Json::Object(entries)), _) => Value::Select(
                    entries.iter().map(|(key, of)| (key.as_str().into(), value(of))).collect(),
                ),
                (Some("concat"), _, Some(Json::Array(items))) => {
                    Value::Sum(items.iter().map(value).collect())
                }
                _ => Value::Dict(
                    object.iter().map(|(key, of)| (Value::Str(text(key)), value(of))).collect(),
                ),
            }
        }
    }
}

fn text(text: &str) -> Text {
    Text { text: text.into(), literal: None, joined: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(json: &Json) -> Vec<String> {
        let mut found = Vec::new();
        value(json).for_each_text(&mut |text| found.push(text.text.to_string()));
        found
    }

    #[test]
    fn every_branch_of_selects_and_every_part_of_sums_is_there() {
        let select =
            |a: Json, b: Json| json!({"__type": "selector", "entries": {"DEFAULT": a, "x//:y": b}});
        let sum = |items: Json| json!({"__type": "concat", "items": items});
        for (json, expected) in [
            (select(json!(["a"]), json!(null)), vec!["a"]),
            (sum(json!([["a"], select(json!(["b"]), json!(["c"]))])), vec!["a", "b", "c"]),
            (
                select(select(json!("a"), json!("b")), sum(json!(["c", "d"]))),
                vec!["a", "b", "c", "d"],
            ),
            (json!({"k": select(json!("a"), json!("b"))}), vec!["k", "a", "b"]),
            (json!([select(json!("a"), json!("b"))]), vec!["a", "b"]),
            // A dictionary that looks like one is a dictionary.
            (json!({"__type": "selector"}), vec!["__type", "selector"]),
            (json!({"__type": "concat", "items": "a"}), vec!["__type", "concat", "items", "a"]),
        ] {
            assert_eq!(labels(&json), expected, "{json}");
        }
        assert!(matches!(value(&select(json!([]), json!([]))), Value::Select(_)));
        assert!(matches!(value(&sum(json!([]))), Value::Sum(_)));
    }

    #[test]
    fn numbers_that_are_no_whole_ones_hold_no_labels() {
        assert_eq!(value(&json!(3)), Value::Int(3));
        assert!(matches!(value(&json!(1.5)), Value::Other(_)));
        assert!(matches!(value(&json!(u64::MAX)), Value::Other(_)));
    }
}
