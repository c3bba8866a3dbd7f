"""Tests of the calendar features."""

import datetime
import unittest

from eta.features.time_of_day import NAMES, features


def at(*when: int) -> dict[str, float]:
    """Features by name at a time in UTC."""
    moment = datetime.datetime(*when, tzinfo=datetime.timezone.utc)
    return dict(zip(NAMES, features(int(moment.timestamp()))))


class TimeTest(unittest.TestCase):
    def test_midnight(self):
        self.assertAlmostEqual(at(2026, 3, 4)["hour_cos"], 1.0)

    def test_holiday(self):
        self.assertEqual(at(2026, 5, 1)["holiday"], 1.0)
        self.assertEqual(at(2026, 5, 2)["weekend"], 1.0)
