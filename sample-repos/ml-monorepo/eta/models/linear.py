"""Linear regression."""

import tinytensor

from eta.common import logging
from eta.kernels import device
from eta.models.base import Model
from eta.models.solver import descend

LOG = logging.get(__name__)


class Linear(Model):
    """A weight per feature, and a bias."""

    name = "linear"

    def __init__(self, width: int) -> None:
        self.weights = list(tinytensor.zeros(width))
        self.bias = [600.0]

    def predict(self, x):
        return max(0.0, self.bias[0] + tinytensor.dot(self.weights, x))

    def parameters(self):
        return {"weights": self.weights, "bias": self.bias}

    def fit(self, xs, ys, steps: int = 20) -> None:
        """Gradient descent on the squared error."""
        LOG.debug("fit on %s", device.describe())
        self.weights, self.bias[0] = descend(self.weights, self.bias[0], xs, ys, steps)
