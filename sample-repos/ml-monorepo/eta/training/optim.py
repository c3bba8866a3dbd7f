"""Optimizers over plain lists of numbers."""

from tinytensor import Tensor

try:
    from eta.kernels import ops
except ImportError:  # only GPU builds carry the kernels here
    ops = None


class Momentum:
    """Gradient descent with momentum."""

    def __init__(self, rate: float, momentum: float = 0.9) -> None:
        self.rate = rate
        self.momentum = momentum
        self._velocity: Tensor | None = None

    def step(self, values: list[float], gradient: list[float]) -> list[float]:
        """The values after one step."""
        push = Tensor(gradient).scale(-self.rate)
        if self._velocity is not None:
            push = push + self._velocity.scale(self.momentum)
        self._velocity = push
        return list(Tensor(values) + push)

    def energy(self) -> float:
        """Squared length of the last step."""
        last = list(self._velocity or [])
        if ops is not None:
            return ops.weighted_sum(last, last)
        return sum(v * v for v in last)
