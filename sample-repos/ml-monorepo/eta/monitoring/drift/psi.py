"""The population stability index."""

import math

from .histogram import histogram


def psi(before, after) -> float:
    """Zero for equal distributions; above 0.2 something has changed."""
    low, high = min(before), max(before)
    if low == high:
        return 0.0
    old, new = histogram(before, low, high), histogram(after, low, high)
    return sum((n - o) * math.log(n / o) for o, n in zip(old, new))
