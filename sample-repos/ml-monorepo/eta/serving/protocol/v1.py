"""Version 1 of the protocol."""

import dataclasses

from eta.data.schema import Trip
from eta.serving.protocol.errors import BadRequest


@dataclasses.dataclass(frozen=True)
class Request:
    """Asks for the duration of a trip that has not started."""

    trip: Trip
    head: str = "point"

    @classmethod
    def parse(cls, body: dict) -> "Request":
        """From decoded JSON."""
        try:
            trip = Trip(duration=0.0, **body["trip"])
        except (KeyError, TypeError) as error:
            raise BadRequest(f"not a trip: {error}") from error
        return cls(trip, body.get("head", "point"))


@dataclasses.dataclass(frozen=True)
class Response:
    """Seconds, as an interval."""

    low: float
    high: float
