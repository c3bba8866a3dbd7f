"""Drops what no model should learn from."""

import telemetry

MAX_SECONDS = 4 * 3600


def clean(trips):
    """Only trips that took between half a minute and four hours."""
    dropped = telemetry.counter("trips_dropped")
    for trip in trips:
        if 30 <= trip.duration <= MAX_SECONDS:
            yield trip
        else:
            dropped.add()
