from visionkit.native import _resample


def bilinear(pixels, size):
    width, height = size
    return _resample.bilinear(pixels, width, height)
