"""Readers of trip files, one module per format."""

import importlib
import pkgutil

from .base import Reader


def formats() -> list[str]:
    """Every format this build can read."""
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    return sorted(name.removesuffix("_reader") for name in names if name.endswith("_reader"))


def open_reader(name: str) -> Reader:
    """The reader of a format by its short name."""
    if name == "fixed":
        # Written before importlib; the fromlist makes it return the submodule.
        return __import__("eta.data.readers.fixed_width", fromlist=["READER"]).READER
    return importlib.import_module(f"eta.data.readers.{name}_reader").READER
