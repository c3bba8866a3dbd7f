"""Traffic: slower at rush hour, and never quite the same."""

SECONDS_PER_HOUR = 3600


def slowdown(at: int, chance) -> float:
    """A factor of at least one."""
    hour = at // SECONDS_PER_HOUR % 24
    rush = 0.5 if hour in (7, 8, 16, 17) else 0.0
    return 1.0 + rush + chance.uniform(0.0, 0.1)
