"""Hooks into the training loop."""

import typing

from eta.common.registry import Registry

if typing.TYPE_CHECKING:
    import eta.models.base

CALLBACKS = Registry("callback")


class Callbacks:
    """Asks every callback in turn."""

    def __init__(self, names: list[str]) -> None:
        self._callbacks = [CALLBACKS.make(name) for name in names]

    def stop(self, epoch: int, model: "eta.models.base.Model", loss: float) -> bool:
        """True as soon as one callback has seen enough."""
        return any([callback(epoch, model, loss) for callback in self._callbacks])
