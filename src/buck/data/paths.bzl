# POSIX paths as text; stands in for `paths.bzl` where it is not on disk.

def _is_absolute(path):
    return path.startswith("/")

def _basename(path):
    return path.rpartition("/")[-1]

def _dirname(path):
    head, slash, _ = path.rpartition("/")
    if not slash:
        return ""
    return head.rstrip("/") or slash

def _join(path, *others):
    joined = path
    for other in others:
        if _is_absolute(other):
            joined = other
        elif not joined or joined.endswith("/"):
            joined += other
        elif other:
            joined += "/" + other
    return joined

def _normalize(path):
    parts = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part == ".." and _is_absolute(path):
            continue
        else:
            parts.append(part)
    joined = "/".join(parts)
    return "/" + joined if _is_absolute(path) else joined or "."

def _relativize(path, start):
    path_parts = [part for part in _normalize(path).split("/") if part != "."]
    start_parts = [part for part in _normalize(start).split("/") if part != "."]
    if path_parts[:len(start_parts)] != start_parts:
        fail("path '{}' is not below '{}'".format(path, start))
    return "/".join(path_parts[len(start_parts):])

def _split_extension(path):
    name = _basename(path)
    at = name.rfind(".")
    if at <= 0:
        return (path, "")
    length = len(name) - at
    return (path[:-length], path[-length:])

def _replace_extension(path, extension):
    return _split_extension(path)[0] + extension

def _starts_with(path, start):
    return (_normalize(path) + "/").startswith(_normalize(start) + "/")

paths = struct(
    basename = _basename,
    dirname = _dirname,
    is_absolute = _is_absolute,
    is_normalized = lambda path: _normalize(path) == path,
    join = _join,
    normalize = _normalize,
    relativize = _relativize,
    replace_extension = _replace_extension,
    split_extension = _split_extension,
    starts_with = _starts_with,
)
