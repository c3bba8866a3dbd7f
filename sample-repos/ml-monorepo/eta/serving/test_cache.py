"""Tests of the cache and the batcher."""

import unittest

from eta.common import clock
from eta.serving.batcher import Batcher
from eta.serving.cache import SECONDS, AnswerCache


class Counting:
    calls = 0

    def predict(self, x):
        self.calls += 1
        return 1.0


class CacheTest(unittest.TestCase):
    def test_answers_expire(self):
        model = Counting()
        cache = AnswerCache(model)
        for at in (100.0, 101.0, 102.0 + SECONDS):
            thaw = clock.freeze(at)
            cache.predict("a", None)
            thaw()
        self.assertEqual(model.calls, 2)

    def test_full_batch(self):
        batcher = Batcher(size=2)
        self.addCleanup(clock.freeze(5.0))
        self.assertIsNone(batcher.add(1))
        self.assertEqual(batcher.add(2), [1, 2])
