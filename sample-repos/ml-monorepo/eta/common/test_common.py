"""Tests of the shared pieces."""

import unittest

from eta.common import clock, config, ids
from eta.common.errors import ConfigError
from eta.common.registry import Registry


class CommonTest(unittest.TestCase):
    def test_frozen_clock(self):
        thaw = clock.freeze(12.0)
        self.assertEqual(clock.now(), 12.0)
        thaw()
        self.assertGreater(clock.now(), 12.0)

    def test_config(self):
        self.assertEqual(config.load("rate: 0.1  # default"), {"rate": "0.1"})
        with self.assertRaises(ConfigError):
            config.load("", required=("rate",))

    def test_ids_are_stable(self):
        self.assertEqual(ids.short_id("a", 1), ids.short_id("a", 1))
        self.assertIn(ids.shard("trip", 4), range(4))

    def test_registry_names_what_it_knows(self):
        registry = Registry("shape")
        registry.add("dot")(lambda: ".")
        self.assertEqual(registry.make("dot"), ".")
        with self.assertRaisesRegex(KeyError, "dot"):
            registry.make("line")
