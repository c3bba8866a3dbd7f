"""Requests as clients really send them."""

TRIP = {
    "trip_id": "g1",
    "city": "porto",
    "start": [41.15, -8.61],
    "end": [41.16, -8.6],
    "departed_at": 1_700_000_000,
}

GOOD = [{"trip": TRIP}, {"trip": TRIP, "head": "quantile"}]
BAD = [{}, {"trip": {}}, {"trip": {**TRIP, "colour": "red"}}]
