from visionkit.core.image import Image
from visionkit.native import resample


def resize(image: Image, size: tuple[int, int]) -> Image:
    return Image(resample.bilinear(image.pixels, size))


def halve(image: Image) -> Image:
    width, height = image.size
    return resize(image, (width // 2, height // 2))
