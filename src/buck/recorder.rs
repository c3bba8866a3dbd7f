//! What an evaluation leaves behind: the targets that rule calls define. Lives in the evaluator's `extra`.
#![expect(
    unsafe_code,
    reason = "starlark's value traits are unsafe markers; the derives write them"
)]

use super::bounds::{MAX_TARGETS, exceeded, to_value};
use super::pieces::Origin;
use super::schema::RuleSchema;
use super::session::Session;
use super::value::{Text, Value};
use crate::label::PackageId;
use rustc_hash::FxHashMap;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::{StringValue, Value as StarValue};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
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

/// A call that went wrong without failing.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) message: String,
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
    /// The names of the targets, and whether a known rule defines one.
    names: RefCell<FxHashMap<Box<str>, bool>>,
    /// Calls that define no target, though they should.
    pub(super) notes: RefCell<Vec<Note>>,
    /// Patterns that `glob` was called with.
    pub(super) globs: RefCell<BTreeSet<String>>,
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
            names: RefCell::default(),
            notes: RefCell::default(),
            globs: RefCell::default(),
            oncall: RefCell::default(),
            written: RefCell::default(),
            visibility: RefCell::default(),
        }
    }

    /// The recorder of a running evaluation.
    pub(super) fn of<'x>(eval: &Evaluator<'_, 'x, 'a>) -> Option<&'x Self> {
        eval.extra?.downcast_ref::<Self>()
    }

    /// The files of the package that patterns find.
    pub(super) fn glob(
        &self,
        include: Vec<String>,
        exclude: &[String],
    ) -> anyhow::Result<Vec<String>> {
        let scope = self
            .package
            .ok_or_else(|| anyhow::anyhow!("glob() only works while a build file is evaluated"))?;
        let files = self.session.glob(scope.dir, &include, exclude)?;
        self.globs.borrow_mut().extend(include);
        Ok(files)
    }

    /// Takes the patterns that hold for targets without a visibility of their own.
    pub(super) fn set_visibility(&self, visibility: StarValue<'_>) -> starlark::Result<()> {
        let mut patterns = Vec::new();
        to_value(visibility)?.for_each_text(&mut |text| patterns.push(text.text.clone()));
        *self.visibility.borrow_mut() = patterns;
        Ok(())
    }

    /// Records a rule call. Outside of a package (at the top level of a `.bzl` file) there is nothing to record.
    pub(super) fn record(
        &self,
        kind: &str,
        known: bool,
        schema: &Arc<RuleSchema>,
        kwargs: Vec<(Box<str>, Value)>,
        eval: &Evaluator<'_, '_, '_>,
    ) -> starlark::Result<()> {
        if self.package.is_none() {
            return Ok(());
        }
        let name = kwargs.iter().find_map(|(key, value)| match value {
            Value::Str(text) if &**key == "name" => Some(text.clone()),
            _ => None,
        });
        let frames = frames(eval);
        let name = match self.check_name(name, known) {
            Ok(Some(name)) => name,
            Ok(None) => return Ok(()),
            Err(reason) => {
                self.notes.borrow_mut().push(Note { message: format!("{kind}: {reason}"), frames });
                return Ok(());
            }
        };
        if self.targets.borrow().len() >= MAX_TARGETS {
            return Err(exceeded(format!("more than {MAX_TARGETS} targets are over the limit")));
        }
        let attrs = kwargs
            .into_iter()
            .filter(|(key, value)| &**key != "name" && *value != Value::None)
            .collect();
        *self.names.borrow_mut().entry(name.text.clone()).or_default() |= known;
        self.targets.borrow_mut().push(RawTarget {
            name,
            kind: kind.into(),
            known,
            schema: Arc::clone(schema),
            attrs,
            frames,
        });
        Ok(())
    }

    /// The name if a target can have it. Macros that could not be read may need none, and may say it again.
    fn check_name(&self, name: Option<Text>, known: bool) -> Result<Option<Text>, String> {
        let Some(name) = name else {
            return if known { Err("`name` is no string".to_owned()) } else { Ok(None) };
        };
        let text = &*name.text;
        let is_odd = |c: char| c == ':' || c.is_whitespace() || c.is_control();
        if text.is_empty() || text == "..." || text.contains(is_odd) {
            return Err(format!("no target can have the name {text:?}"));
        }
        if known && self.names.borrow().get(text) == Some(&true) {
            return Err(format!("the name `{text}` is taken"));
        }
        Ok(Some(name))
    }

    /// Records a call of something unknown, if it names a target. Its labels are found by their form.
    pub(super) fn record_unknown(
        &self,
        callee: &str,
        kwargs: Vec<(Box<str>, Value)>,
        eval: &Evaluator<'_, '_, '_>,
    ) -> starlark::Result<()> {
        let (kind, known, schema) = self.session.schema_of_unknown(callee);
        self.record(&kind, known, &schema, kwargs, eval)
    }

    /// Whether a target of this name was recorded so far.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.borrow().contains_key(name)
    }
}

fn frames(eval: &Evaluator<'_, '_, '_>) -> Vec<Frame> {
    let located = |frame: starlark::errors::Frame| {
        let location = frame.location?;
        let Origin { path, offset, .. } = Origin::of(location.filename());
        Some(Frame {
            file: path.to_owned(),
            start: location.span.begin().get() + offset,
            end: location.span.end().get() + offset,
        })
    };
    eval.call_stack().frames.into_iter().filter_map(located).collect()
}

/// The keyword arguments of a call, in order, as Rust data.
pub(super) fn kwargs_of(args: &Arguments<'_, '_>) -> starlark::Result<Vec<(Box<str>, Value)>> {
    let named = args.names_map()?;
    let copy = |(name, value): (StringValue<'_>, _)| Ok((name.as_str().into(), to_value(value)?));
    named.into_iter().map(copy).collect()
}
