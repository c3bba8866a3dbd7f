"""Builds an object from a preset's dictionary."""

import importlib
from typing import Any


def instantiate(spec: dict[str, Any]) -> Any:
    """Call `_target_` with the other entries as arguments."""
    arguments = dict(spec)
    module_name, _, attribute = arguments.pop("_target_").rpartition(".")
    module = importlib.import_module(module_name)  # secateur: loads[eta.training.schedules.*] presets
    return getattr(module, attribute)(**arguments)
