"""Tests of the lazy names."""

import unittest

from eta import sdk
from eta.sdk.version import compatible


class SdkTest(unittest.TestCase):
    def test_every_public_name_loads(self):
        for name in sdk.__all__:
            self.assertIsNotNone(getattr(sdk, name))

    def test_unknown_name(self):
        with self.assertRaises(AttributeError):
            sdk.Server

    def test_version(self):
        self.assertTrue(compatible(sdk.VERSION))
        self.assertFalse(compatible("2.9"))
