"""Features by trip, for the time between prediction and arrival."""

from eta.common import clock

TTL = 3 * 3600


class FeatureStore:
    """Rows that forget themselves."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[float, list[float]]] = {}

    def put(self, trip_id: str, row: list[float]) -> None:
        """Remember a row until it is too old."""
        self._rows[trip_id] = (clock.now() + TTL, row)

    def get(self, trip_id: str) -> list[float] | None:
        """The row, or None."""
        until, row = self._rows.get(trip_id, (0.0, None))
        return row if clock.now() < until else None

    def snapshot(self, name: str) -> None:
        """Copy all rows to the blob store."""
        from acme.blobstore.memory import put

        put(name, repr(sorted(self._rows.items())).encode())
