"""Tests of equal-count buckets."""

import unittest

from eta.features.bucketing import bucket, edges


class BucketingTest(unittest.TestCase):
    def test_buckets_are_even(self):
        inner = edges([float(n) for n in range(9)], 3)
        counts = [0, 0, 0]
        for value in range(9):
            counts[bucket(float(value), inner)] += 1
        self.assertEqual(counts, [3, 3, 3])
