"""Round trips through both stores."""

import tempfile
import unittest

from acme.blobstore import BlobMissing, get, put


class BlobstoreTest(unittest.TestCase):
    def test_memory(self):
        put("mem://a/b", b"1")
        self.assertEqual(get("mem://a/b"), b"1")

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder:
            put(f"file://{folder}/x/y", b"2")
            self.assertEqual(get(f"file://{folder}/x/y"), b"2")

    def test_missing(self):
        with self.assertRaises(BlobMissing):
            get("mem://nothing/here")
