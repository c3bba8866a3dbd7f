//! From destination paths to dotted module names and back up their ancestors. Pure functions; touches nothing.

use std::borrow::Cow;

/// The module that a file provides at its destination in the link tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleFile {
    /// Dotted name; empty for an `__init__` at the root of the tree.
    pub name: String,
    /// The file is the `__init__` of a package.
    pub is_package: bool,
    /// What the import system does with it.
    pub form: ModuleForm,
    /// Every part of the name is an identifier, so an `import` statement can name it.
    pub importable: bool,
}

/// The form in which a file provides a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModuleForm {
    /// `.py`
    Source,
    /// `.pyi`: for type checkers only.
    Stub,
    /// `.so` or `.pyd`, with or without ABI tags.
    Extension,
}

/// The module that a file with this destination path provides; `None` if it provides none.
pub fn module_of(destination: &str) -> Option<ModuleFile> {
    let (directory, file) = match destination.rsplit_once('/') {
        Some((directory, file)) => (Some(directory), file),
        None => (None, destination),
    };
    let (stem, form) = stem_and_form(file)?;
    let is_package = stem == "__init__";
    let parts = directory.into_iter().flat_map(|path| path.split('/')).filter(|part| *part != ".");
    let mut name = String::with_capacity(destination.len());
    let mut importable = true;
    for part in parts.chain((!is_package).then_some(stem)) {
        importable &= is_identifier(part);
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(part);
    }
    Some(ModuleFile { name, is_package, form, importable })
}

fn stem_and_form(file: &str) -> Option<(&str, ModuleForm)> {
    let (stem, form) = match file.rsplit_once('.')? {
        (stem, "py") => (stem, ModuleForm::Source),
        (stem, "pyi") => (stem, ModuleForm::Stub),
        // CPython tries `.cpython-311-….so`, `.abi3.so` and `.so`: the tag never holds part of the name.
        (stem, "so" | "pyd") => (stem.split('.').next()?, ModuleForm::Extension),
        _ => return None,
    };
    (!stem.is_empty()).then_some((stem, form))
}

/// Whether `text` can be a Python name. Keywords count: `importlib` does not mind them.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}

/// Whether `text` is identifiers joined by dots.
pub fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

/// The absolute name of `from <level dots><name> import …` in `module`; `None` above the top level.
pub fn resolve_relative<'n>(
    module: &'n str,
    is_package: bool,
    level: u32,
    name: &'n str,
) -> Option<Cow<'n, str>> {
    if level == 0 {
        return Some(Cow::Borrowed(name));
    }
    let up = if is_package { level - 1 } else { level };
    let mut base = module;
    for _ in 0..up {
        base = parent(base)?;
    }
    Some(match name {
        "" => Cow::Borrowed(base),
        name => Cow::Owned([base, ".", name].concat()),
    })
}

/// The packages that an import of `module` runs first, nearest first: `a.b`, `a` for `a.b.c`.
pub fn ancestors(module: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(module), |module| parent(module))
}

fn parent(module: &str) -> Option<&str> {
    memchr::memrchr(b'.', module.as_bytes()).and_then(|dot| module.get(..dot))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> (String, bool, ModuleForm, bool) {
        let ModuleFile { name, is_package, form, importable } = module_of(path).unwrap();
        (name, is_package, form, importable)
    }

    #[test]
    fn destinations_become_names() {
        use ModuleForm::{Extension, Source, Stub};
        assert_eq!(module("pkg/a/__init__.py"), ("pkg.a".into(), true, Source, true));
        assert_eq!(module("pkg/a/__init__.pyi"), ("pkg.a".into(), true, Stub, true));
        assert_eq!(module("a.py"), ("a".into(), false, Source, true));
        let native = "monarch/_C.cpython-311-x86_64-linux-gnu.so";
        assert_eq!(module(native), ("monarch._C".into(), false, Extension, true));
        assert_eq!(module("_C.abi3.so"), ("_C".into(), false, Extension, true));
        assert_eq!(module("a/_C.pyd"), ("a._C".into(), false, Extension, true));
        assert_eq!(module("tools/foo-bar.py"), ("tools.foo-bar".into(), false, Source, false));
        assert_eq!(module("__init__.py"), (String::new(), true, Source, true));
        assert_eq!(module_of("a/b.txt"), None);
        assert_eq!(module_of("a/py"), None);
        assert_eq!(module_of(".py"), None);
    }

    #[test]
    fn relative_names_start_from_the_files_package() {
        let resolve = resolve_relative;
        assert_eq!(resolve("a.b.c", false, 1, "x").as_deref(), Some("a.b.x"));
        assert_eq!(resolve("a.b.c", true, 1, "x").as_deref(), Some("a.b.c.x"));
        assert_eq!(resolve("a.b.c", true, 1, "").as_deref(), Some("a.b.c"));
        assert_eq!(resolve("a.b.c", false, 2, "").as_deref(), Some("a"));
        assert_eq!(resolve("a.b.c", false, 0, "x.y").as_deref(), Some("x.y"));
        assert_eq!(resolve("a.b", false, 2, "x"), None);
        assert_eq!(resolve("a", false, 1, "x"), None);
        assert_eq!(resolve("a", true, 1, "x").as_deref(), Some("a.x"));
    }

    #[test]
    fn ancestors_run_from_the_inside_out() {
        assert_eq!(ancestors("a.b.c").collect::<Vec<_>>(), ["a.b", "a"]);
        assert_eq!(ancestors("a").count(), 0);
    }
}
