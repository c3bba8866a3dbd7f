"""Features of the time of departure."""

import datetime
import math

from eta.features.holidays import DAYS

NAMES = ("hour_sin", "hour_cos", "weekend", "holiday")


def features(departed_at: int) -> list[float]:
    """One number per name."""
    at = datetime.datetime.fromtimestamp(departed_at, datetime.timezone.utc)
    angle = 2 * math.pi * (at.hour * 60 + at.minute) / 1440
    return [
        math.sin(angle),
        math.cos(angle),
        float(at.weekday() >= 5),
        float((at.year, at.month, at.day) in DAYS),
    ]
