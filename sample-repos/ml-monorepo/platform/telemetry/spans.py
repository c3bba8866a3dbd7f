"""Nested spans, kept in memory and handed to a sink."""

import contextlib

from .sinks import current_sink
from .timers import Timer


@contextlib.contextmanager
def span(name):
    """Time the body and report it to the current sink."""
    with Timer() as timer:
        yield timer
    current_sink().record(name, timer.seconds)
