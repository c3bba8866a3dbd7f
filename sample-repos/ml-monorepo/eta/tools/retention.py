"""How long trips may be kept."""

DAYS = 90


def keep(written_at: float, now: float) -> bool:
    """Whether something of this age may stay."""
    return now - written_at <= DAYS * 86_400


def expires(written_at: float) -> float:
    """When it has to go."""
    return written_at + DAYS * 86_400
