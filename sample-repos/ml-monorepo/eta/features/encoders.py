"""From features to numbers: one encoder per column."""

from eta.common.registry import Registry

from .hashing import hashed
from .onehot import onehot

ENCODERS = Registry("encoder")


@ENCODERS.add("identity")
def identity(value):
    """The number itself."""
    return [float(value)]


@ENCODERS.add("city")
def city(value):
    """One column per city."""
    return onehot(value, ("bergen", "porto", "split"))


@ENCODERS.add("cell")
def cell(value):
    """A geographic cell, hashed into eight columns."""
    return hashed(value, 8)
