"""Chooses the store by the scheme of the URI. Stores are loaded on first use."""

import importlib

from .uri import split_uri


def _store(scheme):
    if scheme == "mem":
        return importlib.import_module(".memory", package=__package__)
    if scheme == "file":
        return importlib.import_module(".local", package=__package__)
    raise ValueError(f"no store for {scheme}://")


def put(uri, data):
    """Write `data` (bytes) under `uri`."""
    scheme, path = split_uri(uri)
    _store(scheme).put(path, data)


def get(uri):
    """The bytes under `uri`; raises `BlobMissing`."""
    scheme, path = split_uri(uri)
    return _store(scheme).get(path)
