"""Platt scaling: a logistic curve over the scores."""

from tinytensor.nn import sigmoid


def probability(score: float, slope: float, shift: float) -> float:
    """The calibrated probability."""
    return sigmoid(slope * score + shift)


def fit(scores, outcomes, steps: int = 200, rate: float = 0.1):
    """(slope, shift) by gradient descent."""
    slope, shift = 1.0, 0.0
    for _ in range(steps):
        errors = [probability(s, slope, shift) - o for s, o in zip(scores, outcomes)]
        slope -= rate * sum(e * s for e, s in zip(errors, scores)) / len(scores)
        shift -= rate * sum(errors) / len(scores)
    return slope, shift
