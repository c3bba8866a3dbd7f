"""Tests of requests, framing and cache keys."""

import unittest

from eta.serving.codec_v0 import frame, unframe
from eta.serving.featurize import cache_key, featurize
from eta.serving.protocol import BadRequest, Request
from eta.serving.protocol.golden.recorded import BAD, GOOD
from eta.testing import make_trip


class ProtocolTest(unittest.TestCase):
    def test_recorded(self):
        self.assertEqual(Request.parse(GOOD[1]).head, "quantile")
        for body in BAD:
            with self.assertRaises(BadRequest):
                Request.parse(body)

    def test_frames(self):
        self.assertEqual(unframe(frame({"a": 1})), {"a": 1})

    def test_same_hour_same_key(self):
        early, late = make_trip(trip_id="a"), make_trip(trip_id="b")
        self.assertEqual(cache_key(early), cache_key(late))
        self.assertEqual(len(featurize(early)), len(featurize(late)))
