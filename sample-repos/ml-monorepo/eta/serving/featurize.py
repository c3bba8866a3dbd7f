"""Features of a request."""

from eta.data.schema import Trip
from eta.features import geo, time_of_day
from eta.features.pipeline import vector


def featurize(trip: Trip, live: bool = False):
    """The vector of a trip; with `live`, corrected for the traffic of the moment."""
    x = vector(trip)
    if live:
        from eta.features.traffic import TrafficModel

        return x.scale(TrafficModel().factor(trip))
    return x


def cache_key(trip: Trip) -> str:
    """Trips with the same key get the same answer."""
    hour = [round(value, 1) for value in time_of_day.features(trip.departed_at)]
    return f"{geo.cell(trip.start)}/{geo.cell(trip.end)}/{hour}"
