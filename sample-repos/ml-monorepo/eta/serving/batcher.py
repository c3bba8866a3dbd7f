"""Groups requests that arrive together."""

from eta.common import clock

WINDOW = 0.01


class Batcher:
    """Collects items until the window closes or the batch is full."""

    def __init__(self, size: int = 32) -> None:
        self.size = size
        self._items: list[object] = []
        self._closes = 0.0

    def add(self, item: object) -> list[object] | None:
        """The full batch, or None while there is room and time."""
        if not self._items:
            self._closes = clock.now() + WINDOW
        self._items.append(item)
        if len(self._items) >= self.size or clock.now() >= self._closes:
            batch, self._items = self._items, []
            return batch
        return None
