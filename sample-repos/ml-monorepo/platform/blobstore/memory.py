"""Blobs in a dict: for tests and for caches that may vanish."""

from .errors import BlobMissing

_BLOBS = {}


def put(path, data):
    """Keep a copy of `data`."""
    _BLOBS[path] = bytes(data)


def get(path):
    """The bytes last put under `path`."""
    if path not in _BLOBS:
        raise BlobMissing(path)
    return _BLOBS[path]
