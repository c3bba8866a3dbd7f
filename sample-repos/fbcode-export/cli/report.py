import visionkit.io
from visionkit.cli.common import parser
from visionkit.core.color import luminance


def main() -> None:
    arguments = parser("prints how bright an image is").parse_args()
    image = visionkit.io.read(arguments.path)
    print(image.size, float(luminance(image.pixels).mean()))
