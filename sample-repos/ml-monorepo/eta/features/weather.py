"""Features of the weather at departure."""

from eta.data.schema import Trip
from eta.features.weather_table import RAIN_DAYS

NAMES = ("rain",)


def features(trip: Trip) -> list[float]:
    """The share of rainy days in the trip's city and month."""
    return [rain(trip.city, month_of(trip.departed_at))]


def month_of(departed_at: int) -> int:
    """1 to 12, near enough for a climate table."""
    return departed_at % 31_556_952 // 2_629_746 + 1


def rain(city: str, month: int) -> float:
    """Between 0 and 1; an unknown city is average."""
    return RAIN_DAYS.get(city, [10] * 12)[month - 1] / 30
