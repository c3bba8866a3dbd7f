//! Directives and whom they govern.

use super::super::DirectiveKind::{Keep, Loads, Malformed, Manual};
use super::*;

/// The label of the first import's manual comment; `Some("")` for a comment without label.
fn manual(text: &str) -> Option<String> {
    read(text).imports[0]
        .manual
        .as_ref()
        .map(|manual| manual.label.as_deref().unwrap_or("").to_owned())
}

#[test]
fn manual_comments_govern_their_import() {
    for (text, label) in [
        ("import a  # @manual", ""),
        ("import a  # @manual=//x:y", "//x:y"),
        ("import a  # @manual=fbsource//third-party/pypi/x:x", "fbsource//third-party/pypi/x:x"),
        ("import a  # @manual for model loading", ""),
        ("import a  # noqa: F401  # @manual=//x:y", "//x:y"),
        ("import a  # @manual=//x:y  # noqa", "//x:y"),
        ("import a  # usort:skip @manual", ""),
        ("from a import (  # @manual=//x:y\n  b,\n)", "//x:y"),
        ("from a import (\n  b,  # @manual=//x:y\n)", "//x:y"),
        ("from a import (\n  b,\n)  # @manual", ""),
        ("# @manual=//x:y\nimport a", "//x:y"),
        ("# @manual=//x:y\n# pyre-fixme[21]: missing\nimport a", "//x:y"),
        ("def f():\n    # @manual\n    import a", ""),
        ("import a  # @manual //x:y", "//x:y"),
        ("import a  # @manual=//x:y\"", "//x:y"),
    ] {
        assert_eq!(manual(text).as_deref(), Some(label), "{text}");
    }
    for text in [
        "import a\nimport b  # @manual",
        "# @manual\n\nimport a",
        "import a\n# @manual\n",
        "import a  # @manually",
        "x = '# @manual'\nimport a",
    ] {
        assert_eq!(manual(text), None, "{text}");
    }
    let both = read("import a, b  # @manual");
    assert!(both.imports.iter().all(|import| import.manual.is_some()));
    let next = read("x = 1  # @manual\nimport a");
    assert_eq!(next.imports[0].manual, None);
}

#[test]
fn careless_manual_comments_are_understood_and_reported() {
    for (text, clean) in [
        ("import a  # @manual=//x:y", true),
        ("import a  # @manual some reason", true),
        ("import a  # @manual //x:y", false),
        ("import a  # @manual=//x:y\"", false),
        ("import a  # @manual=", false),
    ] {
        let directives = read(text).directives;
        assert_eq!(!directives.iter().any(|d| matches!(d.kind, Malformed { .. })), clean, "{text}");
        assert!(directives.iter().any(|d| matches!(d.kind, Manual { .. })), "{text}");
    }
}

#[test]
fn own_directives() {
    let kinds = |text: &str| read(text).directives.into_iter().map(|d| d.kind).collect::<Vec<_>>();
    let keep = |checks: &[&str], reason: &str| Keep {
        checks: checks.iter().map(|&c| c.into()).collect(),
        reason: reason.into(),
    };
    assert_eq!(kinds("import a  # secateur: keep"), [keep(&[], "")]);
    assert_eq!(kinds("import a  # secateur: keep for later"), [keep(&[], "for later")]);
    assert_eq!(
        kinds("# secateur: keep[dead-module, unused-dep] run by cron"),
        [keep(&["dead-module", "unused-dep"], "run by cron")]
    );
    let loads = Loads { patterns: vec!["p.q.*".into(), "r".into()], reason: "registry".into() };
    assert_eq!(kinds("# secateur: loads[p.q.*, r] registry"), [loads]);
    for text in [
        "# secateur: keep[",
        "# secateur: keep[]",
        "# secateur: loads",
        "# secateur: loads[a b]",
        "# secateur: kept",
        "# secateur: keeper",
    ] {
        assert!(matches!(kinds(text)[..], [Malformed { .. }]), "{text}");
    }
}

#[test]
fn loads_bounds_the_call_beside_or_below() {
    let head = "import importlib\n";
    for text in [
        "importlib.import_module(x)  # secateur: loads[p.q.*, r] why",
        "# secateur: loads[p.q.*, r] why\nimportlib.import_module(x)",
        "importlib.import_module(\n    x,\n)  # secateur: loads[p.q.*, r] why",
    ] {
        assert_eq!(loads(&format!("{head}{text}")), ["<p.q", "=r"], "{text}");
    }
    let other =
        "importlib.import_module(x)\n\n# secateur: loads[p.*] why\n\nimportlib.import_module(y)";
    assert_eq!(loads(&format!("{head}{other}")), ["!", "!"]);
}
