"""Process-wide named counters."""

from __future__ import annotations

_COUNTERS: dict[str, Counter] = {}


class Counter:
    """A number that only grows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.value = 0

    def add(self, amount: int = 1) -> None:
        """Grow by `amount`."""
        self.value += amount


def counter(name: str) -> Counter:
    """The one counter of this name."""
    return _COUNTERS.setdefault(name, Counter(name))
