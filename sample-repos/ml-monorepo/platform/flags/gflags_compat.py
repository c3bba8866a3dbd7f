"""The old DEFINE_* functions, for binaries that have not moved to `parse`."""

from flags.types import Flag

_DEFINED = []


def DEFINE_string(name, default, help_text=""):
    """Define a string flag; the help text is ignored."""
    _DEFINED.append(Flag(name, str, default))


def defined():
    """Every flag defined so far."""
    return list(_DEFINED)
