"""Trips with the fields a test does not care about filled in."""

from eta.data.schema import Trip


def make_trip(**fields: object) -> Trip:
    """A short trip through Bergen at noon."""
    values = {
        "trip_id": "t1",
        "city": "bergen",
        "start": (60.39, 5.32),
        "end": (60.37, 5.35),
        "departed_at": 1_700_000_000,
        "duration": 600.0,
    }
    return Trip(**{**values, **fields})


def make_trips(count: int) -> list[Trip]:
    """`count` trips, an hour apart, each a minute longer than the last."""
    return [
        make_trip(trip_id=f"t{n}", departed_at=1_700_000_000 + 3600 * n, duration=600.0 + 60 * n)
        for n in range(count)
    ]
