"""The records everything else speaks about."""

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Trip:
    """One finished trip; points are (latitude, longitude), times are seconds."""

    trip_id: str
    city: str
    start: Point
    end: Point
    departed_at: int
    duration: float


FIELDS = ("trip_id", "city", "start", "end", "departed_at", "duration")


def from_row(row: dict[str, str]) -> Trip:
    """A trip from text fields; points are written `lat;lon`."""
    return Trip(
        trip_id=row["trip_id"],
        city=row["city"],
        start=_point(row["start"]),
        end=_point(row["end"]),
        departed_at=int(row["departed_at"]),
        duration=float(row["duration"]),
    )


def _point(text: str) -> Point:
    lat, lon = text.split(";")
    return float(lat), float(lon)
