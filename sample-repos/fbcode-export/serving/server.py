import sys
from typing import TYPE_CHECKING

import visionkit.io
from visionkit.models.classifier import Classifier
from visionkit.serving.loader import load_plugin

if TYPE_CHECKING:
    from visionkit.models.labels import Labelled


def answer(path: str, plugin: str) -> "Labelled":
    image = load_plugin(plugin).apply(visionkit.io.read(path))
    return Classifier().classify(image)


def main() -> None:
    print(answer(sys.argv[1], sys.argv[2]).name)
