"""Finds the best place to split a column."""

from __future__ import annotations


def best_split(column: list[float], target: list[float]) -> tuple[float, float]:
    """(threshold, remaining squared error)."""
    best = (column[0], _spread(target))
    for threshold in sorted(set(column))[1:]:
        low = [y for x, y in zip(column, target) if x < threshold]
        high = [y for x, y in zip(column, target) if x >= threshold]
        error = _spread(low) + _spread(high)
        if error < best[1]:
            best = (threshold, error)
    return best


def _spread(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)
