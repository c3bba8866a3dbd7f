"""What a module offers, by importing it."""

import importlib
import inspect
import json


def describe(module_name: str) -> dict[str, str]:
    """Public names of any module that is installed, with the first line of their docs."""
    module = importlib.import_module(module_name)
    names = [name for name in dir(module) if not name.startswith("_")]
    return {name: (inspect.getdoc(getattr(module, name)) or "").split("\n")[0] for name in names}


def as_json(module_name: str) -> str:
    """The same as text."""
    return json.dumps(describe(module_name), indent=1, sort_keys=True)
