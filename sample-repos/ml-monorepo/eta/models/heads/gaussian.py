"""Symmetric intervals."""

import telemetry
from eta.models.heads.base import Head


class GaussianHead(Head):
    """Two standard deviations to both sides."""

    def interval(self, seconds):
        telemetry.counter("gaussian_intervals").add()
        return max(0.0, seconds * 0.8), seconds * 1.2


HEAD = GaussianHead()
