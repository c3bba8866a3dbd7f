"""Tests of the explanation of a trip."""

import unittest

from eta.testing import make_trip
from eta.tools.route_debug import explain


class RouteDebugTest(unittest.TestCase):
    def test_every_feature_has_a_line(self):
        lines = explain(make_trip())
        self.assertEqual(len(lines), 22)
        self.assertTrue(lines[0].startswith("distance_km"))
