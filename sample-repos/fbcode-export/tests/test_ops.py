import unittest
from unittest import mock

from visionkit.core.geometry import Box
from visionkit.ops.filters import halve
from visionkit.ops.transform import crop, flip
from visionkit.testing.helpers import blank


class OpsTest(unittest.TestCase):
    def test_crop(self) -> None:
        self.assertEqual(crop(blank(8, 8), Box(2, 2, 20, 4)).size, (6, 2))

    def test_flip(self) -> None:
        self.assertEqual(flip(blank(8, 4)).size, (8, 4))

    @mock.patch("visionkit.native.resample.bilinear", return_value=blank(4, 2).pixels)
    def test_halve(self, bilinear) -> None:
        self.assertEqual(halve(blank(8, 4)).size, (4, 2))
