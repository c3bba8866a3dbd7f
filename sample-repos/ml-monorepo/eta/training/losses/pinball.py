"""For quantiles: being late costs more than being early."""

TAU = 0.8


def loss(predicted: float, wanted: float) -> float:
    """Tilted absolute error."""
    error = wanted - predicted
    return TAU * error if error >= 0 else (TAU - 1) * error


def slope(predicted: float, wanted: float) -> float:
    """The derivative by `predicted`."""
    return -TAU if wanted >= predicted else 1 - TAU
