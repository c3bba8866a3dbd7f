"""Intervals with a longer upper side: trips are rarely early."""

import telemetry
from eta.models.heads.base import Head

LOW, HIGH = 0.9, 1.4


class QuantileHead(Head):
    """Fixed factors from the last calibration."""

    def interval(self, seconds):
        telemetry.counter("quantile_intervals").add()
        return seconds * LOW, seconds * HIGH


HEAD = QuantileHead()
