"""Explains the features of one trip: `route_debug LAT LON LAT LON DEPARTED_AT`."""

import sys

import eta.features.time_of_day
from eta.data.schema import Trip
from eta.features.pipeline import vector


def explain(trip: Trip) -> list[str]:
    """One line per feature with a name, and the rest of the vector as it is."""
    clock = eta.features.time_of_day.features(trip.departed_at)
    # Loaded by the pipeline, so there is no import of its own here.
    route = eta.features.geo.features(trip)
    names = (*eta.features.geo.NAMES, *eta.features.time_of_day.NAMES)
    lines = [f"{name:<12} {value:8.3f}" for name, value in zip(names, (*route, *clock))]
    return lines + [f"{value:21.3f}" for value in list(vector(trip))[len(lines) :]]


if __name__ == "__main__":
    lat, lon, to_lat, to_lon, departed_at = map(float, sys.argv[1:6])
    asked = Trip("debug", "*", (lat, lon), (to_lat, to_lon), int(departed_at), 0.0)
    print("\n".join(explain(asked)))
