//! Strings, `__all__`, bound names, attribute chains, pytest.

use super::super::StringKind::{Annotation, EntryPoint, MockPatch, Plain};
use super::super::{DunderAll, StringKind};
use super::*;

fn strings(text: &str) -> Vec<(String, StringKind)> {
    read(text).strings.iter().map(|string| (string.text.to_string(), string.kind)).collect()
}

#[test]
fn strings_by_place() {
    for (text, expected) in [
        ("X = {'_target_': 'a.b.C'}", vec![("a.b.C", Plain)]),
        ("E = 'a.b:main'", vec![("a.b.main", EntryPoint)]),
        ("from unittest import mock\nmock.patch('a.b.C')", vec![("a.b.C", MockPatch)]),
        (
            "from unittest.mock import patch as p\n@p('a.b.C')\ndef test(): pass",
            vec![("a.b.C", MockPatch)],
        ),
        ("monkeypatch.setattr('a.b.c', 1)", vec![("a.b.c", MockPatch)]),
        ("patch.multiple('a.b', x=1)", vec![("a.b", MockPatch)]),
        ("mock.patch.dict('a.b.c')", vec![("a.b.c", MockPatch)]),
        ("setattr(o, 'a.b', 1)", vec![("a.b", Plain)]),
        ("def f(x: 'List[a.b.C]') -> 'D': pass", vec![("a.b.C", Annotation)]),
        ("x: Optional['a.B'] = None", vec![("a.B", Annotation)]),
        ("x: Literal['a.b'] = 'c'", vec![("a.b", Plain)]),
        ("cast('a.b.C', x)", vec![("a.b.C", Annotation)]),
        ("x = []  # type: List[a.b.C]", vec![("a.b.C", Annotation)]),
        ("x = f()  # type: ignore[a.b]", vec![]),
        ("'''a.b'''\nclass C:\n  'a.b'", vec![]),
        ("x = 'tools/gen.py'", vec![]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|(text, kind)| (text.to_owned(), kind)).collect();
        assert_eq!(strings(text), expected, "{text}");
    }
    assert_eq!(read("x = 'tools/gen.py'").paths[0].text, "tools/gen.py".into());
}

#[test]
fn dunder_all_in_every_form() {
    let all = |text: &str| {
        let DunderAll { names, complete } = read(text).all.unwrap();
        (names.join(","), complete)
    };
    assert_eq!(all("__all__ = ['a', 'b']"), ("a,b".into(), true));
    assert_eq!(all("__all__: list[str] = ('a',)"), ("a".into(), true));
    assert_eq!(
        all(
            "__all__ = ['a'] + ['b']\n__all__ += ['c']\n__all__.extend(('d',))\n__all__.append('e')"
        ),
        ("a,b,c,d,e".into(), true)
    );
    assert_eq!(all("__all__ = a.__all__ + ['b']"), ("b".into(), false));
    assert_eq!(all("__all__ = ['a']\n__all__ += a.__all__"), ("a".into(), false));
    assert_eq!(all("__all__ = [x for x in y]"), (String::new(), false));
    assert_eq!(read("x = 1").all, None);
}

#[test]
fn bound_names_of_the_top_level() {
    let text = "import a.b\ndef f(): x = 1\nclass C: y = 1\nif q:\n  (g, [h]), *i = 1\nfor j in k:\n  l = 1\nwith m as n:\n  pass\ntry:\n  o = 1\nexcept E as e:\n  p = 1\nwhile r:\n  s += 1\nt: int\nu: int = 1\ntype V = int\nmatch w:\n  case [z, *aa]: pass\n";
    let expected = "C V a aa f g h i j l n o p s u z";
    assert_eq!(read(text).bound.join(" "), expected);
    assert!(read("def __getattr__(n): pass").has_getattr && read("__getattr__ = f()").has_getattr);
    assert!(
        read("if __name__ == '__main__': pass").is_script
            && read("if '__main__' == __name__:\n  pass").is_script
    );
    assert!(!read("class C:\n  def __getattr__(self, n): pass").has_getattr);
}

#[test]
fn attribute_chains_start_at_plain_imports() {
    let text = "import a\nimport b.c as x\nfrom d import e\na.b.c.f()\nx.y\ne.z\na.b.c.f\ndef g(p: a.T, q: 'a.U'): a.v[a.w]\nlocal.q\n";
    let seen: Vec<_> = read(text)
        .attribute_uses
        .into_iter()
        .map(|used| (used.chain.to_string(), used.line, used.type_only))
        .collect();
    let expected = [
        ("a.T", 8, true),
        ("a.U", 8, true),
        ("a.b.c.f", 4, false),
        ("a.v", 8, false),
        ("a.w", 8, false),
        ("b.c.y", 5, false),
    ];
    assert_eq!(seen, expected.map(|(chain, line, only)| (chain.to_owned(), line, only)));
    let later = read("import a\ndef f(x: a.T): pass\na.T\n");
    assert_eq!((later.attribute_uses[0].line, later.attribute_uses[0].type_only), (3, false));
}

#[test]
fn pytest_facts() {
    let text = "import pytest\npytest_plugins = ['x.y', 'z']\n@pytest.fixture\ndef db(tmp_path): pass\n@pytest.fixture(name='renamed')\ndef _r(): pass\nclass TestX:\n  def test_a(self, mocker, db): pass\n@pytest.mark.usefixtures('used')\ndef test_b(*, kw): pass\ndef helper(no): pass\n";
    let facts = read(text).pytest;
    let names = |named: &[(Box<str>, u32)]| {
        named.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&facts.plugins), "x.y z");
    assert_eq!(facts.fixtures.join(" "), "db renamed");
    assert_eq!(names(&facts.requested), "db kw mocker tmp_path used");
}
