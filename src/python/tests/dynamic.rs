//! Modules loaded by calls.

use super::super::StringKind;
use super::*;

#[track_caller]
fn check(expected: &[&str], texts: &[&str]) {
    for text in texts {
        assert_eq!(loads(text), expected, "{text}");
    }
}

#[test]
fn import_module_in_every_form() {
    check(
        &["=a.b"],
        &[
            "import importlib\nm = importlib.import_module('a.b')",
            "import importlib as il\nil.import_module(name='a.b')",
            "from importlib import import_module as im\nim('a.b')",
            "from importlib import import_module\nN = 'a.b'\nimport_module(N)",
            "import importlib\ndef f():\n  n = 'a' + '.b'\n  importlib.import_module(n)",
            "import importlib\nimportlib.import_module('a.%s' % 'b')",
            "import importlib\nimportlib.import_module('a.{}'.format('b'))",
            "import importlib\nimportlib.import_module('.'.join(['a', 'b']))",
            "import importlib\nP = 'a'\nimportlib.import_module(f'{P}.b')",
            "import importlib\nimportlib.import_module('.b', package='a')",
            "import importlib\nimportlib.import_module('..b', 'a.c')",
            "__import__('a.b')",
            "import builtins\nbuiltins.__import__('a.b')",
        ],
    );
    check(
        &["=.x"],
        &[
            "import importlib\nimportlib.import_module('.x', __package__)",
            "import importlib\nimportlib.import_module('.x', package=__spec__.parent)",
        ],
    );
    check(&["=..x"], &["import importlib\nimportlib.import_module('..x', __package__)"]);
    check(
        &["=~x"],
        &[
            "import importlib\nimportlib.import_module('.x', __name__)",
            "import importlib\nimportlib.import_module(__name__ + '.x')",
        ],
    );
    check(&["=a", "=a.b"], &["__import__('a', fromlist=['b'])"]);
}

#[test]
fn known_starts_bound_the_load() {
    let head = "import importlib\n";
    for (expression, expected) in [
        ("f'pkg.plugins.{x}'", "<pkg.plugins"),
        ("f'pkg.plug{x}'", "<pkg"),
        ("'pkg.plugins.' + x", "<pkg.plugins"),
        ("'pkg.%s.impl' % x", "<pkg"),
        ("'pkg.{}'.format(x)", "<pkg"),
        ("f'{__name__}.{x}'", "<~"),
        ("__name__ + '.sub.' + x", "<~sub"),
        ("f'{__package__}.{x}'", "<."),
        ("'.' + x, __name__", "<~"),
        ("'.' + x, __package__", "<."),
        ("f'.{x}', package='pkg'", "<pkg"),
        ("x", "!"),
        ("'plugin_' + x", "!"),
        ("f'{x}.y'", "!"),
        ("f'{__name__}_impl'", "!"),
        ("f'.{x}', package=p", "!"),
    ] {
        assert_eq!(
            loads(&format!("{head}importlib.import_module({expression})")),
            [expected],
            "{expression}"
        );
    }
    check(
        &["<pkg.plugins"],
        &["import importlib\npkg = 'pkg.plugins'\nimportlib.import_module(f'{pkg}.{name}')"],
    );
    check(
        &["!"],
        &[
            "import importlib\nN = 'a'\nN = f()\nimportlib.import_module(N)",
            "import importlib\ndef f(N):\n  importlib.import_module(N)",
            "import importlib\nload = importlib.import_module",
        ],
    );
}

#[test]
fn loops_and_tables_of_literals_are_followed() {
    check(
        &["=a.b", "=c.d"],
        &[
            "import importlib\nfor m in ['a.b', 'c.d']:\n  importlib.import_module(m)",
            "import importlib\nMS = ('a.b', 'c.d')\n[importlib.import_module(m) for m in MS]",
            "import importlib\nT = {'x': 'a.b', 'y': 'c.d'}\ndef f(n):\n  return importlib.import_module(T[n])",
            "import importlib\nT = {'x': 'a.b', 'y': 'c.d'}\nfor k, v in T.items():\n  importlib.import_module(v)",
            "import importlib\nT = {'x': 'a.b', 'y': 'c.d'}\nfor v in sorted(T.values()):\n  importlib.import_module(v)",
            "import importlib\nT = {'x': ('a.b', 1), 'y': ('c.d', 2)}\ndef f(n):\n  m, _ = T[n]\n  importlib.import_module(m)",
            "import importlib\nT = {'x': ('a.b', 1), 'y': ('c.d', 2)}\ndef f(n):\n  importlib.import_module(T[n][0])",
            "import importlib\nlist(map(importlib.import_module, ['a.b', 'c.d']))",
        ],
    );
}

#[test]
fn walks_over_packages() {
    check(
        &["<pkg.sub"],
        &["import pkgutil, pkg.sub\nfor m in pkgutil.walk_packages(pkg.sub.__path__): pass"],
    );
    check(
        &["<pkg", "<pkg"],
        &[
            "import pkgutil, importlib, pkg\nfor _, n, _ in pkgutil.iter_modules(pkg.__path__, 'pkg.'):\n  importlib.import_module(n)",
            "import pkgutil, importlib, pkg\nfor i in pkgutil.walk_packages(path=pkg.__path__, prefix='pkg.'):\n  importlib.import_module(i.name)",
        ],
    );
    check(
        &["<~", "<~"],
        &[
            "import pkgutil, importlib\nfor _, n, _ in pkgutil.iter_modules(__path__):\n  importlib.import_module(f'{__name__}.{n}')",
        ],
    );
    check(
        &["<.plugins"],
        &["import pkgutil\nfrom . import plugins\npkgutil.walk_packages(plugins.__path__)"],
    );
    check(
        &["!"],
        &[
            "import pkgutil, importlib\nfor _, n, _ in pkgutil.iter_modules(path):\n  importlib.import_module(n)",
        ],
    );
}

#[test]
fn the_other_loaders() {
    check(&["=a.b", "=a.b.__main__"], &["import runpy\nrunpy.run_module('a.b')"]);
    check(
        &["=a.b"],
        &[
            "import importlib.util\nimportlib.util.find_spec('a.b')",
            "import pytest\na = pytest.importorskip('a.b')",
            "import pkgutil\npkgutil.resolve_name('a.b:C')",
            "import pkgutil\npkgutil.get_data('a.b', 'x.bin')",
            "from importlib import resources\nresources.files('a.b')",
            "import importlib.resources as r\nr.open_text('a.b', 'f')",
            "exec('import a.b')",
            "subprocess.run([sys.executable, '-m', 'a.b'])",
            "os.system('python -m a.b --x')",
        ],
    );
    check(
        &["!"],
        &["exec(code)", "import importlib.util\nimportlib.util.spec_from_file_location('x', path)"],
    );
    check(
        &[],
        &[
            "eval(code)",
            "import importlib\nimportlib.reload(m)",
            "import importlib.util\nimportlib.util.spec_from_file_location('x', 'tools/x.py')",
            "import importlib.util, os\nimportlib.util.spec_from_file_location('x', os.path.join(here, 'x.py'))",
            "import importlib.util\nP = (HERE / 'x.py').resolve()\nimportlib.util.spec_from_file_location('x', str(P))",
            "from importlib.metadata import entry_points\nentry_points(group='x')",
            "cursor.exec(code)",
        ],
    );
    check(
        &["=~a", "=~b.c"],
        &[
            "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach(__name__, submodules=['a'], submod_attrs={'b.c': ['D']})",
        ],
    );
    assert!(read("import importlib.util\nimportlib.util.find_spec('a.b')").dynamic[0].optional);
    let guarded = read(
        "import importlib\ndef f():\n  try:\n    importlib.import_module('a')\n  except ImportError: pass",
    );
    assert!(guarded.dynamic[0].optional && guarded.dynamic[0].deferred);
}

#[test]
fn a_module_getattr_loads_from_the_modules_tables() {
    let monarch = "from importlib import import_module\n_public_api = {'Extent': ('monarch._src.actor.shape', 'Extent'), 'Shape': ('monarch.x.y', 'Shape')}\ndef __getattr__(name):\n  if name in _public_api:\n    module_name, attr = _public_api[name]\n    return getattr(import_module(module_name), attr)\n";
    assert_eq!(loads(monarch), ["=monarch._src.actor.shape", "=monarch.x.y"]);
    let facts = read(monarch);
    let tables: Vec<_> = facts.strings.iter().map(|string| (&*string.text, string.kind)).collect();
    assert_eq!(
        tables,
        [
            ("monarch._src.actor.shape", StringKind::LazyTable),
            ("monarch.x.y", StringKind::LazyTable)
        ]
    );

    let relative = "import importlib\n_T = {'Foo': '.foo', 'Bar': 'bar'}\ndef __getattr__(name):\n  return importlib.import_module('.' + pick(name), __name__)\n";
    assert_eq!(loads(relative), ["=~bar", "=~foo"]);
    let dotted = "import importlib\n_T = {'Foo': '.foo'}\ndef __getattr__(name):\n  return importlib.import_module(_find(name), __package__)\n";
    assert_eq!(loads(dotted), ["=.foo"]);
    let scipy = "import importlib\nsubmodules = ['a', 'b']\ndef __getattr__(name):\n  return importlib.import_module(f'scipy.{name}')\n";
    assert_eq!(loads(scipy), ["=scipy.a", "=scipy.b"]);
    let bare = "import importlib\ndef __getattr__(name):\n  return importlib.import_module('.' + name, __name__)\n";
    assert_eq!(loads(bare), ["<~"]);
    let unknown =
        "import importlib\ndef __getattr__(name):\n  return importlib.import_module(name)\n";
    assert_eq!(loads(unknown), ["!"]);
}
