"""From a trip to the vector a model takes."""

from tinytensor import Tensor

from eta.data.schema import Trip
from eta.features import geo, time_of_day, weather
from eta.features.embeddings import embed
from eta.features.encoders import ENCODERS
from eta.features.store import FeatureStore

STORE = FeatureStore()


def vector(trip: Trip, near: str = "centre") -> Tensor:
    """All features of a trip, in a fixed order."""
    row = STORE.get(trip.trip_id)
    if row is None:
        row = [
            *geo.features(trip),
            *time_of_day.features(trip.departed_at),
            *weather.features(trip),
            *ENCODERS.make("city", trip.city),
            *ENCODERS.make("cell", geo.cell(trip.start)),
            *embed(near),
        ]
        STORE.put(trip.trip_id, row)
    return Tensor(row)
