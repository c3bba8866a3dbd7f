"""Heads: from seconds to an interval. Loaded by name, so that a build can leave some out."""

import importlib

from eta.models.heads.base import Head

MADE = []


def make_head(name: str) -> Head:
    """The head of this name."""
    head = importlib.import_module(f"eta.models.heads.{name}").HEAD
    MADE.append(name)
    return head
