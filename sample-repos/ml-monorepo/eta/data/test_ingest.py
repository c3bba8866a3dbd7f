"""Tests of ingestion and quality checks."""

import unittest

from eta.data import cities
from eta.data.ingest import ingest
from eta.data.quality import problems
from eta.testing import make_trip

LINE = "t9,porto,41.15;-8.61,41.16;-8.60,1700000000,420"


class IngestTest(unittest.TestCase):
    def test_csv(self):
        trips, found = ingest([LINE], "csv")
        self.assertEqual((trips[0].city, found), ("porto", []))

    def test_quality(self):
        found = problems([make_trip(), make_trip(city="atlantis")])
        self.assertEqual(len(found), 2)

    def test_city_table(self):
        self.assertEqual(cities.rush_hour("split"), 7)
        self.assertEqual(cities.centre("bergen"), (60.39, 5.32))
