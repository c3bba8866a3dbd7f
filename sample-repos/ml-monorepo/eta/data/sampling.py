"""Deterministic sampling: by identifier, never by chance."""

from typing import Iterable, Iterator

from eta.common import ids
from eta.data.schema import Trip


def sample(trips: Iterable[Trip], one_in: int) -> Iterator[Trip]:
    """About one trip in `one_in`, the same ones every time."""
    return (trip for trip in trips if ids.shard(trip.trip_id, one_in) == 0)


def by_city(trips: Iterable[Trip]) -> dict[str, list[Trip]]:
    """The trips of each city, in their order."""
    cities: dict[str, list[Trip]] = {}
    for trip in trips:
        cities.setdefault(trip.city, []).append(trip)
    return cities
