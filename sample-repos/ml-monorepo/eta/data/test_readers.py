"""Tests of the readers."""

import unittest

from eta.data.readers import formats, open_reader

ROW = ("t1", "split", "43.5;16.4", "43.6;16.5", "1700000000", "300")


class ReadersTest(unittest.TestCase):
    def test_formats(self):
        self.assertEqual(formats(), ["csv", "jsonl"])

    def test_fixed_width(self):
        line = "".join(value.ljust(w) for value, w in zip(ROW, (8, 12, 16, 16, 12, 8)))
        (trip,) = open_reader("fixed").read([line])
        self.assertEqual((trip.trip_id, trip.duration), ("t1", 300.0))

    def test_bad_line_is_named(self):
        with self.assertRaisesRegex(Exception, "line 2"):
            list(open_reader("csv").read([",".join(ROW), "nonsense"]))
