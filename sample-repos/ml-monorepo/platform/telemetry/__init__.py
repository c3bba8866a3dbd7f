"""Counters, timers and spans for every service."""

from .counters import Counter, counter
from .spans import span
from .timers import Timer

__all__ = ["Counter", "Timer", "counter", "span"]
