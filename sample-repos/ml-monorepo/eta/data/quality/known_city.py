"""Trips outside the cities we serve."""

from typing import Iterable, Iterator

from eta.data.cities import table
from eta.data.schema import Trip


def check(trips: Iterable[Trip]) -> Iterator[str]:
    """One line per trip of an unknown city."""
    known = table()
    for trip in trips:
        if trip.city not in known:
            yield f"{trip.trip_id}: we do not serve {trip.city}"
