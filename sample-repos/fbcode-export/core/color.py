import numpy as np

LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def luminance(pixels):
    return pixels.astype(np.float32) @ LUMA
