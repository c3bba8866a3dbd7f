"""Tests of the whole vector."""

import unittest

from eta.features import weather
from eta.features.embeddings import WIDTH
from eta.features.encoders import ENCODERS
from eta.features.pipeline import STORE, vector
from eta.testing import make_trip


class PipelineTest(unittest.TestCase):
    def test_width(self):
        self.assertEqual(len(vector(make_trip())), 2 + 4 + 1 + 3 + 8 + WIDTH)

    def test_vector_is_kept(self):
        vector(make_trip(trip_id="kept"))
        self.assertIsNotNone(STORE.get("kept"))

    def test_unknown_city(self):
        self.assertEqual(ENCODERS.make("city", "atlantis"), [0.0, 0.0, 0.0])
        self.assertAlmostEqual(weather.rain("atlantis", 1), 1 / 3)
