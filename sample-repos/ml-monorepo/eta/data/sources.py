"""Where trips come from: a file, a blob, or a generator."""

import sys

from acme import blobstore
from eta.data.synthetic import generate


def lines(source):
    """The lines of a source, or of standard input for `-`."""
    if source == "-":
        return iter(sys.stdin)
    if "://" in source:
        return iter(blobstore.get(source).decode().splitlines())
    return open(source)


def synthetic(count):
    """`count` generated trips."""
    return generate(count)
