"""Train, store, evaluate."""

import unittest

from eta.data.ingest import to_json
from eta.testing import make_trips
from eta.training.evaluate import evaluate
from eta.training.report import regression, table
from eta.training.train import run


class EvaluateTest(unittest.TestCase):
    def test_train_then_evaluate(self):
        lines = [to_json(trip) for trip in make_trips(20)]
        run(lines, "quick", "mem://test/model", "point")
        metrics = evaluate("mem://test/model", lines)
        self.assertGreater(metrics["within_2min"], 0.0)
        self.assertIn("mae", table(metrics))

    def test_regression(self):
        self.assertEqual(regression({"mae": 1.0}, {"mae": 2.0}), ["mae"])
