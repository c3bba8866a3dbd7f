"""Tests of the geographic features."""

import unittest

from eta.features import geo
from eta.testing import assert_close, make_trip


class GeoTest(unittest.TestCase):
    def test_one_degree_of_latitude(self):
        trip = make_trip(start=(0.0, 0.0), end=(1.0, 0.0))
        distance, bearing = geo.features(trip)
        assert_close(distance, 111.19, tolerance=1e-3)
        assert_close(bearing, 0.0)

    def test_cells(self):
        self.assertEqual(geo.cell((0.07, 0.01)), "1:0")
