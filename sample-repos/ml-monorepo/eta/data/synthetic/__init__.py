"""Made-up trips, the same every time."""

from eta.data.synthetic.generator import generate

__all__ = ["generate"]
