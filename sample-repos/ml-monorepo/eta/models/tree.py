"""A tree with one split: the baseline every model has to beat."""

from __future__ import annotations

import typing as t

from eta.common.errors import EtaError
from eta.models.base import Model
from eta.models.splitter import best_split

if t.TYPE_CHECKING:
    from eta.data.schema import Trip


class Stump(Model):
    """Splits one feature in two."""

    name = "stump"

    def __init__(self, feature: int = 0) -> None:
        self.feature = feature
        self.split = [0.0, 600.0, 600.0]

    def predict(self, x):
        threshold, low, high = self.split
        return low if list(x)[self.feature] < threshold else high

    def parameters(self):
        return {"split": self.split}

    def fit(self, xs, trips: list[Trip]) -> None:
        """Choose the threshold that leaves the least error."""
        if not trips:
            raise EtaError("cannot fit a stump to nothing")
        column = [list(x)[self.feature] for x in xs]
        target = [trip.duration for trip in trips]
        threshold, _ = best_split(column, target)
        low = [y for v, y in zip(column, target) if v < threshold] or target
        high = [y for v, y in zip(column, target) if v >= threshold] or target
        self.split = [threshold, sum(low) / len(low), sum(high) / len(high)]
