import unittest

from visionkit.core.errors import ShapeError
from visionkit.core.image import Image
from visionkit.testing.helpers import blank


class ImageTest(unittest.TestCase):
    def test_size(self) -> None:
        self.assertEqual(blank(3, 2).size, (3, 2))

    def test_flat_array(self) -> None:
        with self.assertRaises(ShapeError):
            Image(blank(3, 2).pixels[0])
