//! What the interpreter brings along: the standard library's top-level modules, and those no file can shadow. Pure tables; touches nothing.

use rustc_hash::FxHashSet;
use std::sync::OnceLock;

/// The names of `sys.stdlib_module_names` of Python 3.8 to 3.15 united (3.8 and 3.9, which lack that
/// attribute, from their library directories), plus the interpreter's own test modules. One a line.
const NAMES: &str = include_str!("data/stdlib.txt");

/// Modules that a file on `sys.path` can never replace, whatever interpreter from 3.8 on
/// runs it (`CPython`, POSIX).
///
/// Either start-up has imported them before the link tree joins `sys.path` (`sys.modules` of a bare
/// interpreter), or every build has them compiled in (`sys.builtin_module_names`), and the built-in
/// importer comes before the path. Sorted. What holds only for some builds or versions is left out:
/// a wrong entry would call a module dead that Python loads.
const PRELOADED: &[&str] = &[
    "__main__",
    "_abc",
    "_ast",
    "_codecs",
    "_collections",
    "_collections_abc",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "_functools",
    "_imp",
    "_io",
    "_locale",
    "_operator",
    "_signal",
    "_sitebuiltins",
    "_sre",
    "_stat",
    "_string",
    "_symtable",
    "_thread",
    "_tracemalloc",
    "_warnings",
    "_weakref",
    "abc",
    "atexit",
    "builtins",
    "codecs",
    "encodings",
    "errno",
    "faulthandler",
    "gc",
    "genericpath",
    "io",
    "itertools",
    "marshal",
    "os",
    "posix",
    "posixpath",
    "pwd",
    "site",
    "stat",
    "sys",
    "time",
    "zipimport",
];

/// Whether some Python from 3.8 to 3.15 has `top_level` in its standard library.
///
/// Takes the first component of a dotted name: `concurrent`, not `concurrent.futures`. Removed
/// modules (`imp`, `distutils`) count, since the interpreter that will run the code is unknown here.
pub fn is_stdlib(top_level: &str) -> bool {
    static SET: OnceLock<FxHashSet<&str>> = OnceLock::new();
    SET.get_or_init(|| NAMES.lines().collect()).contains(top_level)
}

/// Whether `top_level` always means the interpreter's own module, even where the root of the link
/// tree holds a file of that name. Every other standard module loses to such a file.
pub fn is_preloaded(top_level: &str) -> bool {
    PRELOADED.binary_search(&top_level).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted_and_unique<'a>(names: impl Iterator<Item = &'a str>) -> bool {
        names.is_sorted_by(|left, right| left < right)
    }

    #[test]
    fn tables_are_sorted_without_duplicates() {
        assert!(sorted_and_unique(NAMES.lines()));
        assert!(sorted_and_unique(PRELOADED.iter().copied()));
    }

    #[test]
    fn knows_removed_present_and_coming_modules() {
        for name in ["imp", "distutils", "asyncore", "cgi", "parser", "symbol", "msilib", "lib2to3"]
        {
            assert!(is_stdlib(name), "{name} was removed after 3.8");
        }
        for name in ["__future__", "os", "typing", "tkinter", "winreg", "zoneinfo", "tomllib"] {
            assert!(is_stdlib(name), "{name}");
        }
        for name in ["annotationlib", "compression", "_zstd", "concurrent", "string", "profiling"] {
            assert!(is_stdlib(name), "{name} came with 3.14 or 3.15, or got submodules there");
        }
    }

    #[test]
    fn third_party_and_dotted_names_are_not_standard() {
        for name in ["", "OS", "os.path", "six", "setuptools", "pkg_resources", "typing_extensions"]
        {
            assert!(!is_stdlib(name), "{name}");
        }
    }

    #[test]
    fn only_what_no_file_can_shadow_is_preloaded() {
        for name in ["sys", "os", "io", "abc", "time", "itertools", "builtins"] {
            assert!(is_preloaded(name), "{name}");
        }
        // Loaded late, or a shared object in some builds: a root file of this name wins.
        for name in ["typing", "types", "logging", "json", "re", "enum", "math", "_bootlocale"] {
            assert!(!is_preloaded(name), "{name}");
        }
        assert!(PRELOADED.iter().all(|name| *name == "__main__" || is_stdlib(name)));
    }
}
