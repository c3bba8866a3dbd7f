//! Broken, odd and hostile input.

use super::*;
use crate::source::ProblemKind;

#[test]
fn imports_around_syntax_errors_are_kept() {
    for broken in [
        "def f(:\n    pass",
        "x = (1, 2",
        "print 'hello'",
        "exec code in ns",
        "class C\n    pass",
        "if x\n    import inside\n",
        "s = 'unterminated",
        "raise E, 'message'",
        "try:\n    pass\nexcept E, e:\n    pass",
        "x = [1, 2\ndef g():\n    pass",
        "f(a b c)",
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> branch",
        "  unexpected indent",
        "x = $",
        "print >>f, x",
        "d.has_key(`x`)",
        "async = 1",
    ] {
        let text = format!(
            "import before\n{broken}\nimport after\nfrom p import (a,\n    b)\nif x:\n    import nested\n"
        );
        let facts = read(&text);
        let found = modules(&facts);
        for module in ["before", "after", "p:a,b", "nested"] {
            assert!(
                found.iter().any(|name| name == module),
                "{module} lost in {broken}: {found:?}"
            );
        }
        if broken.contains("inside") {
            assert!(found.iter().any(|name| name == "inside"), "{found:?}");
        }
        let mut unique = found.clone();
        unique.dedup();
        assert_eq!(unique, found, "{broken}");
        // Valid today: a tuple, and since 3.14 two exceptions.
        if !matches!(broken, "print >>f, x") && !broken.contains("except E, e") {
            assert!(facts.incomplete, "{broken}");
            assert!(
                facts.problems.iter().any(|problem| problem.kind == ProblemKind::Syntax),
                "{broken}"
            );
        }
    }
}

#[test]
fn imports_in_the_broken_region_are_kept() {
    assert_eq!(modules(&read("x = '''\nimport a\n")), ["a"]);
    assert_eq!(modules(&read("f(\nimport a\nfrom b import c\n")), ["a", "b:c"]);
    assert_eq!(modules(&read("from a import (b,\nimport c\n")), ["a:b", "c"]);
    assert_eq!(modules(&read("'''\nimport no\n'''\nimport a\nx = (\n")), ["a"]);
    let broken: Vec<_> =
        modules(&read("import \nfrom x import\nfrom import y\nimport a.\nimport ok"));
    assert!(
        broken.contains(&"ok".to_owned()) && broken.iter().all(|name| !name.is_empty()),
        "{broken:?}"
    );
}

#[test]
fn the_newest_syntax_parses() {
    for text in [
        "match x:\n    case {'a': [1, *_]} if y: pass",
        "type A[T] = list[T]",
        "def f[T: int = str](x: T, /, *, y) -> T: ...",
        "try: pass\nexcept* E: pass",
        "try: pass\nexcept A, B: pass",
        "x = f'{f'{1}'}'",
        "x = t'{y}'",
        "with (a as b, c as d): pass",
        "lazy import a\nlazy from b import c",
        "print((yield))",
        "x = [*a for a in b]",
        "async def f():\n    return [x async for x in y]",
        "lazy = 1\nprint(lazy)",
    ] {
        assert_eq!(read(text).problems, [], "{text}");
    }
}

#[test]
fn odd_bytes() {
    let crlf = read("import a\r\nif x:\r\n\timport b\r\n");
    assert_eq!(
        (modules(&crlf), crlf.imports[1].line, crlf.lines),
        (vec!["a".into(), "b".into()], 3, 3)
    );
    let bom = read_bytes(b"\xef\xbb\xbfimport a");
    assert_eq!((bom.imports[0].span.start, bom.incomplete), (3, false));
    let latin = read_bytes(b"# coding: latin-1\nx = '\xe9'\nimport a\n");
    assert_eq!((latin.imports[0].span.start, latin.incomplete), (26, false));
    for bytes in [&b"import a\n\0\nimport b\n"[..], b"import a\n# \xff\nimport b\n"] {
        let facts = read_bytes(bytes);
        assert_eq!(modules(&facts), ["a", "b"]);
        assert!(facts.incomplete && facts.problems[0].kind == ProblemKind::Unreadable);
    }
    assert_eq!(read("").lines, 0);
    assert_eq!((read("a").lines, read("a\n").lines, read("a\n\n").lines), (1, 1, 2));
}

/// Test threads have 2 MB of stack: this overflows if the limits of `depth` are too high.
#[test]
fn deep_code_falls_back_to_lines() {
    let n = 10_000;
    for deep in [
        format!("x = {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("x = {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("x = {}", "{1:".repeat(n)),
        format!("x = a{}", "+a".repeat(n)),
        format!("x = a{}", ".b".repeat(n)),
        format!("x = f{}", "()".repeat(n)),
        format!("x = {}1", "not ".repeat(n)),
        format!("x = {}1", "lambda: ".repeat(n)),
        format!("x = {}1{}", "f\"{".repeat(n), "}\"".repeat(n)),
        (0..120).map(|depth| " ".repeat(depth) + "if x:\n").collect::<String>()
            + &" ".repeat(120)
            + "pass",
    ] {
        let facts = read(&format!(
            "'''\nimport no\n'''\nimport a\n{deep}\nfrom b import (c,\n  d)  # @manual=//x:y\n"
        ));
        assert_eq!(modules(&facts), ["a", "b:c,d"], "{}", &deep[..30]);
        assert!(facts.incomplete && facts.problems[0].kind == ProblemKind::Limit);
        assert_eq!(facts.imports[1].manual.as_ref().unwrap().label.as_deref(), Some("//x:y"));
    }
}

#[test]
fn code_just_below_the_limits_is_walked() {
    for near in [
        format!("x = {}1{}", "[".repeat(480), "]".repeat(480)),
        format!("x = {}1{}", "f(".repeat(320), ")".repeat(320)),
        format!("x = a{}", "+a".repeat(480)),
        format!("x = a{}", ".b".repeat(480)),
        format!("x = {}1", "not ".repeat(980)),
        format!("x = {}1", "-".repeat(980)),
        format!("x = {}1", "lambda: ".repeat(480)),
        format!("x = {}1", "1 if 1 else ".repeat(190)),
        format!("x = {}1{}", "[x for x in ".repeat(150), "]".repeat(150)),
        (0..99).map(|depth| " ".repeat(depth) + "def f():\n").collect::<String>()
            + &" ".repeat(99)
            + "pass",
        "if x:\n  pass\n".to_owned() + &"elif y:\n  pass\n".repeat(10_000),
    ] {
        let facts = read(&format!("import a\n{near}\nimport b\n"));
        assert_eq!(modules(&facts), ["a", "b"]);
        assert!(!facts.incomplete, "{}: {:?}", &near[..30], facts.problems);
    }
}

#[test]
fn huge_files_are_read_by_lines() {
    let facts =
        read(&("import a\n".to_owned() + &"x = [1, 2, 3]\n".repeat(700_000) + "import b\n"));
    assert_eq!(modules(&facts), ["a", "b"]);
    assert!(facts.incomplete && facts.problems[0].kind == ProblemKind::Limit);
}

#[test]
fn notebooks() {
    let json = r#"{
 "cells": [
  {"cell_type": "markdown", "source": ["import no"]},
  {"cell_type": "code", "source": [
    "%matplotlib inline\n",
    "!pip install x\n",
    "import a\n",
    "x = 'a.b'"
  ]},
  {"cell_type": "code", "source": "%%bash\nimport no"},
  {"cell_type": "code", "source": "%%time\nfrom b import c\nx?"}
 ],
 "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4
}"#;
    let notebook =
        |json: &str| facts(&ProjectPath::new("n.ipynb"), json.as_bytes(), SourceKind::Notebook);
    let seen = notebook(json);
    assert_eq!(modules(&seen), ["a", "b:c"]);
    assert_eq!((seen.imports[0].line, seen.imports[1].line, seen.strings[0].line), (7, 11, 8));
    assert!(!seen.incomplete, "{:?}", seen.problems);
    assert_eq!(modules(&notebook(&json.replace("python", "julia"))), [""; 0]);
    assert!(notebook("{").incomplete);
}

/// Each of these took exponential or quadratic time at some point of a design.
#[test]
fn nested_tests_and_chained_names_take_linear_time() {
    let tests = format!("if {}x{}:\n  import a\n", "(x and (x or ".repeat(150), "))".repeat(150));
    assert_eq!(modules(&read(&tests)), ["a"]);
    let doubling: String =
        (0..200).map(|n| format!("x{} = x{n} + x{n}\n", n + 1)).collect::<Vec<_>>().concat();
    let text = format!("import importlib\nx0 = 'a'\n{doubling}importlib.import_module(x200)\n");
    assert_eq!(loads(&text), ["!"]);
    assert_eq!(loads("import importlib\nx = y\ny = x\nimportlib.import_module(x)\n"), ["!"]);
}
