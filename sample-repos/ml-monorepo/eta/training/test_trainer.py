"""Tests of the loop, its losses and its callbacks."""

import unittest

from eta.data.batching import batches
from eta.models.zoo import make
from eta.training import checkpoint
from eta.training.callbacks import Callbacks
from eta.training.early_stopping import EarlyStopping
from eta.training.losses import huber, pinball
from eta.training.metrics import mean_absolute_error
from eta.training.trainer import Trainer, predict_all


class TrainerTest(unittest.TestCase):
    def test_loss_falls(self):
        xs, ys = [[0.0, 1.0]] * 8, [300.0] * 8
        trainer = Trainer(make("linear", 2), "squared", Callbacks([]), 0.05)
        first = trainer.fit(xs, ys, 1)
        self.assertLess(trainer.fit(xs, ys, 5), first)
        self.assertLess(mean_absolute_error(predict_all(trainer.model, xs), ys), 300.0)

    def test_losses(self):
        self.assertEqual(huber.slope(1000.0, 0.0), huber.DELTA)
        self.assertGreater(pinball.loss(0.0, 10.0), pinball.loss(10.0, 0.0))
        self.assertEqual(len(list(batches(range(4), 2))), 2)

    def test_early_stopping(self):
        callback = EarlyStopping()
        self.assertEqual([callback(n, None, 1.0) for n in range(4)], [False] * 3 + [True])

    def test_nothing_stored(self):
        self.assertIsNone(checkpoint.restore("mem://no/such/model"))
