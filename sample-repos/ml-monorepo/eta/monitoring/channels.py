"""Where alerts go. Today: a list that the dashboard polls."""

_SENT: dict[str, str] = {}


def send(key: str, text: str) -> bool:
    """True if this was news."""
    news = key not in _SENT
    _SENT[key] = text
    return news


def sent() -> list[str]:
    """Everything sent so far."""
    return sorted(_SENT.values())
