import numpy as np
from visionkit.core.image import Image

TONE = np.array([[0.39, 0.77, 0.19], [0.35, 0.69, 0.17], [0.27, 0.53, 0.13]])


def apply(image: Image) -> Image:
    return Image((image.pixels @ TONE.T).clip(0, 255).astype(np.uint8))
