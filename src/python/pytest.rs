//! What pytest reads from a file: fixtures, requests by parameter name, plugins. Pure functions; touches nothing.

use ruff_python_ast::{Decorator, Expr, StmtFunctionDef};

use super::facts::PytestFacts;
use super::names::Names;
use super::toplevel::string;

/// Adds what a function defines and requests. `line_of` gives the line of an expression or parameter offset.
pub(super) fn function(
    function: &StmtFunctionDef,
    names: &Names<'_>,
    line_of: impl Fn(u32) -> u32,
    out: &mut PytestFacts,
) {
    let own = function.name.as_str();
    let fixture =
        function.decorator_list.iter().find_map(|decorator| fixture_name(decorator, own, names));
    if let Some(name) = fixture {
        out.fixtures.push(name.into());
    }
    if fixture.is_none() && !own.starts_with("test") {
        return;
    }
    for parameter in function.parameters.iter_non_variadic_params() {
        let name = parameter.name();
        if !matches!(name.as_str(), "self" | "cls") {
            out.requested.push((name.as_str().into(), line_of(name.range.start().to_u32())));
        }
    }
}

/// The name of the fixture that this decorator makes of a function, if it makes one.
fn fixture_name<'a>(decorator: &'a Decorator, own: &'a str, names: &Names<'_>) -> Option<&'a str> {
    let (callee, call) = match &decorator.expression {
        Expr::Call(call) => (&*call.func, Some(call)),
        callee => (callee, None),
    };
    let last = match callee {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    let is_fixture = match last {
        "fixture" | "yield_fixture" => true,
        _ => names.canonical(callee)?.ends_with(".fixture"),
    };
    let renamed = || string(&call?.arguments.find_keyword("name")?.value);
    is_fixture.then(|| renamed().unwrap_or(own))
}

/// The fixtures that `usefixtures("a", "b")` requests.
pub(super) fn use_fixtures(arguments: &[Expr], line: u32, out: &mut PytestFacts) {
    out.requested.extend(arguments.iter().filter_map(|name| Some((string(name)?.into(), line))));
}

/// Sorts the lists and keeps each name once, at its first line.
pub(super) fn finish(out: &mut PytestFacts) {
    out.fixtures.sort_unstable();
    out.fixtures.dedup();
    for named in [&mut out.plugins, &mut out.requested] {
        named.sort_unstable();
        named.dedup_by(|next, first| next.0 == first.0);
    }
}
