from dataclasses import dataclass
from functools import cache
from importlib import resources

from visionkit.core.geometry import Box


@dataclass
class Labelled:
    name: str
    box: Box | None


@cache
def names() -> list[str]:
    directory = resources.files("visionkit.models").joinpath("names")
    return directory.joinpath("names.txt").read_text().split()
