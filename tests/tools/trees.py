"""Trees of files: copies, an edit of one Python source with its bytecode, comparison. Standard library only."""

import importlib.util
import marshal
import os
import py_compile
import shutil
import stat
from pathlib import Path

# Bytes of an edited source and its bytecode. Large for Python, where nine of ten have less: what comes out for the bytes of an
# edit is not flattering.
EDITED = 120_000

TIMESTAMP, UNCHECKED_HASH = 0, 1


def remove(path):
    """Removes a tree or a file, if it is there; also a tree whose directories are read-only."""
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        for directory, _, _ in os.walk(path):
            os.chmod(directory, stat.S_IRWXU)
        shutil.rmtree(path)


def bytecode_of(source):
    """Where this interpreter looks for the bytecode of a source."""
    return Path(importlib.util.cache_from_source(str(source)))


def to_edit(tree):
    """The source to edit, relative to the tree: among those with bytecode of this interpreter the one whose size is nearest."""
    found = [path.relative_to(tree) for path in Path(tree).rglob("*.py") if path.is_file() and not path.is_symlink()]
    compiled = [path for path in found if bytecode_of(tree / path).is_file()]
    if not found:
        raise FileNotFoundError(f"{tree}: no Python source to edit")

    def distance(path):
        changed = sum((tree / name).stat().st_size for name in changed_by_edit(tree, path))
        return abs(changed - EDITED), str(path)

    return min(compiled or found, key=distance)


def edit(tree, source, number):
    """Adds a line to a source, as an editor does: a new file in its place. Compiles it if it was. Returns the changed files."""
    path = tree / source
    text = path.read_bytes() + f"\n_EDIT = {number}\n".encode()
    _replace(path, text, path.stat().st_mode)
    changed = changed_by_edit(tree, source)
    if len(changed) > 1:
        py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    return changed


def changed_by_edit(tree, source):
    """What `edit` changes, relative to the tree."""
    bytecode = bytecode_of(tree / source)
    return [source, bytecode.relative_to(tree)] if bytecode.is_file() else [source]


def copy_files(names, source, destination):
    """Copies some files from one tree to another of the same layout, breaking hard links there."""
    for name in names:
        path = source / name
        _replace(destination / name, path.read_bytes(), path.stat().st_mode)


def _replace(path, content, mode):
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.chmod(stat.S_IMODE(mode))
    beside.replace(path)


def differences(original, placed):
    """What a placed tree says otherwise than its original, at most ten lines: paths, kinds, targets of links, executable bits,
    contents. Bytecode may have been made independent of times (PEP 552) or, where it was stale, left out."""
    left, right = _entries(original), _entries(placed)
    found = []
    for name in sorted(left.keys() | right.keys()):
        difference = _difference(name, left.get(name), right.get(name), original, placed)
        if difference:
            found.append(f"{name}: {difference}")
            if len(found) == 10:
                break
    return found


def _entries(tree):
    entries = {}
    for directory, names, others in os.walk(tree):
        for name in names + others:
            path = os.path.join(directory, name)
            entries[os.path.relpath(path, tree)] = _kind(path)
    return entries


def _kind(path):
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return f"link to {os.readlink(path)}"
    if stat.S_ISDIR(mode):
        return "directory"
    return "executable file" if mode & stat.S_IXUSR else "file"


def _difference(name, left, right, original, placed):
    if right is None and left == "file" and name.endswith(".pyc") and _is_stale(os.path.join(original, name)):
        return None
    if left != right:
        return f"{left or 'nothing'} became {right or 'nothing'}"
    if not left.endswith("file"):
        return None
    old, new = (Path(tree, name).read_bytes() for tree in (original, placed))
    if old == new:
        return None
    if name.endswith(".pyc"):
        return _bytecode_difference(old, new, _source_of(os.path.join(placed, name)))
    return f"{len(old)} bytes became {len(new)} others"


def _source_of(bytecode):
    try:
        return Path(importlib.util.source_from_cache(bytecode))
    except ValueError:
        return Path(bytecode).with_suffix(".py")


def _is_stale(bytecode):
    source, header = _source_of(bytecode), Path(bytecode).read_bytes()[:16]
    if not source.is_file():
        return True
    if int.from_bytes(header[4:8], "little") != TIMESTAMP:
        return False
    recorded = int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little")
    return recorded != (int(source.stat().st_mtime) & 0xFFFFFFFF, source.stat().st_size & 0xFFFFFFFF)


def _bytecode_difference(old, new, source):
    if old[:4] != new[:4]:
        return "bytecode of another interpreter"
    if int.from_bytes(new[4:8], "little") != UNCHECKED_HASH:
        return "bytecode that is checked against times or sources"
    if old[:4] != importlib.util.MAGIC_NUMBER:
        return None
    if new[8:16] != importlib.util.source_hash(source.read_bytes()):
        return "bytecode of another source"
    # Code objects are compared without the names of their files.
    return None if marshal.loads(old[16:]) == marshal.loads(new[16:]) else "other bytecode"
