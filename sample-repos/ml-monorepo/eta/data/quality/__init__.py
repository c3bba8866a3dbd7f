"""Checks of incoming trips."""

from . import bounds, duplicates, known_city

CHECKS = (bounds.check, duplicates.check, known_city.check)


def problems(trips):
    """What is wrong with the trips, as text, in no particular order."""
    return [problem for check in CHECKS for problem in check(trips)]
