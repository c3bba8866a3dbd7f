"""What a head is."""


class Head:
    """An interval around a prediction."""

    def interval(self, seconds: float) -> tuple[float, float]:
        """(low, high), both in seconds."""
        raise NotImplementedError

    def width(self, seconds: float) -> float:
        """How sure we are."""
        low, high = self.interval(seconds)
        return high - low
