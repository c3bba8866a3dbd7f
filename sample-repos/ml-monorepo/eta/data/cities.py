"""The cities we serve, from the generated table."""

import functools
import json
from importlib import resources


@functools.cache
def table():
    """City name to its facts."""
    # The folder is not a Python package: it only holds the generated file.
    folder = resources.files("eta.data") / "tables"
    return json.loads((folder / "cities.json").read_text())


def centre(city):
    """(latitude, longitude) of a city's centre."""
    return tuple(table()[city]["centre"])


def rush_hour(city):
    """The hour the morning rush begins."""
    return table()[city]["rush"]
