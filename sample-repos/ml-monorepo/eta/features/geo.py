"""Features of the two ends of a trip."""

import math

import geocell
from acme.geo import haversine_km
from eta.data.schema import Trip

NAMES = ("distance_km", "bearing")


def features(trip: Trip) -> list[float]:
    """Distance, and the direction in radians."""
    return [haversine_km(trip.start, trip.end), bearing(trip.start, trip.end)]


def bearing(start, end) -> float:
    """Direction from `start` to `end`; good enough within a city."""
    north = end[0] - start[0]
    east = (end[1] - start[1]) * math.cos(math.radians(start[0]))
    return math.atan2(east, north)


def cell(point) -> str:
    """The square a point lies in."""
    return geocell.cell(*point)
