"""Tests of the scripts that touch files."""

import os
import tempfile
import unittest
from pathlib import Path

from eta.testing import make_trip
from eta.tools.cleanup import clean
from eta.tools.export import export
from eta.tools.retention import DAYS, expires, keep


class MaintenanceTest(unittest.TestCase):
    def test_retention(self):
        written = make_trip().departed_at
        self.assertTrue(keep(written, written + 1))
        self.assertFalse(keep(written, expires(written) + 1))
        self.assertEqual(DAYS, 90)

    def test_cleanup(self):
        with tempfile.TemporaryDirectory() as folder:
            old, new = Path(folder, "old.jsonl"), Path(folder, "new.jsonl")
            old.touch()
            new.touch()
            os.utime(old, (0, 0))
            self.assertEqual(clean(Path(folder)), [old])

    def test_export(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn(b"linear", export("linear", folder).read_bytes())
