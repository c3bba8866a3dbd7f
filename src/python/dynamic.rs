//! Calls that load modules by name: `importlib`, `pkgutil`, `runpy`, `exec` and their kin. Pure functions; touches nothing.

use ruff_python_ast::{Expr, ExprCall, Operator};

use super::facts::{Base, DynamicTarget, Facts};
use super::modules::is_dotted_name;
use super::names::Names;
use super::texts::{Text, Texts};

/// What one call may load.
#[derive(Debug)]
pub(super) enum Load {
    /// This, and whether its absence is handled.
    Target(DynamicTarget, bool),
    /// The strings of the module's tables, each behind a known start; relative ones below the package.
    Table { start: Anchored, package: Option<Anchored> },
}

/// A dotted name below a base, possibly followed by something unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchored {
    pub base: Base,
    pub name: String,
    complete: bool,
}

/// Last names of the functions looked at here, so that other calls cost no more than this match.
pub(super) fn may_load(last_name: &str) -> bool {
    matches!(
        last_name,
        "import_module"
            | "__import__"
            | "find_spec"
            | "find_loader"
            | "get_loader"
            | "importorskip"
            | "run_module"
            | "run_path"
            | "spec_from_file_location"
            | "SourceFileLoader"
            | "load_source"
            | "walk_packages"
            | "iter_modules"
            | "resolve_name"
            | "get_data"
            | "files"
            | "open_text"
            | "open_binary"
            | "read_text"
            | "read_binary"
            | "path"
            | "contents"
            | "is_resource"
            | "exec"
            | "eval"
            | "attach"
            | "attach_stub"
            | "load"
            | "map"
            | "resource_filename"
            | "resource_string"
            | "resource_stream"
            | "resource_exists"
            | "resource_listdir"
            | "resource_isdir"
    )
}

/// What a call of the function with this canonical name may load. `lazy` means that the call stands in a
/// module's `__getattr__`, where names come from that module's tables.
pub(super) fn loads<'a>(
    texts: &Texts<'_, 'a>,
    names: &Names<'a>,
    function: &str,
    call: &'a ExprCall,
    lazy: bool,
) -> Vec<Load> {
    let arguments = &call.arguments;
    let argument = |name, position| arguments.find_argument_value(name, position);
    let module_at = |name, position| argument(name, position).map(|expr| texts.of(expr));
    match function {
        "importlib.import_module" => {
            let package = argument("package", 1).map(|expr| texts.of(expr));
            by_name(module_at("name", 0), package.as_deref(), lazy)
        }
        "__import__" | "importlib.__import__" | "builtins.__import__" => {
            let mut loads = by_name(module_at("name", 0), None, lazy);
            loads.extend(submodules_in_from_list(texts, &loads, argument("fromlist", 3)));
            loads
        }
        "pytest.importorskip" => optional(by_name(module_at("modname", 0), None, false)),
        "importlib.util.find_spec"
        | "importlib.find_loader"
        | "pkgutil.find_loader"
        | "pkgutil.get_loader" => {
            let package = argument("package", 1).map(|expr| texts.of(expr));
            optional(known(by_name(module_at("name", 0), package.as_deref(), false)))
        }
        "runpy.run_module" => run_module(by_name(module_at("mod_name", 0), None, false)),
        "runpy.run_path" => by_path(texts, argument("path_name", 0)),
        "importlib.util.spec_from_file_location" => by_path(texts, argument("location", 1)),
        "importlib.machinery.SourceFileLoader" => by_path(texts, argument("path", 1)),
        "imp.load_source" => by_path(texts, argument("pathname", 1)),
        "pkgutil.walk_packages" | "pkgutil.iter_modules" => match texts.walked_package(call) {
            Some((base, prefix)) => {
                vec![Load::Target(DynamicTarget::Under { base, prefix: prefix.into() }, false)]
            }
            // Listing alone loads nothing; walking imports every package that it finds.
            None if function == "pkgutil.iter_modules" => Vec::new(),
            None => vec![Load::Target(DynamicTarget::Unbounded, false)],
        },
        "pkgutil.resolve_name" => {
            let mut named = module_at("name", 0).unwrap_or_default();
            for text in &mut named {
                text.text.truncate(text.text.find(':').unwrap_or(text.text.len()));
            }
            optional(by_name(Some(named), None, false))
        }
        "exec" => code(module_at("source", 0), true),
        "eval" => code(module_at("source", 0), false),
        "lazy_loader.attach" => {
            attach(texts, argument("submodules", 1), argument("submod_attrs", 2))
        }
        "lazy_loader.attach_stub" => vec![below(Base::OwnName, "")],
        "lazy_loader.load" => known(by_name(module_at("fullname", 0), None, false)),
        "map" => match (arguments.args.first(), arguments.args.get(1)) {
            (Some(function), Some(over)) if is_import_module(names, function) => {
                by_name(Some(texts.element(over, None)), None, lazy)
            }
            _ => Vec::new(),
        },
        _ if reads_resources(function) => {
            let package = argument("package", 0).or_else(|| argument("anchor", 0));
            known(by_name(package.map(|expr| texts.of(expr)), None, false))
        }
        _ => Vec::new(),
    }
}

pub(super) fn is_import_module(names: &Names<'_>, expr: &Expr) -> bool {
    names.canonical(expr).as_deref() == Some("importlib.import_module")
}

fn reads_resources(function: &str) -> bool {
    let resource =
        |module: &str| function.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'));
    function == "pkgutil.get_data"
        || resource("importlib.resources")
        || resource("importlib_resources")
        || resource("pkg_resources")
}

fn below(base: Base, prefix: &str) -> Load {
    Load::Target(DynamicTarget::Under { base, prefix: prefix.into() }, false)
}

fn optional(mut loads: Vec<Load>) -> Vec<Load> {
    for load in &mut loads {
        if let Load::Target(_, optional) = load {
            *optional = true;
        }
    }
    loads
}

/// Without what is unbounded: such a call loads nothing of its own.
fn known(mut loads: Vec<Load>) -> Vec<Load> {
    loads.retain(|load| !matches!(load, Load::Target(DynamicTarget::Unbounded, _)));
    loads
}

fn by_name(named: Option<Vec<Text>>, package: Option<&[Text]>, lazy: bool) -> Vec<Load> {
    let package = match package {
        None => None,
        Some([package]) => Some(package),
        // Several packages are as good as an unknown one.
        Some(_) => return vec![Load::Target(DynamicTarget::Unbounded, false)],
    };
    let one = |text: &Text| match anchored(text, package) {
        Some(name) if name.complete => {
            let known = if name.name.is_empty() {
                name.base != Base::Absolute
            } else {
                is_dotted_name(&name.name)
            };
            let Anchored { base, name, .. } = name;
            known.then(|| Load::Target(DynamicTarget::Module { base, name: name.into() }, false))
        }
        Some(start) if lazy => {
            let dot = Text { base: Base::Absolute, text: ".".into(), complete: false };
            Some(Load::Table { start, package: package.and_then(|_| anchored(&dot, package)) })
        }
        Some(start) => Some(Load::Target(under(&start), false)),
        None => Some(Load::Target(DynamicTarget::Unbounded, false)),
    };
    named.unwrap_or_default().iter().filter_map(one).collect()
}

/// The modules that can follow a known start: those below its complete dotted part.
pub(super) fn under(start: &Anchored) -> DynamicTarget {
    let base = start.base;
    match start.name.rsplit_once('.') {
        Some((prefix, _)) => DynamicTarget::Under { base, prefix: prefix.into() },
        None if base == Base::Absolute => DynamicTarget::Unbounded,
        None => DynamicTarget::Under { base, prefix: "".into() },
    }
}

/// What a lazy load may reach through the strings of the module's tables; without tables, all that can follow.
pub(super) fn from_table(
    start: &Anchored,
    package: Option<&Anchored>,
    table: &[&str],
) -> Vec<DynamicTarget> {
    if table.is_empty() {
        return vec![under(start)];
    }
    let behind = |start: &Anchored, name: &str| {
        let name: Box<str> = format!("{}{name}", start.name).into();
        is_dotted_name(&name).then_some(DynamicTarget::Module { base: start.base, name })
    };
    let one = |name: &&str| match (name.strip_prefix('.'), package) {
        // The string has dots of its own: it is relative to the package.
        (Some(below), Some(package)) => behind(package, below),
        (Some(below), None) => behind(start, below),
        (None, _) => behind(start, name),
    };
    let mut targets: Vec<DynamicTarget> = table.iter().filter_map(one).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Resolves leading dots against the `package` argument; `None` if that is not known.
fn anchored(text: &Text, package: Option<&Text>) -> Option<Anchored> {
    let complete = text.complete;
    if text.base != Base::Absolute {
        // `__name__ + "_impl"` names a sibling; only what stands behind a dot is below the base.
        let name = match text.text.strip_prefix('.') {
            Some(name) => name.to_owned(),
            None if text.text.is_empty() && complete => String::new(),
            None => return None,
        };
        return Some(Anchored { base: text.base, name, complete });
    }
    let name = text.text.trim_start_matches('.');
    let level = (text.text.len() - name.len()) as u32;
    if level == 0 {
        return Some(Anchored { base: Base::Absolute, name: name.to_owned(), complete });
    }
    let (base, above) = match package {
        Some(Text { complete: false, .. }) => return None,
        Some(Text { base: Base::Absolute, text, .. }) => (
            Base::Absolute,
            (1..level).try_fold(&**text, |name, _| Some(name.rsplit_once('.')?.0))?,
        ),
        Some(Text { text, .. }) if !text.is_empty() => return None,
        Some(Text { base: Base::OwnName, .. }) if level == 1 => (Base::OwnName, ""),
        // Without an anchor the call fails, unless its own package is meant; above a package's own name
        // stands the package of that name.
        None | Some(_) => (Base::Package(level), ""),
    };
    let dot = if above.is_empty() { "" } else { "." };
    Some(Anchored { base, name: format!("{above}{dot}{name}"), complete })
}

fn submodules_in_from_list<'a>(
    texts: &Texts<'_, 'a>,
    loads: &[Load],
    from_list: Option<&'a Expr>,
) -> Vec<Load> {
    let Some(from_list) = from_list else { return Vec::new() };
    let members = texts.element(from_list, None);
    let parents = loads.iter().filter_map(|load| match load {
        Load::Target(DynamicTarget::Module { base, name }, _) => Some((*base, &**name)),
        _ => None,
    });
    let member_of = |(base, parent): (Base, &str)| {
        let known = members.iter().filter(|member| member.complete && is_dotted_name(&member.text));
        known
            .map(|member| format!("{parent}.{}", member.text).into())
            .map(|name| Load::Target(DynamicTarget::Module { base, name }, true))
            .collect::<Vec<_>>()
    };
    parents.flat_map(member_of).collect()
}

/// A package is run through its `__main__`.
fn run_module(loads: Vec<Load>) -> Vec<Load> {
    let with_main = |load| match &load {
        Load::Target(DynamicTarget::Module { base, name }, _) => {
            let dot = if name.is_empty() { "" } else { "." };
            let main =
                DynamicTarget::Module { base: *base, name: format!("{name}{dot}__main__").into() };
            vec![load, Load::Target(main, true)]
        }
        _ => vec![load],
    };
    loads.into_iter().flat_map(with_main).collect()
}

/// A literal path is reported as a path string; any other may be any file.
fn by_path<'a>(texts: &Texts<'_, 'a>, path: Option<&'a Expr>) -> Vec<Load> {
    let Some(path) = path else { return Vec::new() };
    let known = ends_in_literal(texts, path) || texts.of(path).iter().all(|text| text.complete);
    if known { Vec::new() } else { vec![Load::Target(DynamicTarget::Unbounded, false)] }
}

/// `Path(__file__).parent / "x.py"`, `os.path.join(here, "x.py")`, `str(…)` of those, names of those.
fn ends_in_literal<'a>(texts: &Texts<'_, 'a>, path: &'a Expr) -> bool {
    match texts.value(path) {
        Some(Expr::StringLiteral(literal)) => literal.value.to_str().strip_suffix(".py").is_some(),
        Some(Expr::BinOp(join)) => {
            matches!(join.op, Operator::Div | Operator::Add) && ends_in_literal(texts, &join.right)
        }
        Some(Expr::Call(call)) => match (call.arguments.args.last(), &*call.func) {
            (Some(last), _) => ends_in_literal(texts, last),
            // `path.resolve()`
            (None, Expr::Attribute(method)) => ends_in_literal(texts, &method.value),
            (None, _) => false,
        },
        _ => false,
    }
}

fn code(sources: Option<Vec<Text>>, runs_statements: bool) -> Vec<Load> {
    let mut loads = Vec::new();
    for source in sources.unwrap_or_default() {
        if source.complete && source.base == Base::Absolute {
            if source.text.contains("import") {
                loads.extend(loads_of_facts(super::facts_of_text(&source.text)));
            }
        } else if runs_statements {
            loads.push(Load::Target(DynamicTarget::Unbounded, false));
        }
    }
    loads
}

fn loads_of_facts(facts: Facts) -> Vec<Load> {
    let mut loads = Vec::new();
    for import in facts.imports {
        let base = if import.level == 0 { Base::Absolute } else { Base::Package(import.level) };
        let module = |name: String, optional| {
            Load::Target(DynamicTarget::Module { base, name: name.into() }, optional)
        };
        let dot = if import.module.is_empty() { "" } else { "." };
        if !import.module.is_empty() {
            loads.push(module(import.module.to_string(), false));
        }
        for member in import.names.iter().filter(|member| &*member.name != "*") {
            loads.push(module(format!("{}{dot}{}", import.module, member.name), true));
        }
    }
    loads.extend(facts.dynamic.into_iter().map(|load| Load::Target(load.target, load.optional)));
    loads
}

fn attach<'a>(
    texts: &Texts<'_, 'a>,
    submodules: Option<&'a Expr>,
    attributes: Option<&'a Expr>,
) -> Vec<Load> {
    let names = submodules.into_iter().chain(attributes).flat_map(|over| texts.element(over, None));
    let below_own = |text: Text| {
        if !text.complete {
            return below(Base::OwnName, "");
        }
        Load::Target(DynamicTarget::Module { base: Base::OwnName, name: text.text.into() }, false)
    };
    names.map(below_own).collect()
}
