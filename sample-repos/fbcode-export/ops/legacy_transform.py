from visionkit.core.image import Image


def rotate_quarter(image: Image) -> Image:
    return Image(image.pixels.swapaxes(0, 1)[::-1])
