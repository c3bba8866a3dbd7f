"""How good predictions are."""

import statistics


def mean_absolute_error(predicted: list[float], wanted: list[float]) -> float:
    """Mean distance, in seconds."""
    return statistics.fmean(abs(p - w) for p, w in zip(predicted, wanted))


def share_within(predicted: list[float], wanted: list[float], seconds: float) -> float:
    """The share of predictions at most `seconds` off."""
    hits = sum(abs(p - w) <= seconds for p, w in zip(predicted, wanted))
    return hits / len(wanted)
