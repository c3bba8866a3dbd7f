"""Every model by name."""

from eta.models.linear import Linear
from eta.models.mlp import Mlp
from eta.models.tree import Stump
from eta.models.zoo.ensemble import Ensemble
from eta.models.zoo.presets import make

__all__ = ["Ensemble", "Linear", "Mlp", "Stump", "make"]
