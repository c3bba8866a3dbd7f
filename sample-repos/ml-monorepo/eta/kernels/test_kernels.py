"""Both kernels give the same numbers."""

import unittest

from eta.kernels import device, ops, pure

WEIGHTS, VALUES = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]


class KernelsTest(unittest.TestCase):
    def test_same_sum(self):
        self.assertEqual(ops.weighted_sum(WEIGHTS, VALUES), 32.0)
        self.assertEqual(pure.weighted_sum(WEIGHTS, VALUES), 32.0)

    def test_device(self):
        self.assertEqual(device.describe(), "cpu")
        self.assertEqual(device.apply([WEIGHTS], VALUES), [32.0])
