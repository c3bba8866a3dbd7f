"""Blobs as files."""

from pathlib import Path

from .errors import BlobMissing


def put(path, data):
    """Write the file, with its directories."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def get(path):
    """Read the file."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise BlobMissing(path) from error
