//! What the attributes of a rule hold: dependencies, sources, strings with macros. Pure values; touches nothing.

use super::value::Value;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a target uses another through an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DepRole {
    /// `attrs.dep`: part of what is built for the target.
    Target,
    /// `attrs.exec_dep`: a tool that runs during the build.
    Exec,
    /// `attrs.toolchain_dep`, transitions and plugins: never what an import could mean.
    Toolchain,
    /// `attrs.configuration_label`, `select` keys and the like: chosen by configuration.
    Configuration,
}

/// The type of an attribute, as far as labels can be inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttrKind {
    /// A dependency.
    Dep(DepRole),
    /// A label without a build edge (`tests`, `attrs.label`).
    Label,
    /// A file of the package, or a target whose outputs are used.
    Source,
    /// A string with `$(location …)` and other macros.
    Arg,
    /// A query string; labels inside it are dependencies.
    Query,
    /// A list, set or option of one inner kind.
    Each(Box<Self>),
    /// `attrs.dict` and `attrs.named_set` (a list, or a dictionary whose values hold the inner kind).
    Dict(Box<Self>, Box<Self>),
    /// A list, or a dictionary from destination to source.
    NamedSet(Box<Self>),
    /// Positions with kinds of their own.
    Tuple(Vec<Self>),
    /// The first alternative that fits.
    OneOf(Vec<Self>),
    /// Nothing is known: strings that have the form of a label are dependencies.
    Guess,
    /// Holds no label.
    Plain,
}

impl AttrKind {
    /// Whether a value of this kind can hold a label.
    pub fn holds_labels(&self) -> bool {
        match self {
            Self::Dep(_) | Self::Label | Self::Source | Self::Arg | Self::Query | Self::Guess => {
                true
            }
            Self::Each(inner) | Self::NamedSet(inner) => inner.holds_labels(),
            Self::Dict(key, value) => key.holds_labels() || value.holds_labels(),
            Self::Tuple(parts) | Self::OneOf(parts) => parts.iter().any(Self::holds_labels),
            Self::Plain => false,
        }
    }

    /// The compact form used in the built-in table, such as `list(one_of(dep,source))`.
    pub fn to_text(&self) -> String {
        let join = |parts: &[Self]| parts.iter().map(Self::to_text).collect::<Vec<_>>().join(",");
        match self {
            Self::Dep(DepRole::Target) => "dep".to_owned(),
            Self::Dep(DepRole::Exec) => "exec_dep".to_owned(),
            Self::Dep(DepRole::Toolchain) => "toolchain_dep".to_owned(),
            Self::Dep(DepRole::Configuration) => "configuration".to_owned(),
            Self::Label => "label".to_owned(),
            Self::Source => "source".to_owned(),
            Self::Arg => "arg".to_owned(),
            Self::Query => "query".to_owned(),
            Self::Each(inner) => format!("each({})", inner.to_text()),
            Self::Dict(key, value) => format!("dict({},{})", key.to_text(), value.to_text()),
            Self::NamedSet(inner) => format!("named({})", inner.to_text()),
            Self::Tuple(parts) => format!("tuple({})", join(parts)),
            Self::OneOf(parts) => format!("one_of({})", join(parts)),
            Self::Guess => "guess".to_owned(),
            Self::Plain => "plain".to_owned(),
        }
    }

    /// Reads [`AttrKind::to_text`]'s form.
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = Self::parse(text)?;
        rest.is_empty().then_some(kind)
    }

    fn parse(text: &str) -> Option<(Self, &str)> {
        let end = text.find(['(', ',', ')']).unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        let mut parts = Vec::new();
        if let Some(mut inner) = rest.strip_prefix('(') {
            loop {
                let (part, after) = Self::parse(inner)?;
                parts.push(part);
                match after.strip_prefix(',') {
                    Some(next) => inner = next,
                    None => {
                        rest = after.strip_prefix(')')?;
                        break;
                    }
                }
            }
        }
        let mut boxed = parts.iter().cloned().map(Box::new);
        let kind = match name {
            "dep" => Self::Dep(DepRole::Target),
            "exec_dep" => Self::Dep(DepRole::Exec),
            "toolchain_dep" => Self::Dep(DepRole::Toolchain),
            "configuration" => Self::Dep(DepRole::Configuration),
            "label" => Self::Label,
            "source" => Self::Source,
            "arg" => Self::Arg,
            "query" => Self::Query,
            "each" => Self::Each(boxed.next()?),
            "dict" => Self::Dict(boxed.next()?, boxed.next()?),
            "named" => Self::NamedSet(boxed.next()?),
            "tuple" => Self::Tuple(parts),
            "one_of" => Self::OneOf(parts),
            "guess" => Self::Guess,
            "plain" => Self::Plain,
            _ => return None,
        };
        Some((kind, rest))
    }
}

/// The attributes of one rule that can hold labels; every other attribute is plain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleSchema {
    attributes: FxHashMap<Box<str>, AttrKind>,
    /// Attributes that are not declared may hold labels all the same.
    guesses: bool,
    /// Dictionaries of sources run from source to destination, as fbcode's macros have it.
    source_keys: Option<bool>,
    /// Modules that a target provides beyond its sources; `{base}` stands for its base module.
    provides: Vec<Box<str>>,
    /// What attributes that hold labels are when a call leaves them out.
    defaults: Vec<(Box<str>, Value)>,
    is_toolchain: bool,
    /// Files that a target makes beside those of its `out` and `outs`; `%{name}` stands for its name.
    outputs: Vec<Box<str>>,
    starts: bool,
}

impl RuleSchema {
    /// A schema of the attributes given.
    pub fn new(attributes: impl IntoIterator<Item = (Box<str>, AttrKind)>) -> Self {
        Self {
            attributes: attributes.into_iter().filter(|(_, kind)| kind.holds_labels()).collect(),
            guesses: false,
            source_keys: None,
            provides: Vec::new(),
            defaults: Vec::new(),
            is_toolchain: false,
            outputs: Vec::new(),
            starts: false,
        }
    }

    /// The same, declared as a toolchain or not.
    #[must_use]
    pub fn toolchain(mut self, is_toolchain: bool) -> Self {
        self.is_toolchain = is_toolchain;
        self
    }

    /// The same for a rule that makes files of these names.
    #[must_use]
    pub fn with_outputs(mut self, outputs: Vec<Box<str>>) -> Self {
        self.outputs = outputs;
        self
    }

    /// Names of the files that a target makes; `%{name}` stands for its own.
    pub fn outputs(&self) -> &[Box<str>] {
        &self.outputs
    }

    /// The same, declared as a rule of programs or tests, or not.
    #[must_use]
    pub fn starting(mut self, starts: bool) -> Self {
        self.starts = starts;
        self
    }

    /// Whether the rule was declared as one of programs or tests.
    pub fn starts(&self) -> bool {
        self.starts
    }

    /// Whether the rule was declared with `is_toolchain_rule = True`.
    pub fn is_toolchain(&self) -> bool {
        self.is_toolchain
    }

    /// The same with what attributes are when a call leaves them out.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Vec<(Box<str>, Value)>) -> Self {
        self.defaults = defaults;
        self
    }

    /// What attributes that hold labels are when a call leaves them out.
    pub fn defaults(&self) -> &[(Box<str>, Value)] {
        &self.defaults
    }

    /// The same for a rule whose targets provide more modules than their sources show.
    #[must_use]
    pub fn providing(mut self, modules: &[String]) -> Self {
        self.provides = modules.iter().map(|module| module.as_str().into()).collect();
        self
    }

    /// Templates of modules that a target provides beyond its sources.
    pub fn provides(&self) -> &[Box<str>] {
        &self.provides
    }

    /// The same for a rule whose other attributes are not known.
    #[must_use]
    pub fn guessing(mut self) -> Self {
        self.guesses = true;
        self
    }

    /// The same with the direction of source dictionaries fixed: `true` if their keys are the sources.
    #[must_use]
    pub fn with_source_keys(mut self, source_keys: Option<bool>) -> Self {
        self.source_keys = source_keys;
        self
    }

    /// Whether the keys of source dictionaries are the sources; `None` if the entries must tell.
    pub fn source_keys(&self) -> Option<bool> {
        self.source_keys
    }

    /// The kind of an attribute; those that every rule has are included.
    pub fn kind(&self, attribute: &str) -> &AttrKind {
        let fallback = || match common(attribute) {
            AttrKind::Arg if self.guesses => guess(attribute),
            kind => kind,
        };
        self.attributes.get(attribute).unwrap_or_else(fallback)
    }

    /// Attributes and kinds, sorted by name.
    pub fn sorted(&self) -> Vec<(&str, &AttrKind)> {
        let mut all: Vec<_> = self.attributes.iter().map(|(name, kind)| (&**name, kind)).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }
}

/// Attributes that Buck2 adds to every rule (`buck2_node/src/attrs/spec/internal.rs`).
fn common(attribute: &str) -> &'static AttrKind {
    use std::sync::LazyLock;
    static CONFIGURATION: LazyLock<AttrKind> =
        LazyLock::new(|| AttrKind::Each(Box::new(AttrKind::Dep(DepRole::Configuration))));
    // Whatever else a rule takes: only macros in its strings can name targets.
    static STRINGS: AttrKind = AttrKind::Arg;
    static LABELS: LazyLock<AttrKind> = LazyLock::new(|| AttrKind::Each(Box::new(AttrKind::Label)));
    match attribute {
        "target_compatible_with"
        | "compatible_with"
        | "exec_compatible_with"
        | "default_target_platform" => &CONFIGURATION,
        "tests" => &LABELS,
        _ => &STRINGS,
    }
}

/// Attributes of unknown macros: none of these holds a dependency, whatever its text looks like.
fn guess(attribute: &str) -> &'static AttrKind {
    match attribute {
        "visibility" | "within_view" | "labels" | "tags" | "contacts" | "metadata" | "name"
        | "licenses" | "oncall" | "base_module" | "main_module" | "main_function" => {
            &AttrKind::Plain
        }
        _ => &AttrKind::Guess,
    }
}

/// The rules of Buck2's prelude, for repositories that do not have it on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleTable {
    rules: FxHashMap<Box<str>, Arc<RuleSchema>>,
}

const TABLE: &str = include_str!("data/rules.txt");

/// The table shipped with the program, parsed once.
pub(super) fn built_in() -> &'static RuleTable {
    static PARSED: std::sync::LazyLock<RuleTable> = std::sync::LazyLock::new(RuleTable::built_in);
    &PARSED
}

impl RuleTable {
    /// The table shipped with the program: one `rule attribute=kind …` a line, made from the prelude's own declarations.
    fn built_in() -> Self {
        Self::of_text(TABLE)
    }

    /// A table in that form.
    pub(super) fn of_text(text: &str) -> Self {
        Self { rules: text.lines().filter_map(parse_line).collect() }
    }

    /// The schema of a rule.
    pub fn get(&self, rule: &str) -> Option<&Arc<RuleSchema>> {
        self.rules.get(rule)
    }

    /// Adds rules, or replaces those of the same name.
    pub fn extend(&mut self, rules: impl IntoIterator<Item = (String, Arc<RuleSchema>)>) {
        self.rules.extend(rules.into_iter().map(|(name, schema)| (name.into(), schema)));
    }

    /// All rule names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rules.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }
}

fn parse_line(line: &str) -> Option<(Box<str>, Arc<RuleSchema>)> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let name = words.next()?;
    let attributes = words.filter_map(|word| {
        let (attribute, kind) = word.split_once('=')?;
        Some((attribute.into(), AttrKind::from_text(kind)?))
    });
    Some((name.into(), Arc::new(RuleSchema::new(attributes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_text_form() {
        for text in ["each(dep)", "named(one_of(dep,source))", "each(tuple(plain,each(dep)))"] {
            assert_eq!(AttrKind::from_text(text).unwrap().to_text(), text);
        }
        assert_eq!(AttrKind::from_text("each(dep"), None);
        assert_eq!(AttrKind::from_text("nonsense"), None);
    }

    #[test]
    fn every_line_of_the_table_parses_whole() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let words = line.split(' ').skip(1).count();
            let (name, schema) = parse_line(line).unwrap();
            assert_eq!(schema.sorted().len(), words, "{name}");
        }
        let table = RuleTable::built_in();
        assert_eq!(table.get("python_library").unwrap().kind("deps").to_text(), "each(dep)");
    }
}
