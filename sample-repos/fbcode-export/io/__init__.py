from pathlib import Path

from .jpeg import decode_jpeg
from .png import decode_png
from .registry import Registry

_REGISTRY = Registry({".jpg": decode_jpeg, ".png": decode_png})


def read(path: str):
    return _REGISTRY.find(Path(path).suffix)(Path(path).read_bytes())
