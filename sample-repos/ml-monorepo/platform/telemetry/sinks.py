"""Where finished spans go."""


class MemorySink:
    """Keeps spans for tests and for the health page."""

    def __init__(self) -> None:
        self.spans = []

    def record(self, name: str, seconds: float) -> None:
        """Remember one span."""
        self.spans.append((name, seconds))


_SINK = MemorySink()


def current_sink() -> MemorySink:
    """The sink of this process."""
    return _SINK
