from dataclasses import dataclass

import numpy as np
from visionkit.core.errors import ShapeError


@dataclass
class Image:
    """Height by width by three channels, 8 bits each."""

    pixels: np.ndarray

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ShapeError(f"expected height, width, 3; got {self.pixels.shape}")

    @property
    def size(self) -> tuple[int, int]:
        height, width, _ = self.pixels.shape
        return width, height
