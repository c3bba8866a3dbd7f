"""Time that tests can hold still."""

import time
from typing import Callable

_now: Callable[[], float] = time.time


def now() -> float:
    """Seconds since the epoch."""
    return _now()


def freeze(at: float) -> Callable[[], None]:
    """Make `now()` answer `at`; the result undoes it."""
    global _now
    before = _now
    _now = lambda: at  # noqa: E731

    def thaw() -> None:
        global _now
        _now = before

    return thaw
