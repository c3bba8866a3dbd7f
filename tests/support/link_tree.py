"""Builds programs and tests the way Buck2 lays them out, and imports all of their modules.

    link_tree.py SECATEUR [LABEL...]

For each `python_binary` and `python_test` among the labels (all of them if none are given) a link tree is made of the
modules in its closure, wheels of the closure are unpacked beside it, and each first-party module is imported by CPython, one
process a program, from there alone. Native and generated modules, whose files only a real build has, are stubs, and only where
the closure has them. The graph is that of `secateur graph`: its own verdicts play no part in what CPython finds.
"""

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import subprocess
import sys
import tempfile
import traceback
import zipfile

EXECUTABLES = ("python_binary", "python_test")
# Edges along which Python modules travel.
ATTRIBUTES = ("deps", "actual", "preload_deps")


def closure(targets, label):
    seen, stack = {}, [label]
    while stack:
        label = stack.pop()
        target = targets.get(label)
        if label in seen or target is None:
            continue
        seen[label] = target
        stack.extend(d["label"] for d in reversed(target["deps"]) if d["attr"] in ATTRIBUTES)
    return list(seen.values())


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules without a file: anything can be had of them."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in self.names else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__getattr__ = self.anything

    @staticmethod
    def anything(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def lay_out(tree, root, members):
    """Links the modules; gives their names, those of stubs, and where wheels were unpacked."""
    names, stubs, wheels = [], set(), []
    for target in members:
        if target["kind"] == "prebuilt_python_library":
            # Types alone are nothing that runs.
            for src in target["srcs"]:
                if not os.path.basename(src).startswith("types_"):
                    wheels.append(os.path.join(tree, "wheels", os.path.basename(src)))
                    zipfile.ZipFile(os.path.join(root, src)).extractall(wheels[-1])
            continue
        for module in target["modules"]:
            name, path = module["module"], module["path"]
            if path is None:
                stubs.add(name)
                continue
            if not path.endswith(".py"):
                continue
            is_package = os.path.basename(path) == "__init__.py"
            parts = name.split(".") + (["__init__"] if is_package else [])
            link = os.path.join(tree, *parts) + ".py"
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if not os.path.lexists(link):
                os.symlink(os.path.join(root, path), link)
                names.append(name)
    return names, stubs, wheels


def import_all(names, stubs, path):
    """Runs in a process of its own. Gives the exit code."""
    sys.path[:] = path + [entry for entry in sys.path if entry.endswith(LIBRARIES)]
    sys.meta_path.insert(0, Stubs(stubs))
    sys.dont_write_bytecode = True
    bad = 0
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:
            print(f"  {name}", file=sys.stderr)
            traceback.print_exc()
            bad = 1
    sys.stderr.flush()
    return bad


LIBRARIES = (
    f"python{sys.version_info.major}.{sys.version_info.minor}",
    f"python{sys.version_info.major}{sys.version_info.minor}.zip",
    "lib-dynload",
)


def main(secateur, *labels):
    root = os.getcwd()
    output = subprocess.run(
        [secateur, "graph", "--format", "json"], check=True, stdout=subprocess.PIPE
    ).stdout
    targets = {target["label"]: target for target in json.loads(output)}
    wanted = [label for label in labels or targets if targets[label]["kind"] in EXECUTABLES]
    failed = []
    for label in wanted:
        with tempfile.TemporaryDirectory() as tree:
            names, stubs, wheels = lay_out(tree, root, closure(targets, label))
            child = os.fork()
            if child == 0:
                os._exit(import_all(names, stubs, [tree] + wheels))
            _, status = os.waitpid(child, 0)
            if status != 0:
                failed.append(label)
    for label in failed:
        print(f"FAILED {label}")
    print(f"{len(wanted) - len(failed)} of {len(wanted)} programs and tests can be imported")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
