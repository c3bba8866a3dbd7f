"""Tests of flag parsing."""

import unittest

from flags import Flag, parse


class FlagsTest(unittest.TestCase):
    FLAGS = [Flag("rate", float, 0.1), Flag("name", str, "x")]

    def test_defaults(self):
        self.assertEqual(parse(self.FLAGS, []).rate, 0.1)

    def test_both_spellings(self):
        got = parse(self.FLAGS, ["--rate=2", "--name", "y", "file"])
        self.assertEqual((got.rate, got.name, got.rest), (2.0, "y", ["file"]))
