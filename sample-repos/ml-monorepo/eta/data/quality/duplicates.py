"""Trips delivered twice."""

from collections import Counter


def check(trips):
    """One line per identifier that occurs more than once."""
    counts = Counter(trip.trip_id for trip in trips)
    for trip_id, count in counts.items():
        if count > 1:
            yield f"{trip_id}: delivered {count} times"
