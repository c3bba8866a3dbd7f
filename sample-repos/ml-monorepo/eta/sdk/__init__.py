"""The public face of the ETA service. Names are loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

from eta.sdk.version import VERSION

if TYPE_CHECKING:
    from eta.data.schema import Trip
    from eta.models.heads.base import Head
    from eta.serving.client import Client

_public_api = {
    "Client": ("eta.serving.client", "Client"),
    "Head": ("eta.models.heads.base", "Head"),
    "Trip": ("eta.data.schema", "Trip"),
}

__all__ = ["Client", "Head", "Trip", "VERSION"]


def __getattr__(name):
    if name in _public_api:
        module_path, attribute = _public_api[name]
        return getattr(import_module(module_path), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
