"""Squared near zero, absolute beyond."""

DELTA = 60.0


def loss(predicted: float, wanted: float) -> float:
    """Seconds squared near zero, seconds further out."""
    error = abs(predicted - wanted)
    return 0.5 * error**2 if error <= DELTA else DELTA * (error - 0.5 * DELTA)


def slope(predicted: float, wanted: float) -> float:
    """The derivative by `predicted`."""
    return max(-DELTA, min(DELTA, predicted - wanted))
