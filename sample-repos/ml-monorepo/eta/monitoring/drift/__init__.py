"""How far the inputs have moved since training."""

from .psi import psi
from .report import describe

__all__ = ["describe", "psi"]
