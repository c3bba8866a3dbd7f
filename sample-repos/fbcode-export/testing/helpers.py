import numpy as np
from visionkit.core.image import Image


def blank(width: int, height: int) -> Image:
    return Image(np.zeros((height, width, 3), dtype=np.uint8))
