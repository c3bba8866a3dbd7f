"""Training and holdout sets."""

from eta.common.ids import shard


def split(trips, holdout=10):
    """Two lists: about one trip in `holdout` goes to the second."""
    train, held = [], []
    for trip in trips:
        (held if shard("split" + trip.trip_id, holdout) == 0 else train).append(trip)
    return train, held
