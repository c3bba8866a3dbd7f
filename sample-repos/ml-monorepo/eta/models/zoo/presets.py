"""Ready-made models."""

from eta.common.registry import Registry
from eta.models.linear import Linear
from eta.models.mlp import Mlp
from eta.models.tree import Stump
from eta.models.zoo.ensemble import Ensemble

PRESETS = Registry("model")
PRESETS.add("linear")(Linear)
PRESETS.add("mlp")(Mlp)
PRESETS.add("stump")(lambda width: Stump())


@PRESETS.add("default")
def default(width: int) -> Ensemble:
    """What serving uses unless told otherwise."""
    return Ensemble([Linear(width), Mlp(width)])


def make(name: str, width: int):
    """A model by the name of its preset."""
    return PRESETS.make(name, width)
