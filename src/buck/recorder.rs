//! What an evaluation leaves behind: the targets that rule calls define. Lives in the evaluator's `extra`.
#![expect(
    unsafe_code,
    reason = "starlark's value traits are unsafe markers; the derives write them"
)]

use super::marks;
use super::schema::RuleSchema;
use super::unknown::Unknown;
use super::value::{Text, Value};
use super::{select, session::Session};
use crate::label::PackageId;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{StringValue, Value as StarValue};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call on the way to a rule: the file and the bytes of the call expression in the text that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) file: String,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A target as a rule call gave it.
#[derive(Clone, Debug)]
pub(super) struct RawTarget {
    pub(super) name: Text,
    pub(super) kind: Box<str>,
    pub(super) known: bool,
    pub(super) schema: Arc<RuleSchema>,
    pub(super) attrs: Vec<(Box<str>, Value)>,
    /// Outermost first.
    pub(super) frames: Vec<Frame>,
}

/// Equal as Buck2 would see them, wherever they were written.
impl PartialEq for RawTarget {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && self.attrs == other.attrs
    }
}

/// Values that PACKAGE files write for the build files below them.
pub(super) type PackageValues = BTreeMap<String, Value>;

/// Where natives find out what is being evaluated, and put what they find.
#[derive(ProvidesStaticType)]
pub(super) struct Recorder<'a> {
    pub(super) session: &'a Session<'a>,
    /// The cell whose configuration `read_config` answers from: that of the build file that started the evaluation.
    pub(super) cell: Arc<str>,
    /// Unset while a `.bzl` file is loaded.
    pub(super) package: Option<PackageScope<'a>>,
    pub(super) targets: RefCell<Vec<RawTarget>>,
    pub(super) oncall: RefCell<Option<Box<str>>>,
    pub(super) written: RefCell<PackageValues>,
    pub(super) visibility: RefCell<Vec<Box<str>>>,
}

/// The package that a build or PACKAGE file is evaluated for.
#[derive(Clone, Copy)]
pub(super) struct PackageScope<'a> {
    pub(super) id: &'a PackageId,
    pub(super) dir: &'a crate::source::ProjectPath,
    pub(super) inherited: &'a PackageValues,
}

impl<'a> Recorder<'a> {
    /// A recorder without targets.
    pub(super) fn new(
        session: &'a Session<'a>,
        cell: Arc<str>,
        package: Option<PackageScope<'a>>,
    ) -> Self {
        Self {
            session,
            cell,
            package,
            targets: RefCell::default(),
            oncall: RefCell::default(),
            written: RefCell::default(),
            visibility: RefCell::default(),
        }
    }

    /// The recorder of a running evaluation.
    pub(super) fn of<'x>(eval: &Evaluator<'_, 'x, 'a>) -> Option<&'x Self> {
        eval.extra?.downcast_ref::<Self>()
    }

    /// Records a rule call. Outside of a package (at the top level of a `.bzl` file) there is nothing to record.
    pub(super) fn record(
        &self,
        kind: &str,
        known: bool,
        schema: &Arc<RuleSchema>,
        kwargs: Vec<(Box<str>, Value)>,
        eval: &Evaluator<'_, '_, '_>,
    ) {
        if self.package.is_none() {
            return;
        }
        let name = kwargs.iter().find_map(|(key, value)| match value {
            Value::Str(text) if &**key == "name" => Some(text.clone()),
            _ => None,
        });
        let Some(name) = name else { return };
        let attrs = kwargs
            .into_iter()
            .filter(|(key, value)| &**key != "name" && *value != Value::None)
            .collect();
        let frames = frames(eval);
        self.targets.borrow_mut().push(RawTarget {
            name,
            kind: kind.into(),
            known,
            schema: Arc::clone(schema),
            attrs,
            frames,
        });
    }

    /// Records a call of something unknown, if it names a target. Its labels are found by their form.
    pub(super) fn record_unknown(
        &self,
        callee: &str,
        kwargs: Vec<(Box<str>, Value)>,
        eval: &Evaluator<'_, '_, '_>,
    ) {
        let (kind, known, schema) = self.session.schema_of_unknown(callee);
        self.record(&kind, known, &schema, kwargs, eval);
    }

    /// Whether a target of this name was recorded so far.
    pub(super) fn has(&self, name: &str) -> bool {
        self.targets.borrow().iter().any(|target| &*target.name.text == name)
    }
}

fn frames(eval: &Evaluator<'_, '_, '_>) -> Vec<Frame> {
    let located = |frame: starlark::errors::Frame| {
        let location = frame.location?;
        Some(Frame {
            file: location.filename().to_owned(),
            start: location.span.begin().get(),
            end: location.span.end().get(),
        })
    };
    eval.call_stack().frames.into_iter().filter_map(located).collect()
}

/// The keyword arguments of a call, in order, as Rust data.
pub(super) fn kwargs_of(args: &Arguments<'_, '_>) -> starlark::Result<Vec<(Box<str>, Value)>> {
    let named = args.names_map()?;
    Ok(named
        .into_iter()
        .map(|(name, value): (StringValue<'_>, _)| (name.as_str().into(), to_value(value)))
        .collect())
}

/// Copies a value out of the evaluator's heap, marks decoded.
pub(super) fn to_value(value: StarValue<'_>) -> Value {
    if let Some(text) = value.unpack_str() {
        let (text, literal) = marks::split(text);
        return Value::Str(Text { text: text.into(), literal });
    }
    if value.is_none() {
        return Value::None;
    }
    if let Some(flag) = value.unpack_bool() {
        return Value::Bool(flag);
    }
    if let Some(number) = value.unpack_i32() {
        return Value::Int(i64::from(number));
    }
    if let Some(list) = ListRef::from_value(value) {
        return Value::List(list.iter().map(to_value).collect());
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return Value::List(tuple.iter().map(to_value).collect());
    }
    if let Some(dictionary) = DictRef::from_value(value) {
        return Value::Dict(
            dictionary.iter().map(|(key, value)| (to_value(key), to_value(value))).collect(),
        );
    }
    if let Some(selector) = select::Selector::from_value(value) {
        return from_selector(selector);
    }
    if let Some(unknown) = Unknown::from_value(value) {
        return Value::Unknown(unknown.name().into());
    }
    Value::Other(value.get_type().into())
}

fn from_selector(selector: &select::Selector<'_>) -> Value {
    match selector.parts() {
        select::Parts::Branches(branches) => Value::Select(
            select::entries(branches)
                .into_iter()
                .map(|(key, branch)| {
                    (marks::strip(key.unpack_str().unwrap_or("")).into(), to_value(branch))
                })
                .collect(),
        ),
        select::Parts::Sum(left, right) => {
            let mut parts = Vec::new();
            for side in [left, right] {
                match to_value(side) {
                    Value::Sum(inner) => parts.extend(inner),
                    part => parts.push(part),
                }
            }
            Value::Sum(parts)
        }
    }
}
