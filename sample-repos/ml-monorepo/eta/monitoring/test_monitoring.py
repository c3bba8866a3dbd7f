"""Tests of drift and alerts."""

import unittest

from eta.monitoring.alerts import check
from eta.monitoring.channels import sent
from eta.monitoring.drift import describe, psi

BEFORE, AFTER = [float(n) for n in range(100)], [float(n) / 4 for n in range(100)]


class MonitoringTest(unittest.TestCase):
    def test_no_drift(self):
        self.assertAlmostEqual(psi(BEFORE, BEFORE), 0.0)

    def test_drift_is_reported_and_sent(self):
        value = psi(BEFORE, AFTER)
        self.assertGreater(value, 0.2)
        self.assertIn("duration", describe("duration", BEFORE, AFTER))
        self.assertEqual([alert.feature for alert in check({"duration": value})], ["duration"])
        self.assertEqual(sent(), ["duration drifted"])
