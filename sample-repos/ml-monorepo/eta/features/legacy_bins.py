"""Distance bins of the 2023 model."""

EDGES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def bin_of(distance_km: float) -> int:
    """The bin's number; beyond the last edge is a bin of its own."""
    for number, edge in enumerate(EDGES):
        if distance_km < edge:
            return number
    return len(EDGES)


def label(number: int) -> str:
    """How reports name a bin."""
    low = EDGES[number - 1] if number else 0
    return f"from {low} km"
