"""Tests of the `eta` command."""

import unittest

from eta.tools import commands
from eta.tools.commands.cli import main


class CommandsTest(unittest.TestCase):
    def test_names(self):
        self.assertEqual(commands.names(), ["cities", "models"])

    def test_models(self):
        self.assertEqual(commands.run("models", []), "default: linear + mlp")

    def test_unknown(self):
        self.assertEqual(main(["nonsense"]), 2)

    def test_plugin(self):
        self.assertEqual(main(["seconds", "61"]), 0)
