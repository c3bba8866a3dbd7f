//! Callable rules, and the `attrs` that describe them. Touches only the recorder.
#![expect(
    unsafe_code,
    reason = "starlark's value traits are unsafe markers; the derives write them"
)]

use super::bounds::to_value;
use super::recorder::{Recorder, kwargs_of};
use super::schema::{AttrKind, DepRole, RuleSchema};
use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A rule. Calling it records a target.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct Rule {
    #[allocative(skip)]
    name: Arc<OnceLock<String>>,
    #[allocative(skip)]
    schema: Arc<RuleSchema>,
}

starlark::starlark_simple_value!(Rule);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}()", self.name.get().map_or("anon", String::as_str))
    }
}

impl Rule {
    /// A rule whose name is known already.
    pub(super) fn named(name: &str, schema: Arc<RuleSchema>) -> Self {
        let cell = OnceLock::new();
        let _ = cell.set(name.to_owned());
        Self { name: Arc::new(cell), schema }
    }

    /// A rule as a file declares it; its name is that of the variable it is assigned to.
    pub(super) fn declared(
        attributes: Option<&DictRef<'_>>,
        finish: impl FnOnce(RuleSchema) -> RuleSchema,
    ) -> Self {
        let mut kinds = Vec::new();
        let mut defaults = Vec::new();
        for (name, declaration) in attributes.iter().flat_map(|attributes| attributes.iter()) {
            let (Some(name), Some(declared)) =
                (name.unpack_str(), AttrDecl::from_value(declaration))
            else {
                continue;
            };
            kinds.push((name.into(), declared.kind.clone()));
            // Attributes that begin with `_` hold toolchains and tools of the rule itself.
            if let Some(default) = declared.default.as_ref().filter(|_| !name.starts_with('_')) {
                defaults.push((name.into(), super::value::Value::clone(default)));
            }
        }
        let schema = finish(RuleSchema::new(kinds).with_defaults(defaults));
        Self { name: Arc::new(OnceLock::new()), schema: Arc::new(schema) }
    }

    /// The schema, for whoever wants to list it.
    pub(super) fn schema(&self) -> &Arc<RuleSchema> {
        &self.schema
    }
}

#[starlark_value(type = "Rule")]
impl<'v> StarlarkValue<'v> for Rule {
    fn export_as(
        &self,
        variable_name: &str,
        _eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<()> {
        let _ = self.name.set(variable_name.to_owned());
        Ok(())
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        args.no_positional_args(eval.heap())?;
        if let Some(recorder) = Recorder::of(eval) {
            let name = self.name.get().map_or("anonymous rule", String::as_str);
            recorder.record(name, true, &self.schema, kwargs_of(args)?, eval)?;
        }
        Ok(Value::new_none())
    }
}

/// An attribute declaration: the result of `attrs.dep()` and its siblings.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct AttrDecl {
    #[allocative(skip)]
    kind: AttrKind,
    #[allocative(skip)]
    default: Option<Arc<super::value::Value>>,
    is_list: bool,
}

starlark::starlark_simple_value!(AttrDecl);

impl fmt::Display for AttrDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attrs.{}", self.kind.to_text())
    }
}

impl AttrDecl {
    /// What the attribute is when a call leaves it out.
    pub(super) fn default(&self) -> Option<&super::value::Value> {
        self.default.as_deref()
    }

    /// Whether the attribute is a list, which is empty when nothing else is said.
    pub(super) fn is_list(&self) -> bool {
        self.is_list
    }
}

#[starlark_value(type = "Attr")]
#[expect(clippy::elidable_lifetime_names, reason = "the attribute above wants it by name")]
impl<'v> StarlarkValue<'v> for AttrDecl {}

/// `attrs`, and Bazel's `attr`: every member is a constructor of attribute declarations.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct AttrsModule {
    name: &'static str,
    /// What the names of its constructors begin with, which tells them apart.
    prefix: &'static str,
}

starlark::starlark_simple_value!(AttrsModule);

impl fmt::Display for AttrsModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl AttrsModule {
    /// Buck2's.
    pub(super) const BUCK: Self = Self { name: "attrs", prefix: "" };
    /// Bazel's.
    pub(super) const BAZEL: Self = Self { name: "attr", prefix: "attr." };
}

#[starlark_value(type = "attrs")]
impl<'v> StarlarkValue<'v> for AttrsModule {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        Some(heap.alloc(AttrConstructor { name: format!("{}{attribute}", self.prefix) }))
    }
}

/// `attrs.list` and its siblings, before they are called.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct AttrConstructor {
    name: String,
}

starlark::starlark_simple_value!(AttrConstructor);

impl fmt::Display for AttrConstructor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attrs.{}", self.name)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for AttrConstructor {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        // `attrs.metadata.…`
        Some(heap.alloc(Self { name: format!("{}.{attribute}", self.name) }))
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let mut inner = Vec::new();
        let mut default = None;
        for value in args.positions(eval.heap())? {
            collect_kinds(value, &mut inner);
        }
        for (name, value) in args.names_map()? {
            match name.as_str() {
                "default" if !value.is_none() => default = Some(value),
                "default" | "doc" => {}
                _ => collect_kinds(value, &mut inner),
            }
        }
        let kind = kind_of(&self.name, inner);
        let is_list = self.name.starts_with("attr.") && self.name.ends_with("_list");
        // A macro of Bazel's passes every default on.
        let is_wanted = kind.holds_labels() || self.name.starts_with("attr.");
        let default = default.filter(|_| is_wanted).map(to_value).transpose()?;
        let default = default.map(Arc::new);
        Ok(eval.heap().alloc(AttrDecl { kind, default, is_list }))
    }
}

fn collect_kinds(value: Value<'_>, kinds: &mut Vec<AttrKind>) {
    if let Some(declaration) = AttrDecl::from_value(value) {
        kinds.push(declaration.kind.clone());
    } else if let Some(list) = ListRef::from_value(value) {
        list.iter().for_each(|item| collect_kinds(item, kinds));
    }
}

/// The kind a constructor of Buck2's `attrs` gives (`attrs_global.rs`).
fn kind_of(constructor: &str, inner: Vec<AttrKind>) -> AttrKind {
    let mut parts = inner.clone().into_iter();
    let mut next = || Box::new(parts.next().unwrap_or(AttrKind::Plain));
    match constructor {
        "dep" => AttrKind::Dep(DepRole::Target),
        "exec_dep" => AttrKind::Dep(DepRole::Exec),
        "toolchain_dep" | "plugin_dep" => AttrKind::Dep(DepRole::Toolchain),
        "configured_dep" | "transition_dep" | "split_transition_dep" => {
            AttrKind::Dep(DepRole::Target)
        }
        "configuration_label" => AttrKind::Dep(DepRole::Configuration),
        "label" => AttrKind::Label,
        "source" => AttrKind::Source,
        "arg" => AttrKind::Arg,
        "query" => AttrKind::Query,
        "list" | "set" | "option" => AttrKind::Each(next()),
        "named_set" => AttrKind::NamedSet(next()),
        // `versioned` is a list of (versions, value).
        "versioned" => AttrKind::Each(Box::new(AttrKind::Tuple(vec![AttrKind::Plain, *next()]))),
        "dict" => AttrKind::Dict(next(), next()),
        // Bazel's.
        "attr.label" | "attr.label_list" => AttrKind::Each(Box::new(AttrKind::Source)),
        "attr.label_keyed_string_dict" => {
            AttrKind::Dict(Box::new(AttrKind::Source), Box::new(AttrKind::Plain))
        }
        "attr.string_keyed_label_dict" => {
            AttrKind::Dict(Box::new(AttrKind::Plain), Box::new(AttrKind::Source))
        }
        "tuple" => AttrKind::Tuple(inner),
        "one_of" => AttrKind::OneOf(inner),
        // Attributes that cannot be set hold nothing that anybody wrote.
        _ => AttrKind::Plain,
    }
}

/// `f(_kind, **kwargs)`: calls its first argument with the rest, as fbcode's `fbcode_target` does.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct CallKind;

starlark::starlark_simple_value!(CallKind);

impl fmt::Display for CallKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("call_kind")
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for CallKind {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let named = args.names_map()?;
        let mut positional: Vec<Value<'v>> = args.positions(eval.heap())?.collect();
        let kind = named.iter().find(|(name, _)| name.as_str() == "_kind").map(|(_, kind)| *kind);
        let kind = match kind {
            Some(kind) => kind,
            None if positional.is_empty() => return Ok(Value::new_none()),
            None => positional.remove(0),
        };
        let rest: Vec<(&str, Value<'v>)> = named
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .filter(|(name, _)| *name != "_kind")
            .collect();
        eval.eval_function(kind, &positional, &rest)
    }
}

/// A function that gives the same answer whatever it is asked.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct Constant(pub(super) bool);

starlark::starlark_simple_value!(Constant);

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "constant({})", self.0)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Constant {
    fn invoke(
        &self,
        _me: Value<'v>,
        _args: &Arguments<'v, '_>,
        _eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        Ok(Value::new_bool(self.0))
    }
}

/// Adds `rule` and `attrs`.
#[starlark::starlark_module]
pub(super) fn register(builder: &mut GlobalsBuilder) {
    fn rule<'v>(#[starlark(kwargs)] kwargs: DictRef<'v>) -> anyhow::Result<Rule> {
        let attributes = kwargs.get_str("attrs").and_then(DictRef::from_value);
        let flag = kwargs.get_str("is_toolchain_rule").and_then(Value::unpack_bool);
        Ok(Rule::declared(attributes.as_ref(), |schema| schema.toolchain(flag == Some(true))))
    }
}
