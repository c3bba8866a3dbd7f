"""Tests of the server without a socket."""

import unittest
from unittest import mock

from eta.serving import handlers
from eta.serving.server import respond
from eta.serving.warmup import warm_up


class ServerTest(unittest.TestCase):
    @mock.patch("eta.serving.health.free_slots", return_value=0)
    def test_full(self, _slots):
        self.assertEqual(respond("/health", b""), (503, b"full"))

    def test_unknown_path(self):
        self.assertEqual(respond("/nothing", b"")[0], 404)

    def test_warm_up_then_bad_request(self):
        self.assertEqual(warm_up(), 2)
        self.assertEqual(respond("/v1/predict", b"{}")[0], 400)
        self.assertTrue(callable(handlers.predict))
