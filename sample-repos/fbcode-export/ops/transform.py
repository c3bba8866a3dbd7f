from visionkit.core.geometry import Box
from visionkit.core.image import Image


def crop(image: Image, box: Box) -> Image:
    box = box.clipped(*image.size)
    return Image(image.pixels[box.top : box.bottom, box.left : box.right])


def flip(image: Image) -> Image:
    return Image(image.pixels[:, ::-1])
