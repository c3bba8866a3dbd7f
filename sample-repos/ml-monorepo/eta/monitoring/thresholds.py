"""How far each feature may move."""

DEFAULT = 0.2

LIMITS = {
    "duration": 0.1,
    "distance_km": 0.25,
}


def limit(feature: str) -> float:
    """The limit of a feature."""
    return LIMITS.get(feature, DEFAULT)
