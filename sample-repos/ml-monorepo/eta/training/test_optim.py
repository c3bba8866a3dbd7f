"""Tests of the optimizer and the schedules."""

import unittest

from tinytensor import Tensor

from eta.training.optim import Momentum
from eta.training.schedules import from_name


class OptimTest(unittest.TestCase):
    def test_descends(self):
        optimizer, at = Momentum(0.1), [4.0]
        for _ in range(100):
            at = optimizer.step(at, [2 * at[0]])
        self.assertLess(abs(at[0]), 0.2)
        self.assertGreaterEqual(optimizer.energy(), 0.0)
        self.assertEqual(len(Tensor(at)), 1)

    def test_warmup_starts_low(self):
        schedule = from_name("warmup", rate=1.0, steps=10)
        self.assertLess(schedule.rate(0), schedule.rate(9))
