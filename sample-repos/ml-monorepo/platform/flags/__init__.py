"""Command-line flags with a type and a default."""

from flags.parser import parse
from flags.types import Flag

__all__ = ["Flag", "parse"]
