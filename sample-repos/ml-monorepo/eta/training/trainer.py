"""The training loop."""

from eta.models.base import Model
from eta.training.callbacks import Callbacks
from eta.training.losses import *  # noqa: F403
from eta.training.optim import Momentum

LOSSES = {"huber": huber, "pinball": pinball, "squared": squared}  # noqa: F405


class Trainer:
    """Fits the output layer of a model; features are taken as they are."""

    def __init__(self, model: Model, loss: str, callbacks: Callbacks, rate: float) -> None:
        self.model = model
        self.loss = LOSSES[loss]
        self.callbacks = callbacks
        self.optimizer = Momentum(rate)

    def fit(self, xs, ys, epochs: int) -> float:
        """Train; the result is the mean loss of the last epoch."""
        mean = 0.0
        for epoch in range(epochs):
            mean = self._epoch(xs, ys)
            if self.callbacks.stop(epoch, self.model, mean):
                break
        return mean

    def _epoch(self, xs, ys) -> float:
        total = 0.0
        for x, y in zip(xs, ys):
            predicted = self.model.predict(x)
            total += self.loss.loss(predicted, y)
            slope = self.loss.slope(predicted, y) / (1.0 + len(x))
            self._move(slope)
        return total / max(1, len(ys))

    def _move(self, slope: float) -> None:
        parameters = self.model.parameters()
        if "bias" in parameters:
            parameters["bias"] = self.optimizer.step(parameters["bias"], [slope])
            self.model.load(parameters)


def predict_all(model: Model, xs) -> list[float]:
    """Predictions without training anything."""
    return model.predict_all(xs)
