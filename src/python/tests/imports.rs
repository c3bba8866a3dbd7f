//! Import statements: form, kind, condition.

use super::super::{ImportKind, doctest_imports};
use super::*;
use ImportKind::{Deferred, Lazy, Optional, Runtime, TypeOnly};

fn kinds(text: &str) -> Vec<ImportKind> {
    read(text).imports.iter().map(|import| import.kind).collect()
}

#[test]
fn every_form_is_read() {
    let text =
        "import a, b.c as d\nfrom . import x\nfrom ..p.q import (y as z,\n  w)\nfrom s import *\n";
    let facts = read(text);
    assert_eq!(modules(&facts), ["a", "b.c", ".:x", "..p.q:y,w", "s:*"]);
    assert_eq!(facts.imports[1].bound.as_deref(), Some("d"));
    assert_eq!(facts.imports[3].names[0].bound, "z".into());
    assert_eq!((facts.imports[3].line, facts.imports[3].names[1].line), (3, 4));
    assert_eq!(&text[facts.imports[1].span.range()], "b.c as d");
    assert_eq!(&text[facts.imports[3].names[0].span.range()], "y as z");
    assert_eq!(&*facts.bound, ["a", "d", "w", "x", "z"].map(Into::into));
}

#[test]
fn type_checking_guards_are_known_by_any_name() {
    for guard in [
        "if TYPE_CHECKING:\n  import a\nelse:\n  import b",
        "import typing as t\nif t.TYPE_CHECKING:\n  import a\nelse:\n  import b",
        "from typing import TYPE_CHECKING as TC\nif TC:\n  import a\nelse:\n  import b",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n  import a\nelse:\n  import b",
        "if MYPY:\n  import a\nelse:\n  import b",
        "if TYPE_CHECKING and X:\n  import a\nelse:\n  import b",
        "if X:\n  pass\nelif TYPE_CHECKING:\n  import a\nelse:\n  import b",
        "if not TYPE_CHECKING:\n  pass\nelse:\n  import a\nimport b",
        "if not TYPE_CHECKING or X:\n  pass\nelse:\n  import a\nimport b",
        "if not TYPE_CHECKING:\n  pass\nelif X:\n  import a\nimport b",
        "if False:\n  import a\nimport b",
        "if 0:\n  import a\nelse:\n  import b",
        "if True:\n  pass\nelse:\n  import a\nimport b",
        "if TYPE_CHECKING:\n  def f():\n    import a\nimport b",
    ] {
        let facts = read(guard);
        let kind =
            |module| facts.imports.iter().find(|import| &*import.module == module).unwrap().kind;
        assert_eq!((kind("a"), kind("b")), (TypeOnly, Runtime), "{guard}");
    }
    assert_eq!(kinds("if not TYPE_CHECKING:\n  import a"), [Runtime]);
    assert_eq!(kinds("if TYPE_CHECKING or X:\n  import a"), [Runtime]);
}

#[test]
fn type_only_imports_bind_nothing_at_run_time() {
    let facts = read("if TYPE_CHECKING:\n  from . import sub\nelse:\n  import other");
    assert_eq!(&*facts.bound, ["other".into()]);
}

#[test]
fn caught_import_errors_make_the_try_body_optional() {
    for caught in [
        "ImportError as e",
        "ModuleNotFoundError",
        "(ImportError, OSError)",
        "Exception",
        "builtins.ImportError",
        "",
    ] {
        let text = format!("try:\n  import a\nexcept {caught}:\n  import b\nelse:\n  import c");
        assert_eq!(kinds(&text), [Optional, Runtime, Runtime], "{caught}");
    }
    assert_eq!(kinds("try:\n  import a\nexcept OSError:\n  pass"), [Runtime]);
    assert_eq!(kinds("try:\n  run()\nexcept OSError:\n  import a"), [Optional]);
    assert_eq!(kinds("try:\n  import a\nfinally:\n  pass"), [Runtime]);
    assert_eq!(
        kinds("import contextlib as c\nwith c.suppress(OSError, ImportError):\n  import a"),
        [Runtime, Optional]
    );
    assert_eq!(
        kinds("from contextlib import suppress as s\nwith s(ImportError):\n  import a"),
        [Runtime, Optional]
    );
    assert_eq!(
        kinds("from contextlib import suppress\nwith suppress(KeyError):\n  import a"),
        [Runtime, Runtime]
    );
    // The function runs when the `try` is long over.
    assert_eq!(kinds("try:\n  def f():\n    import a\nexcept ImportError: pass"), [Deferred]);
}

#[test]
fn deferred_and_lazy() {
    let facts = read(
        "class C:\n  import a\n  def f(self):\n    import b\n    class D:\n      import c\nasync def g():\n  import d\n",
    );
    let seen: Vec<_> = facts.imports.iter().map(|import| (import.kind, import.deferred)).collect();
    assert_eq!(seen, [(Runtime, false), (Deferred, true), (Deferred, true), (Deferred, true)]);
    assert_eq!(kinds("lazy import x\nlazy from p import q"), [Lazy, Lazy]);
    assert!(!read("lazy import x\nlazy from p import q").incomplete);
    let text = "def f():\n  try:\n    import a\n  except ImportError:\n    pass";
    assert_eq!((kinds(text), read(text).imports[0].deferred), (vec![Optional], true));
}

#[test]
fn other_tests_are_conditions() {
    let text = "if sys.platform == 'win32':\n  import a\nelif sys.version_info < (3, 11):\n  import b\nelse:\n  import c\nif TYPE_CHECKING:\n  import d";
    let conditions: Vec<_> =
        read(text).imports.iter().map(|import| import.condition.clone()).collect();
    let expected = [
        Some("sys.platform == 'win32'"),
        Some("sys.version_info < (3, 11)"),
        Some("not (sys.version_info < (3, 11))"),
        None,
    ];
    assert_eq!(conditions, expected.map(|text| text.map(Into::into)));
}

#[test]
fn stubs_are_type_only_and_still_bind() {
    let facts = facts(
        &ProjectPath::new("m.pyi"),
        b"import a\nx: int\ndef f() -> a.B: ...\n",
        SourceKind::Stub,
    );
    assert_eq!(facts.imports[0].kind, TypeOnly);
    assert_eq!(&*facts.bound, ["a", "f", "x"].map(Into::into));
}

#[test]
fn reexports() {
    let text = "from m import a as a\nfrom m import b\nimport c as c\nimport d.e\nimport f\n__all__ = ['b', 'd']";
    let seen: Vec<bool> = read(text).imports.iter().map(|import| import.reexport).collect();
    assert_eq!(seen, [true, true, true, true, false]);
}

#[test]
fn doctests_keep_their_lines() {
    let imports = doctest_imports(
        b"'''\n    >>> import a\n    >>> if x:\n    ...     import b\n    text\n'''\nimport c\n",
    );
    let seen: Vec<_> = imports.iter().map(|import| (&*import.module, import.line)).collect();
    assert_eq!(seen, [("a", 2), ("b", 4)]);
}
