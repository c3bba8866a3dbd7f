"""Train on recorded trips, then ask the server."""

import json
import unittest
from importlib import resources

from eta.data.dataset import Dataset
from eta.serving.server import respond
from eta.training.train import run


def golden() -> list[str]:
    """The recorded trips."""
    folder = resources.files("eta.integration") / "golden"
    return (folder / "trips.jsonl").read_text().splitlines()


class EndToEndTest(unittest.TestCase):
    def test_train(self):
        self.assertGreater(run(golden(), "late", "mem://end/to/end", "gaussian"), 0.0)

    def test_serve(self):
        trip = dict(Dataset.from_lines(golden()).trips[0].__dict__)
        trip.pop("duration")
        code, body = respond("/v1/predict", json.dumps({"trip": trip}).encode())
        self.assertEqual(code, 200)
        self.assertLessEqual(json.loads(body)["low"], json.loads(body)["high"])
