"""Tries rates until the loss explodes."""

from eta.training.optim import Momentum


def find_rate(start: float = 1e-4, factor: float = 2.0, limit: float = 1e3) -> float:
    """The last rate at which a parabola was still descended."""
    rate = start
    while True:
        optimizer, at = Momentum(rate, momentum=0.0), [1.0]
        for _ in range(10):
            at = optimizer.step(at, [2 * at[0]])
        if abs(at[0]) > limit:
            return rate / factor
        rate *= factor
