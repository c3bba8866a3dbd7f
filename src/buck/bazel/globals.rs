//! The functions that Bazel gives to `BUILD` and `.bzl` files. Touches only the recorder and session.
//!
//! After the build encyclopedia and the API reference at bazel.build. What only means something when targets are analysed,
//! or when repositories are fetched, is a placeholder.

use super::values::LabelValue;
use crate::buck::bounds::to_value;
use crate::buck::globals::{self, recorder, texts, to_starlark};
use crate::buck::marks;
use crate::buck::pieces::Origin;
use crate::buck::rule::{AttrDecl, AttrsModule, Rule};
use crate::buck::schema::RuleTable;
use crate::buck::select::Selector;
use crate::buck::unknown::Unknown;
use crate::source::ProjectPath;
use starlark::environment::{FrozenModule, GlobalsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::AllocList;
use starlark::values::list_or_tuple::UnpackListOrTuple;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::tuple::UnpackTuple;
use starlark::values::{OwnedFrozenValue, Value};

/// Names that never define a target: of the analysis, of repositories, and what changes nothing that is asked here.
const INERT: &[&str] = &[
    "AnalysisTestResultInfo",
    "CcInfo",
    "CcToolchainConfigInfo",
    "DebugPackageInfo",
    "ExecutionInfo",
    "InstrumentedFilesInfo",
    "JavaInfo",
    "OutputGroupInfo",
    "PackageSpecificationInfo",
    "ProtoInfo",
    "PyInfo",
    "PyRuntimeInfo",
    "RunEnvironmentInfo",
    "ToolchainInfo",
    "analysis_test_transition",
    "apple_common",
    "aspect",
    "bind",
    "cc_common",
    "config",
    "config_common",
    "configuration_field",
    "coverage_common",
    "deprecated",
    "distribs",
    "environment_group",
    "exec_group",
    "exec_transition",
    "exports_files",
    "java_common",
    "licenses",
    "local_repository",
    "module_extension",
    "platform_common",
    "proto",
    "proto_common",
    "proto_common_do_not_use",
    "py_internal",
    "register_execution_platforms",
    "register_toolchains",
    "repository_rule",
    "subrule",
    "tag_class",
    "testing",
    "visibility",
    "workspace",
];

/// Rules that Bazel itself knows; files see those of rule sets only when they load them, or as `native.…`.
pub(in crate::buck) fn rules() -> &'static RuleTable {
    static TABLE: std::sync::LazyLock<RuleTable> =
        std::sync::LazyLock::new(|| RuleTable::of_text(include_str!("../data/bazel_rules.txt")));
    &TABLE
}

/// What is written in Starlark itself, evaluated once.
pub(in crate::buck) struct Shared {
    module: FrozenModule,
}

impl Shared {
    /// Evaluates the source; `empty` stands in if it fails, which a test rules out.
    pub(in crate::buck) fn new(empty: &FrozenModule) -> Self {
        Self { module: evaluate().unwrap_or_else(|_| empty.clone()) }
    }

    /// A value by its name.
    pub(in crate::buck) fn get(&self, name: &str) -> Option<OwnedFrozenValue> {
        self.module.get_option(name).ok().flatten()
    }
}

fn evaluate() -> starlark::Result<FrozenModule> {
    let source = include_str!("../data/bazel.bzl").to_owned();
    let ast = AstModule::parse("bazel.bzl", source, &Dialect::Extended)?;
    let globals = globals::base().with(register).build();
    Module::with_temp_heap(|module| {
        Evaluator::new(&module).eval_module(ast, &globals)?;
        module.freeze().map_err(starlark::Error::from)
    })
}

/// Everything that files see besides rules.
pub(in crate::buck) fn base(shared: &Shared) -> GlobalsBuilder {
    let mut builder = globals::base().with(register);
    builder.frozen_heap().add_reference(shared.module.frozen_heap());
    for name in ["depset", "macro", "provider"] {
        let value = shared.get(name);
        if let Some(value) = value.as_ref().and_then(|value| value.value().unpack_frozen()) {
            builder.set(name, value);
        }
    }
    builder
}

fn register(builder: &mut GlobalsBuilder) {
    for name in INERT {
        builder.set(name, Unknown::inert(name));
    }
    builder.set("attr", AttrsModule::BAZEL);
    functions(builder);
}

#[starlark::starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
    fn glob<'v>(
        #[starlark(default = UnpackListOrTuple::default())] include: UnpackListOrTuple<Value<'v>>,
        #[starlark(default = UnpackListOrTuple::default())] exclude: UnpackListOrTuple<Value<'v>>,
        #[starlark(require = named)] exclude_directories: Option<Value<'v>>,
        #[starlark(require = named)] allow_empty: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<Value<'v>> {
        let _ = (exclude_directories, allow_empty);
        let files = recorder(eval)?.glob(texts(&include), &texts(&exclude))?;
        Ok(eval.heap().alloc(AllocList(files)))
    }

    fn subpackages<'v>(
        #[starlark(require = named)] include: UnpackListOrTuple<Value<'v>>,
        #[starlark(require = named, default = UnpackListOrTuple::default())]
        exclude: UnpackListOrTuple<Value<'v>>,
        #[starlark(require = named)] allow_empty: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<Value<'v>> {
        let _ = allow_empty;
        let recorder = recorder(eval)?;
        let scope = recorder.package.ok_or_else(|| anyhow::anyhow!("no package here"))?;
        let patterns = |texts: Vec<String>| -> Vec<glob::Pattern> {
            texts.iter().filter_map(|text| glob::Pattern::new(text).ok()).collect()
        };
        let (include, exclude) = (patterns(texts(&include)), patterns(texts(&exclude)));
        let options =
            glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        let any = |patterns: &[glob::Pattern], path: &str| {
            patterns.iter().any(|pattern| pattern.matches_with(path, options))
        };
        let below = recorder.session.disk.tree.sub_packages(scope.dir);
        let found = below.filter(|path| any(&include, path) && !any(&exclude, path));
        Ok(eval.heap().alloc(AllocList(found)))
    }

    fn package<'v>(
        #[starlark(kwargs)] kwargs: DictRef<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        if let Some(visibility) = kwargs.get_str("default_visibility") {
            recorder(eval)?.set_visibility(visibility)?;
        }
        Ok(NoneType)
    }

    fn repository_name() -> anyhow::Result<&'static str> {
        Ok("@")
    }

    fn repo_name() -> anyhow::Result<&'static str> {
        Ok("")
    }

    fn module_name<'v>(eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<NoneOr<String>> {
        let cell = recorder(eval)?.session.cells.root();
        let name = cell.aliases().map(|(alias, _)| alias.to_owned()).next();
        Ok(name.map_or(NoneOr::None, NoneOr::Other))
    }

    fn module_version() -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn Label<'v>(
        #[starlark(require = pos)] label: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<LabelValue> {
        // Relative to the file that holds the call, whoever runs it.
        let file = eval.call_stack_top_location();
        let file = file.as_ref().map_or("", |location| Origin::of(location.filename()).path);
        let dir = ProjectPath::new(file).parent().unwrap_or_else(ProjectPath::root);
        label_in(&dir, label, eval)
    }

    fn package_relative_label<'v>(
        #[starlark(require = pos)] label: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<LabelValue> {
        let dir = recorder(eval)?.package.map(|scope| scope.dir.clone());
        label_in(&dir.unwrap_or_else(ProjectPath::root), label, eval)
    }

    fn existing_rule<'v>(
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<Value<'v>> {
        let name = marks::strip(name);
        let mut rules = recorded(eval)?.into_iter();
        Ok(rules.find(|(rule, _)| *rule == *name).map_or_else(Value::new_none, |(_, rule)| rule))
    }

    fn existing_rules<'v>(eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<Value<'v>> {
        let rules = recorded(eval)?;
        Ok(eval.heap().alloc(AllocDict(rules)))
    }

    fn select<'v>(
        #[starlark(require = pos)] branches: Value<'v>,
        #[starlark(require = named)] no_match_error: Option<Value<'v>>,
    ) -> anyhow::Result<Selector<'v>> {
        let _ = no_match_error;
        Ok(Selector::branches(branches))
    }

    fn rule<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] kwargs: DictRef<'v>,
    ) -> starlark::Result<Rule> {
        let _ = args;
        let attributes = kwargs.get_str("attrs").and_then(DictRef::from_value);
        let outputs = kwargs.get_str("outputs").map(to_value).transpose()?;
        let mut templates = Vec::new();
        if let Some(crate::buck::Value::Dict(entries)) = outputs {
            let values = entries.iter().filter_map(|(_, value)| value.as_str());
            templates.extend(values.map(Box::from));
        }
        let flag = |name| kwargs.get_str(name).and_then(Value::unpack_bool) == Some(true);
        let starts = flag("test") || flag("executable");
        Ok(Rule::declared(attributes.as_ref(), |schema| {
            schema.with_outputs(templates).starting(starts)
        }))
    }

    fn default_of<'v>(
        #[starlark(require = pos)] attribute: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<Value<'v>> {
        let declared = AttrDecl::from_value(attribute);
        Ok(declared.map_or_else(Value::new_none, |declared| match declared.default() {
            Some(value) => to_starlark(value, eval.heap()),
            None if declared.is_list() => eval.heap().alloc(AllocList::EMPTY),
            None => Value::new_none(),
        }))
    }
}

/// The label that a value is, or that its text means in a directory.
fn label_in(
    dir: &ProjectPath,
    label: Value<'_>,
    eval: &Evaluator<'_, '_, '_>,
) -> anyhow::Result<LabelValue> {
    if let Some(label) = LabelValue::from_value(label) {
        return Ok(label.clone());
    }
    let text = marks::strip(label.unpack_str().unwrap_or_default()).into_owned();
    let session = recorder(eval)?.session;
    let package = session.disk.tree.package_of(dir).map(|package| package.id.clone());
    let package = package.unwrap_or_else(|| session.cells.package_of_dir(dir));
    let label = super::labels::parse_in_attribute(&text, &package, session.cells);
    Ok(LabelValue { text: label.map_or(text, |label| label.to_string()) })
}

/// The targets of the package so far, as dictionaries of their attributes.
fn recorded<'v>(eval: &Evaluator<'v, '_, '_>) -> anyhow::Result<Vec<(String, Value<'v>)>> {
    let heap = eval.heap();
    let targets = recorder(eval)?.targets.borrow();
    let as_dict = |target: &crate::buck::recorder::RawTarget| {
        let head = [("name", &*target.name.text), ("kind", &*target.kind)];
        let head = head.map(|(key, value)| (key.to_owned(), heap.alloc(value)));
        let attributes = target.attrs.iter();
        let attributes = attributes.map(|(key, value)| (key.to_string(), to_starlark(value, heap)));
        let entries: Vec<(String, Value<'v>)> = head.into_iter().chain(attributes).collect();
        (target.name.text.to_string(), heap.alloc(AllocDict(entries)))
    };
    Ok(targets.iter().map(as_dict).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_starlark_evaluates_and_does_what_its_names_say() {
        let shared = Shared { module: evaluate().unwrap() };
        let checks = r#"
def check(condition):
    if not condition:
        fail("wrong")

inner = depset(["b"])
check(depset(["a"], transitive = [inner]).to_list() == ["b", "a"])
Info = provider(fields = ["x"])
check(Info(x = 1).x == 1)
Made, _new = provider(init = lambda x: {"x": x})
check(attr.label_list() != None)
"#;
        let ast = AstModule::parse("t.bzl", checks.to_owned(), &Dialect::Extended).unwrap();
        let globals = base(&shared).build();
        Module::with_temp_heap(|module| {
            Evaluator::new(&module).eval_module(ast, &globals).map(|_| ())
        })
        .unwrap();
        for name in ["dicts", "collections", "selects", "types"] {
            assert!(shared.get(name).is_some(), "{name}");
        }
    }
}
