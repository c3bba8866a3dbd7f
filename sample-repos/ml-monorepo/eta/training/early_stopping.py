"""Stops when the loss no longer falls. Importing this registers it."""

from eta.training.callbacks import CALLBACKS


@CALLBACKS.add("early_stopping")
class EarlyStopping:
    """Patience of three epochs."""

    def __init__(self) -> None:
        self.best = float("inf")
        self.bad = 0

    def __call__(self, epoch, model, loss) -> bool:
        if loss < self.best - 1e-6:
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        return self.bad >= 3
