"""Drift as text, and as a counter."""

import telemetry

from .psi import psi


def describe(name: str, before, after) -> str:
    """One line per feature."""
    value = psi(before, after)
    telemetry.counter("features_checked").add()
    return f"{name:<12} {value:6.3f}"
