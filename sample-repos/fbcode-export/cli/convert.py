from visionkit.cli.common import parser
from visionkit.legacy.compat import open_image
from visionkit.ops.transform import flip


def main() -> None:
    arguments = parser("mirrors an image").parse_args()
    print(flip(open_image(arguments.path)).size)
