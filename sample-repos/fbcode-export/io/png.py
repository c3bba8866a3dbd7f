import io

import numpy as np
from PIL import Image as PillowImage
from visionkit.core.errors import DecodeError
from visionkit.core.image import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decode_png(data: bytes) -> Image:
    if not data.startswith(SIGNATURE):
        raise DecodeError("PNG", "bad signature")
    return Image(np.asarray(PillowImage.open(io.BytesIO(data)).convert("RGB")))
