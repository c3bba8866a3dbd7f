import sys
import time

import numpy as np
from visionkit.core.image import Image
from visionkit.ops.transform import flip

if sys.platform == "linux":
    from visionkit.native.resample import bilinear
else:
    bilinear = None


def main() -> None:
    image = Image(np.zeros((480, 640, 3), dtype=np.uint8))
    for operation in (flip, lambda image: bilinear and bilinear(image.pixels, (64, 64))):
        start = time.perf_counter()
        operation(image)
        print(time.perf_counter() - start)
