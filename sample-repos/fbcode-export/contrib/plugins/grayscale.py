import numpy as np
from visionkit.core.color import luminance
from visionkit.core.image import Image


def apply(image: Image) -> Image:
    gray = luminance(image.pixels).astype(np.uint8)
    return Image(np.stack([gray] * 3, axis=-1))
