"""Helpers for tests."""

from eta.testing.asserts import assert_close
from eta.testing.builders import make_trip, make_trips

__all__ = ["assert_close", "make_trip", "make_trips"]
