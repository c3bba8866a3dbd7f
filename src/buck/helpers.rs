//! Stand-ins for the small files of helper functions that half of all build files load, for where they are not on disk.
//!
//! A repository with a bundled prelude, or an exported tree whose shims are a submodule, loads `type_defs.bzl` or
//! `paths.bzl` all the same. What these functions do is fixed by their names; without them every `if is_select(deps)`
//! would take the wrong branch.

use super::globals;
use super::modules::Loaded;
use starlark::environment::{FrozenModule, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};

/// File names, as they end a load path, and the source that stands in for each.
const SOURCES: &[(&[&str], &str)] = &[
    (&["type_defs.bzl", "types.bzl"], include_str!("data/type_defs.bzl")),
    (&["paths.bzl"], include_str!("data/paths.bzl")),
    (&["selects.bzl"], include_str!("data/selects.bzl")),
];

/// The stand-ins, evaluated once.
pub(super) struct Helpers {
    modules: Vec<(&'static [&'static str], Loaded)>,
}

impl Helpers {
    /// Evaluates the sources; `empty` stands in for one that fails, which a test rules out.
    pub(super) fn new(empty: &FrozenModule) -> Self {
        let load = |source: &str| {
            let module = evaluate(source).unwrap_or_else(|_| empty.clone());
            Loaded { marked: module.clone(), plain: module }
        };
        Self { modules: SOURCES.iter().map(|(names, source)| (*names, load(source))).collect() }
    }

    /// The stand-in for the file that a `load` names.
    pub(super) fn find(&self, load: &str) -> Option<&Loaded> {
        let name = load.rsplit([':', '/']).next()?;
        let found = self.modules.iter().find(|(names, _)| names.contains(&name));
        found.map(|(_, module)| module)
    }
}

fn evaluate(source: &str) -> starlark::Result<FrozenModule> {
    let ast = AstModule::parse("helpers.bzl", source.to_owned(), &Dialect::Extended)?;
    let globals = globals::base().build();
    Module::with_temp_heap(|module| {
        Evaluator::new(&module).eval_module(ast, &globals)?;
        module.freeze().map_err(starlark::Error::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_evaluates_and_does_what_its_names_say() {
        for (names, source) in SOURCES {
            evaluate(source).unwrap_or_else(|error| panic!("{names:?}: {error}"));
        }
        let all: String = SOURCES.iter().map(|(_, source)| *source).collect();
        let checks = r#"
def check(condition):
    if not condition:
        fail("wrong")

check(is_select(select({})) and not is_select([]) and is_list([]) and is_string(""))
check(paths.join("a", "b", "/c", "d") == "/c/d" and paths.join("a", "", "b/") == "a/b/")
check(paths.basename("a/b.c") == "b.c" and paths.dirname("a/b.c") == "a" and paths.dirname("x") == "")
check(paths.split_extension("a.b/c.d") == ("a.b/c", ".d") and paths.split_extension("a.b/.c") == ("a.b/.c", ""))
check(paths.normalize("a/./b/../c//d") == "a/c/d" and paths.normalize("../x") == "../x")
check(paths.relativize("a/b/c", "a/b") == "c" and paths.replace_extension("a.x", ".y") == "a.y")
check(selects.apply([1], lambda xs: xs + [2]) == [1, 2])
"#;
        evaluate(&(all + checks)).unwrap();
    }
}
