"""The same rate for ever."""


class Constant:
    """Never changes."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def rate(self, step: int) -> float:
        """The rate at a step."""
        return self._rate
