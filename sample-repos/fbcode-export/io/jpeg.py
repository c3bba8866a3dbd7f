import io

import numpy as np
from PIL import Image as PillowImage
from visionkit.core.image import Image

try:
    import simplejpeg
except ImportError:
    simplejpeg = None


def decode_jpeg(data: bytes) -> Image:
    if simplejpeg is not None:
        return Image(simplejpeg.decode_jpeg(data))
    return Image(np.asarray(PillowImage.open(io.BytesIO(data)).convert("RGB")))
