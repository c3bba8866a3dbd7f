//! The functions that Buck2 gives to build files, PACKAGE files and `.bzl` files. Touches only the recorder and session.
//!
//! Semantics and sources: `buck2_interpreter_for_build` in the Buck2 tree. Functions that only mean something when rules
//! are analysed are placeholders.

use super::bounds::{self, to_value};
use super::marks;
use super::recorder::Recorder;
use super::rule::AttrsModule;
use super::select::{self, Selector};
use super::unknown::Unknown;
use super::value::Value;
use rustc_hash::FxHashSet;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::Evaluator;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::list_or_tuple::UnpackListOrTuple;
use starlark::values::none::NoneType;
use starlark::values::structs::AllocStruct;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, Value as StarValue};
use std::sync::LazyLock;

const EXTENSIONS: &[LibraryExtension] = &[
    LibraryExtension::Debug,
    LibraryExtension::EnumType,
    LibraryExtension::Filter,
    LibraryExtension::Json,
    LibraryExtension::Map,
    LibraryExtension::Partial,
    LibraryExtension::Pprint,
    LibraryExtension::Pstr,
    LibraryExtension::Prepr,
    LibraryExtension::Print,
    LibraryExtension::RecordType,
    LibraryExtension::StructType,
    LibraryExtension::Typing,
    LibraryExtension::Internal,
    LibraryExtension::CallStack,
    LibraryExtension::SetType,
    LibraryExtension::NamespaceType,
    LibraryExtension::Breakpoint,
];

/// Names that rules use when they are analysed, which never happens here.
const ANALYSIS_NAMES: &[&str] = &[
    "AnalysisActions",
    "AnalysisContext",
    "AnonTarget",
    "BuckRegex",
    "DynamicValue",
    "ResolvedDynamicValue",
    "ResolvedStringWithMacros",
    "Artifact",
    "ArtifactTag",
    "ArtifactValue",
    "Attr",
    "BxlContext",
    "CellPath",
    "CellRoot",
    "CommandExecutorConfig",
    "ConfigurationInfo",
    "ConfigurationSettingInfo",
    "ConfiguredProvidersLabel",
    "ConfiguredTargetLabel",
    "ConstraintSettingInfo",
    "ConstraintValueInfo",
    "DefaultInfo",
    "Dependency",
    "ExecutionPlatformInfo",
    "ExecutionPlatformRegistrationInfo",
    "ExternalRunnerTestInfo",
    "InstallInfo",
    "InternalRunnerTestInfo",
    "Label",
    "LocalResourceInfo",
    "OutputArtifact",
    "PlatformInfo",
    "ProjectRoot",
    "Promise",
    "Provider",
    "ProviderCollection",
    "ProvidersLabel",
    "RequiredTestLocalResource",
    "RunInfo",
    "Select",
    "TargetLabel",
    "TemplatePlaceholderInfo",
    "TransitionInfo",
    "TransitiveSet",
    "TransitiveSetArgsProjection",
    "TransitiveSetArgsProjectionIterator",
    "TransitiveSetDefinition",
    "TransitiveSetIterator",
    "TransitiveSetJsonProjection",
    "ValidationInfo",
    "ValidationSpec",
    "WorkerInfo",
    "WorkerRunInfo",
    "WriteJsonCliArgs",
    "ActionErrorCtx",
    "ActionSubError",
    "ArgLike",
    "RunInfoArg",
    "anon_rule",
    "bxl",
    "cmd_args",
    "dynamic_actions",
    "dynattrs",
    "plugins",
    "provider",
    "provider_field",
    "read_oncall",
    "regex",
    "set_starlark_peak_allocated_byte_limit",
    "transition",
    "transitive_set",
    "get_parent_modifiers",
    "bxl_main",
    "cli_args",
    "actions",
];

/// Everything that `.bzl` files of the prelude see.
pub(super) fn base() -> GlobalsBuilder {
    /// Takes a while to make, and never changes.
    static EVERYTHING: LazyLock<Globals> =
        LazyLock::new(|| GlobalsBuilder::extended_by(EXTENSIONS).with(register).build());
    let mut builder = GlobalsBuilder::new();
    copy(&EVERYTHING, &mut builder);
    builder.namespace("__buck2_builtins__", |builder| copy(&EVERYTHING, builder));
    builder
}

/// Adds all that `from` defines.
pub(super) fn copy(from: &Globals, builder: &mut GlobalsBuilder) {
    builder.frozen_heap().add_reference(from.heap());
    for (name, value) in from.iter() {
        builder.set(name, value);
    }
}

fn register(builder: &mut GlobalsBuilder) {
    for name in ANALYSIS_NAMES {
        builder.set(name, Unknown::inert(name));
    }
    builder.set("attrs", AttrsModule::BUCK);
    builder.namespace("__internal__", internal_functions);
    bounds::register(builder);
    super::rule::register(builder);
    package_functions(builder);
    configuration_functions(builder);
    utility_functions(builder);
}

pub(super) fn recorder<'x, 'a>(eval: &Evaluator<'_, 'x, 'a>) -> anyhow::Result<&'x Recorder<'a>> {
    Recorder::of(eval).ok_or_else(|| anyhow::anyhow!("not in a build file"))
}

/// What Buck2 keeps for its own prelude (`functions/internals.rs`).
#[starlark::starlark_module]
fn internal_functions(builder: &mut GlobalsBuilder) {
    fn sub_packages<'v>(eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<StarValue<'v>> {
        let recorder = recorder(eval)?;
        let scope = recorder.package.ok_or_else(|| anyhow::anyhow!("no package here"))?;
        let below = recorder.session.disk.tree.sub_packages(scope.dir);
        Ok(eval.heap().alloc(AllocList(below)))
    }
}

/// Functions about the package that is evaluated.
#[starlark::starlark_module]
fn package_functions(builder: &mut GlobalsBuilder) {
    fn glob<'v>(
        #[starlark(require = pos)] include: UnpackListOrTuple<StarValue<'v>>,
        #[starlark(require = named, default = UnpackListOrTuple::default())]
        exclude: UnpackListOrTuple<StarValue<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        let files = recorder(eval)?.glob(texts(&include), &texts(&exclude))?;
        Ok(eval.heap().alloc(AllocList(files)))
    }

    fn package_name(eval: &mut Evaluator) -> anyhow::Result<String> {
        name_of_package(eval)
    }

    fn get_base_path(eval: &mut Evaluator) -> anyhow::Result<String> {
        name_of_package(eval)
    }

    fn get_cell_name(eval: &mut Evaluator) -> anyhow::Result<String> {
        Ok(recorder(eval)?.cell.to_string())
    }

    fn repository_name(eval: &mut Evaluator) -> anyhow::Result<String> {
        Ok(format!("@{}", recorder(eval)?.cell))
    }

    fn rule_exists(name: &str, eval: &mut Evaluator) -> anyhow::Result<bool> {
        Ok(recorder(eval)?.has(&marks::strip(name)))
    }

    fn oncall(
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator,
    ) -> anyhow::Result<NoneType> {
        *recorder(eval)?.oncall.borrow_mut() = Some(name.into());
        Ok(NoneType)
    }

    fn package<'v>(
        #[starlark(kwargs)] kwargs: DictRef<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        if let Some(visibility) = kwargs.get_str("visibility") {
            recorder(eval)?.set_visibility(visibility)?;
        }
        Ok(NoneType)
    }

    fn write_package_value<'v>(
        #[starlark(require = pos)] key: &str,
        #[starlark(require = pos)] value: StarValue<'v>,
        #[starlark(require = named, default = false)] overwrite: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = overwrite;
        recorder(eval)?.written.borrow_mut().insert(key.to_owned(), to_value(value)?);
        Ok(NoneType)
    }

    fn read_package_value<'v>(
        #[starlark(require = pos)] key: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        package_value(key, eval)
    }

    fn read_parent_package_value<'v>(
        #[starlark(require = pos)] key: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        package_value(key, eval)
    }

    fn implicit_package_symbol<'v>(
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] default: Option<StarValue<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        let recorder = recorder(eval)?;
        let found = recorder
            .package
            .and_then(|scope| recorder.session.package_symbol(&recorder.cell, scope.dir, name));
        Ok(match (found, default) {
            (Some(value), _) => eval.heap().access_owned_frozen_value(&value),
            (None, Some(default)) => default,
            (None, None) => StarValue::new_none(),
        })
    }

    fn load_symbols<'v>(
        #[starlark(require = pos)] symbols: DictRef<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<NoneType> {
        let entries: Vec<_> = symbols.iter().collect();
        for (name, value) in entries {
            let Some(name) = name.unpack_str() else { continue };
            value
                .export_as(name, eval)
                .map_err(|error| anyhow::anyhow!("{}", error.without_diagnostic()))?;
            eval.set_module_variable_at_some_point(name, value)
                .map_err(|error| anyhow::anyhow!("{}", error.without_diagnostic()))?;
        }
        Ok(NoneType)
    }

    fn set_modifiers<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn set_cfg_constructor<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn target_name_glob<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn enforce_visibility_intersection<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn test_config_unification_rollout<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }
}

/// Functions about cells, configuration and `select`.
#[starlark::starlark_module]
fn configuration_functions(builder: &mut GlobalsBuilder) {
    fn read_config<'v>(
        #[starlark(require = pos)] section: &str,
        #[starlark(require = pos)] key: &str,
        #[starlark(require = pos)] default: Option<StarValue<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        let recorder = recorder(eval)?;
        let found = recorder.session.config(&recorder.cell, section, key);
        Ok(found.map_or_else(
            || default.unwrap_or_else(StarValue::new_none),
            |value| eval.heap().alloc(value),
        ))
    }

    fn read_root_config<'v>(
        #[starlark(require = pos)] section: &str,
        #[starlark(require = pos)] key: &str,
        #[starlark(require = pos)] default: Option<StarValue<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        let found = recorder(eval)?.session.root_config(section, key);
        Ok(found.map_or_else(
            || default.unwrap_or_else(StarValue::new_none),
            |value| eval.heap().alloc(value),
        ))
    }

    fn select<'v>(
        #[starlark(require = pos)] branches: StarValue<'v>,
    ) -> anyhow::Result<Selector<'v>> {
        Ok(Selector::branches(branches))
    }

    fn select_map<'v>(
        #[starlark(require = pos)] value: StarValue<'v>,
        #[starlark(require = pos)] function: StarValue<'v>,
        #[starlark(require = named, default = false)] recurse: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StarValue<'v>> {
        select::map(value, function, recurse, eval)
    }

    fn select_test<'v>(
        #[starlark(require = pos)] value: StarValue<'v>,
        #[starlark(require = pos)] function: StarValue<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        select::test(value, function, eval)
    }

    fn select_fail<'v>(
        #[starlark(require = pos)] _message: StarValue<'v>,
    ) -> anyhow::Result<Unknown> {
        Ok(Unknown::inert("select_fail"))
    }

    fn select_incompatible<'v>(
        #[starlark(require = pos)] _message: StarValue<'v>,
    ) -> anyhow::Result<Unknown> {
        Ok(Unknown::inert("select_incompatible"))
    }

    fn host_info<'v>(eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<StarValue<'v>> {
        Ok(host(eval.heap()))
    }
}

/// Functions of strings and lists, and those that only talk to the user.
#[starlark::starlark_module]
fn utility_functions(builder: &mut GlobalsBuilder) {
    fn soft_error<'v>(
        #[starlark(args)] _args: UnpackTuple<StarValue<'v>>,
        #[starlark(kwargs)] _kwargs: DictRef<'v>,
    ) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn warning<'v>(#[starlark(require = pos)] _message: StarValue<'v>) -> anyhow::Result<NoneType> {
        Ok(NoneType)
    }

    fn regex_match(
        #[starlark(require = pos)] pattern: &str,
        #[starlark(require = pos)] text: &str,
    ) -> anyhow::Result<bool> {
        Ok(regex::Regex::new(pattern)?.is_match(&marks::strip(text)))
    }

    fn sha1(#[starlark(require = pos)] text: &str) -> anyhow::Result<String> {
        Ok(placeholder_digest(text, 40))
    }

    fn sha256(#[starlark(require = pos)] text: &str) -> anyhow::Result<String> {
        Ok(placeholder_digest(text, 64))
    }

    fn dedupe<'v>(
        #[starlark(require = pos)] list: StarValue<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<StarValue<'v>> {
        let (mut texts, mut others) = (FxHashSet::default(), FxHashSet::default());
        let items = ListRef::from_value(list).map_or(&[][..], |list| list.content());
        let is_new = |item: &&StarValue<'v>| match item.unpack_str() {
            Some(text) => texts.insert(text),
            None => others.insert(item.identity()),
        };
        let kept: Vec<StarValue<'v>> = items.iter().filter(is_new).copied().collect();
        Ok(eval.heap().alloc(AllocList(kept)))
    }
}

/// Build files use digests only to make names unique, so any stable text of the right length serves.
fn placeholder_digest(text: &str, length: usize) -> String {
    blake3::hash(marks::strip(text).as_bytes()).to_hex()[..length].to_owned()
}

fn name_of_package(eval: &Evaluator<'_, '_, '_>) -> anyhow::Result<String> {
    let scope = recorder(eval)?.package;
    let scope = scope.ok_or_else(|| {
        anyhow::anyhow!("package_name() only works while a build file is evaluated")
    })?;
    Ok(scope.id.path.to_string())
}

fn package_value<'v>(key: &str, eval: &Evaluator<'v, '_, '_>) -> anyhow::Result<StarValue<'v>> {
    let scope = recorder(eval)?.package;
    let value = scope.and_then(|scope| scope.inherited.get(key));
    Ok(value.map_or_else(StarValue::new_none, |value| to_starlark(value, eval.heap())))
}

pub(super) fn to_starlark<'v>(value: &Value, heap: Heap<'v>) -> StarValue<'v> {
    match value {
        Value::Bool(flag) => StarValue::new_bool(*flag),
        Value::Int(number) => heap.alloc(*number),
        Value::Str(text) => heap.alloc(&*text.text),
        Value::List(items) => {
            heap.alloc(AllocList(items.iter().map(|item| to_starlark(item, heap))))
        }
        Value::Dict(entries) => heap.alloc(AllocDict(
            entries.iter().map(|(key, value)| (to_starlark(key, heap), to_starlark(value, heap))),
        )),
        Value::Unknown(name) => heap.alloc(Unknown::named(name)),
        Value::None | Value::Select(_) | Value::Sum(_) | Value::Other(_) => StarValue::new_none(),
    }
}

pub(super) fn texts(values: &UnpackListOrTuple<StarValue<'_>>) -> Vec<String> {
    values
        .items
        .iter()
        .filter_map(|value| Some(marks::strip(value.unpack_str()?).into_owned()))
        .collect()
}

/// `host_info()`: the graph is read as Linux on x86-64 sees it, wherever the tool runs, so that results do not depend on it.
fn host(heap: Heap<'_>) -> StarValue<'_> {
    let flags = |names: &[&str], is: &str| {
        heap.alloc(AllocStruct(
            names.iter().map(|name| (format!("is_{name}"), StarValue::new_bool(*name == is))),
        ))
    };
    let os = flags(&["linux", "macos", "windows", "freebsd", "unknown"], "linux");
    let arch = flags(
        &[
            "aarch64", "arm", "armeb", "i386", "mips", "mips64", "mipsel", "mipsel64", "powerpc",
            "ppc64", "riscv64", "unknown", "x86_64",
        ],
        "x86_64",
    );
    let xcode = heap.alloc(AllocStruct([("version_info", StarValue::new_none())]));
    heap.alloc(AllocStruct([
        ("os", os),
        ("arch", arch),
        ("buck2", StarValue::new_bool(true)),
        ("xcode", xcode),
    ]))
}
