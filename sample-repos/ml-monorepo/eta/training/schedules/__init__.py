"""Learning rates over time."""

from .constant import Constant
from .cosine import Cosine
from .warmup import Warmup

_BY_NAME = {"constant": Constant, "cosine": Cosine, "warmup": Warmup}


def from_name(name, **arguments):
    """The schedule of this name."""
    return _BY_NAME[name](**arguments)
