"""Histograms with a fixed range."""


def histogram(values, low: float, high: float, bins: int = 10) -> list[float]:
    """Shares per bin, never zero, so that logarithms exist."""
    counts = [0.5] * bins
    for value in values:
        place = int((value - low) / (high - low) * bins)
        counts[max(0, min(bins - 1, place))] += 1
    total = sum(counts)
    return [count / total for count in counts]
