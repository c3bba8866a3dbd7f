"""A slow start."""


class Warmup:
    """Linear up to the full rate, then constant."""

    def __init__(self, rate: float, steps: int) -> None:
        self._rate = rate
        self._steps = steps

    def rate(self, step: int) -> float:
        """The rate at a step."""
        return self._rate * min(1.0, (step + 1) / self._steps)
