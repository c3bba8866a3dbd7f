//! Recorded rule calls become targets: dependencies and sources by attribute, with the literal each came from. Pure.

use super::bazel::labels as bazel;
use super::labels::{self, Written};
use super::marks::LiteralId;
use super::recorder::RawTarget;
use super::schema::{AttrKind, DepRole};
use super::value::{Text, Value};
use crate::label::{Label, PackageId};
use crate::source::{Place, ProjectPath};
use crate::workspace::Cells;
use serde::{Deserialize, Serialize};

/// A target of a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its label.
    pub label: Label,
    /// The rule, or `?macro` for a macro that could not be read.
    pub kind: Box<str>,
    /// Whether the rule's attributes are known.
    pub known: bool,
    /// The call that defines it: the outermost one with `name`, else the outermost in the build file.
    pub place: Place,
    /// The outermost call in the build file that led to it.
    pub call: Place,
    /// A comment or label says that people manage its dependencies by hand.
    pub manual: bool,
    /// Every dependency as often as it is written.
    pub deps: Vec<Dep>,
    /// Files and outputs of targets that it is made of.
    pub sources: Vec<Source>,
    /// Its rule is declared with `is_toolchain_rule`.
    pub is_toolchain: bool,
    /// All attributes, in the order of the call.
    pub attrs: Vec<(Box<str>, Value)>,
    /// Templates of modules that it provides beyond its sources.
    pub provides: Vec<Box<str>>,
    /// A part of its dependencies or sources could not be told.
    pub incomplete: bool,
    /// What it is was told by Buck2: its call, if we have one, is of a macro that could not be read.
    pub unread: bool,
    /// Of Bazel: the files that it makes by name, relative to its package. Each is a label of its own.
    pub outputs: Vec<Box<str>>,
    /// Of Bazel: its rule is declared as one of programs or tests.
    pub starts: bool,
}

impl Target {
    /// An attribute's value.
    pub fn attr(&self, name: &str) -> Option<&Value> {
        self.attrs.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// A string attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attr(name)?.as_str()
    }
}

/// One dependency as an attribute gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dep {
    /// The other target.
    pub to: Label,
    /// One output of it, if only that is meant.
    pub sub_target: Option<Box<str>>,
    /// The attribute.
    pub attr: Box<str>,
    /// What it is used for.
    pub role: DepRole,
    /// Named by a macro in a string, not by an element of its own.
    pub in_string: bool,
    /// The text after evaluation.
    pub text: Box<str>,
    /// The literal it came from, if it is the only one.
    pub literal: Option<LiteralId>,
    /// The key of the innermost `select` branch it stands in.
    pub branch: Option<Box<str>>,
}

/// One source as an attribute gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The attribute.
    pub attr: Box<str>,
    /// Where it goes, relative to the target's base: the dictionary's side that is no source, else `None`.
    pub destination: Option<Box<str>>,
    /// What it is.
    pub origin: SourceOrigin,
    /// The literal it came from, if it is the only one.
    pub literal: Option<LiteralId>,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SourceOrigin {
    /// A file; `present` says whether it is on disk.
    File {
        /// The file.
        path: ProjectPath,
        /// Whether it is there.
        present: bool,
    },
    /// Outputs of another target.
    Target(Written),
}

/// What lowering asks about the package.
pub(super) struct Surroundings<'a> {
    pub(super) cells: &'a Cells,
    pub(super) package: &'a PackageId,
    pub(super) dir: &'a ProjectPath,
    pub(super) is_file: &'a dyn Fn(&ProjectPath) -> bool,
    /// Whether the package makes a target or file of this name.
    pub(super) is_made: &'a dyn Fn(&str) -> bool,
    /// Whether a literal was written as this text.
    pub(super) is_written: &'a dyn Fn(LiteralId, &str) -> bool,
}

/// Lowers one target; the places of its definition and of its call, and `manual` were found from its call frames.
pub(super) fn target(
    raw: RawTarget,
    [place, call]: [Place; 2],
    manual: bool,
    around: &Surroundings<'_>,
) -> Target {
    let mut lowering = Lowering {
        around,
        attr: "",
        branch: None,
        deps: Vec::new(),
        sources: Vec::new(),
        incomplete: false,
        source_keys: raw.schema.source_keys(),
    };
    for (name, value) in &raw.attrs {
        lowering.attr = name;
        lowering.value(value, raw.schema.kind(name));
    }
    for (name, value) in raw.schema.defaults() {
        if !raw.attrs.iter().any(|(set, _)| set == name) {
            lowering.attr = name;
            lowering.value(value, raw.schema.kind(name));
        }
    }
    let Lowering { deps, sources, incomplete, .. } = lowering;
    let outputs = if around.cells.is_bazel() { outputs(&raw) } else { Vec::new() };
    let manual = manual || has_label(&raw.attrs, "noautodeps");
    Target {
        label: around.package.target(raw.name.text),
        kind: raw.kind,
        known: raw.known,
        place,
        call,
        manual,
        is_toolchain: raw.schema.is_toolchain(),
        starts: raw.schema.starts(),
        outputs,
        deps,
        sources,
        attrs: raw.attrs,
        provides: raw.schema.provides().to_vec(),
        incomplete,
        unread: false,
    }
}

/// The files that a call makes by name: its `out` and `outs`, and what its rule declares.
pub(super) fn outputs(raw: &RawTarget) -> Vec<Box<str>> {
    let templates = raw.schema.outputs().iter();
    let mut outputs: Vec<Box<str>> =
        templates.map(|template| template.replace("%{name}", &raw.name.text).into()).collect();
    for (name, value) in &raw.attrs {
        if matches!(&**name, "out" | "outs") {
            value.for_each_text(&mut |text| {
                let output = text.text.strip_prefix(':').unwrap_or(&text.text);
                outputs.push(output.into());
            });
        }
    }
    outputs
}

fn has_label(attrs: &[(Box<str>, Value)], label: &str) -> bool {
    let mut found = false;
    for (name, value) in attrs {
        if &**name == "labels" {
            value.for_each_text(&mut |text| found |= &*text.text == label);
        }
    }
    found
}

struct Lowering<'a> {
    around: &'a Surroundings<'a>,
    attr: &'a str,
    branch: Option<Box<str>>,
    deps: Vec<Dep>,
    sources: Vec<Source>,
    incomplete: bool,
    source_keys: Option<bool>,
}

impl Lowering<'_> {
    fn value(&mut self, value: &Value, kind: &AttrKind) {
        if !kind.holds_labels() {
            return;
        }
        match value {
            // A string that is not known names no target that imports could speak of.
            Value::Unknown(_) => self.incomplete |= *kind != AttrKind::Arg,
            Value::Sum(parts) => parts.iter().for_each(|part| self.value(part, kind)),
            Value::Select(branches) => {
                for (key, branch) in branches {
                    let outer = self.branch.replace(key.clone());
                    self.value(branch, kind);
                    self.branch = outer;
                }
            }
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Other(_) => {}
            Value::Str(_) | Value::List(_) | Value::Dict(_) => self.shaped(value, kind),
        }
    }

    /// A value of known shape. Selects may stand inside, so each part goes through `value` again.
    fn shaped(&mut self, value: &Value, kind: &AttrKind) {
        match (kind, value) {
            (AttrKind::OneOf(alternatives), _) => {
                if let Some(kind) = fitting(alternatives, value) {
                    self.value(value, kind);
                }
            }
            (AttrKind::Each(inner), Value::List(items)) => {
                items.iter().for_each(|item| self.value(item, inner));
            }
            (AttrKind::Each(inner), _) => self.value(value, inner),
            (AttrKind::NamedSet(inner), Value::List(items)) => {
                items.iter().for_each(|item| self.value(item, inner));
            }
            (AttrKind::NamedSet(inner), Value::Dict(entries)) => {
                entries.iter().for_each(|(key, value)| self.entry(key, value, inner));
            }
            (AttrKind::Dict(keys, values), Value::Dict(entries)) => {
                for (key, value) in entries {
                    self.value(key, keys);
                    self.value(value, values);
                }
            }
            (AttrKind::Tuple(kinds), Value::List(items)) => {
                items.iter().zip(kinds).for_each(|(item, kind)| self.value(item, kind));
            }
            // A list where one value is declared: an older or a wrapped form of the attribute.
            (_, Value::List(items)) => items.iter().for_each(|item| self.value(item, kind)),
            (AttrKind::Guess | AttrKind::Arg, Value::Dict(entries)) => {
                for (key, value) in entries {
                    self.value(key, kind);
                    self.value(value, kind);
                }
            }
            (AttrKind::Source, Value::Dict(entries)) => {
                entries.iter().for_each(|(key, value)| self.entry(key, value, kind));
            }
            (_, Value::Str(text)) => self.leaf(text, kind),
            _ => {}
        }
    }

    /// One entry of a dictionary of sources. The prelude has destination → source, fbcode's macros the reverse.
    fn entry(&mut self, key: &Value, value: &Value, kind: &AttrKind) {
        let (Value::Str(key), Value::Str(text)) = (key, value) else {
            return self.value(value, kind);
        };
        let keys_are_sources = self
            .source_keys
            .unwrap_or_else(|| self.source_rank(&key.text) > self.source_rank(&text.text));
        let (source, destination) = if keys_are_sources { (key, text) } else { (text, key) };
        self.source(source, Some(destination.text.clone()));
    }

    /// How much a text looks like a source: a label does more than a file that is there, and that more than any other.
    fn source_rank(&self, text: &str) -> u8 {
        let is_file =
            || self.around.dir.join(text).is_some_and(|path| (self.around.is_file)(&path));
        match text {
            _ if labels::looks_like_label(text) => 2,
            _ => u8::from(is_file()),
        }
    }

    fn leaf(&mut self, text: &Text, kind: &AttrKind) {
        if self.around.cells.is_bazel()
            && let AttrKind::Dep(_) | AttrKind::Source = kind
        {
            return self.file_or_target(text, kind);
        }
        match kind {
            AttrKind::Dep(role) => self.dep(&text.text, text.literal, *role, false),
            AttrKind::Source => self.source(text, None),
            AttrKind::Arg => {
                labels::in_arg(&text.text)
                    .into_iter()
                    .for_each(|label| self.in_string(text, label));
            }
            AttrKind::Query => {
                let labels = labels::in_query(&text.text);
                labels.into_iter().for_each(|label| self.in_string(text, label));
            }
            AttrKind::Guess => self.guess(text),
            AttrKind::Label
            | AttrKind::Plain
            | AttrKind::Each(_)
            | AttrKind::NamedSet(_)
            | AttrKind::Dict(..)
            | AttrKind::Tuple(_)
            | AttrKind::OneOf(_) => {}
        }
    }

    /// A label within a text: a literal of its own, if a macro has put it there.
    fn in_string(&mut self, text: &Text, label: &str) {
        let mut literals = text.literals_at(label);
        let literal = literals.find(|literal| (self.around.is_written)(*literal, label));
        self.dep(label, literal, DepRole::Target, true);
    }

    /// Bazel: files and targets share their names, whatever the attribute is for.
    fn file_or_target(&mut self, text: &Text, kind: &AttrKind) {
        let around = self.around;
        let Some(label) = bazel::parse_in_attribute(&text.text, around.package, around.cells)
        else {
            return;
        };
        let dir = around.cells.dir_of_package(&label.package);
        let path = dir.and_then(|dir| dir.join(&label.name));
        let is_own = label.package == *around.package;
        let file = path.filter(|_| !is_own || !(around.is_made)(&label.name));
        let present = file.as_ref().is_some_and(around.is_file);
        let is_bare = !text.text.starts_with([':', '/', '@']);
        let origin = match file {
            Some(path) if present || is_bare && *kind == AttrKind::Source => {
                SourceOrigin::File { path, present }
            }
            _ => {
                let role = if let AttrKind::Dep(role) = kind { *role } else { DepRole::Target };
                let written = Written { label, sub_target: None };
                self.dep_on(written.clone(), &text.text, text.literal, role, false);
                SourceOrigin::Target(written)
            }
        };
        if present || *kind == AttrKind::Source {
            let (attr, literal) = (self.attr.into(), text.literal);
            self.sources.push(Source { attr, destination: None, origin, literal });
        }
    }

    fn guess(&mut self, text: &Text) {
        if text.text.contains("$(") {
            self.leaf(text, &AttrKind::Arg);
        } else if self.looks_like_label(&text.text) && !text.text.contains(' ') {
            self.target_or_file(text);
        }
    }

    fn target_or_file(&mut self, text: &Text) {
        if self.around.cells.is_bazel() {
            self.file_or_target(text, &AttrKind::Dep(DepRole::Target));
        } else {
            self.dep(&text.text, text.literal, DepRole::Target, false);
        }
    }

    fn looks_like_label(&self, text: &str) -> bool {
        let is_bazel = self.around.cells.is_bazel();
        let is_visibility = || is_bazel && text.starts_with("//visibility:");
        (labels::looks_like_label(text) || is_bazel && text.starts_with('@')) && !is_visibility()
    }

    fn dep(&mut self, text: &str, literal: Option<LiteralId>, role: DepRole, in_string: bool) {
        let Some(written) = labels::parse(text, self.around.package, self.around.cells) else {
            return;
        };
        self.dep_on(written, text, literal, role, in_string);
    }

    /// A dependency on what a text was read as.
    fn dep_on(
        &mut self,
        written: Written,
        text: &str,
        literal: Option<LiteralId>,
        role: DepRole,
        in_string: bool,
    ) {
        let Written { label: to, sub_target } = written;
        let (attr, text, branch) = (self.attr.into(), text.into(), self.branch.clone());
        self.deps.push(Dep { to, sub_target, attr, role, in_string, text, literal, branch });
    }

    fn source(&mut self, text: &Text, destination: Option<Box<str>>) {
        let label = labels::looks_like_label(&text.text)
            .then(|| labels::parse(&text.text, self.around.package, self.around.cells))
            .flatten();
        let origin = match label {
            Some(written) => {
                let role = DepRole::Target;
                self.dep_on(written.clone(), &text.text, text.literal, role, false);
                SourceOrigin::Target(written)
            }
            None => {
                let relative = text.text.trim_end_matches('/');
                let Some(path) = self.around.dir.join(relative) else { return };
                let present = (self.around.is_file)(&path);
                SourceOrigin::File { path, present }
            }
        };
        let attr = self.attr.into();
        self.sources.push(Source { attr, destination, origin, literal: text.literal });
    }
}

/// The alternative of a `one_of` that takes a value, by its shape and by whether its text is a label.
fn fitting<'k>(alternatives: &'k [AttrKind], value: &Value) -> Option<&'k AttrKind> {
    let is_label = value.as_str().is_some_and(labels::looks_like_label);
    let fits = |kind: &&AttrKind| match (kind, value) {
        (AttrKind::Dep(_), Value::Str(_)) => is_label,
        (AttrKind::Source | AttrKind::Arg | AttrKind::Query | AttrKind::Label, Value::Str(_)) => {
            true
        }
        (AttrKind::Each(_) | AttrKind::NamedSet(_) | AttrKind::Tuple(_), Value::List(_)) => true,
        (AttrKind::Dict(..) | AttrKind::NamedSet(_), Value::Dict(_)) => true,
        (AttrKind::OneOf(inner), _) => fitting(inner, value).is_some(),
        _ => false,
    };
    let mut candidates = alternatives.iter().filter(|kind| kind.holds_labels());
    candidates.find(fits)
}
