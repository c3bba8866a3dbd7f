"""Equal-count buckets of a column."""

import bisect


def edges(values: list[float], buckets: int) -> list[float]:
    """The inner edges, so that every bucket holds about as many values."""
    ranked = sorted(values)
    return [ranked[len(ranked) * n // buckets] for n in range(1, buckets)]


def bucket(value: float, inner: list[float]) -> int:
    """The number of the bucket a value falls into."""
    return bisect.bisect_right(inner, value)
