"""Half a cosine, from the full rate to zero."""

import math


class Cosine:
    """Reaches zero after `steps`."""

    def __init__(self, rate: float, steps: int) -> None:
        self._rate = rate
        self._steps = steps

    def rate(self, step: int) -> float:
        """The rate at a step."""
        done = min(1.0, step / self._steps)
        return self._rate * 0.5 * (1 + math.cos(math.pi * done))
