"""Tests of the telemetry package."""

import unittest

from telemetry import counter, span
from telemetry.sinks import current_sink


class TelemetryTest(unittest.TestCase):
    def test_counter_is_shared_by_name(self):
        counter("telemetry_test").add(2)
        self.assertEqual(counter("telemetry_test").value, 2)

    def test_span_reaches_the_sink(self):
        with span("work"):
            pass
        self.assertEqual(current_sink().spans[-1][0], "work")
