"""Coordinates on this planet."""


def check(trips):
    """One line per trip with an impossible point."""
    for trip in trips:
        for lat, lon in (trip.start, trip.end):
            if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                yield f"{trip.trip_id}: ({lat}, {lon}) is not a place"
