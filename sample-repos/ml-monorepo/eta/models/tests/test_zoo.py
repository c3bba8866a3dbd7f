"""Tests of the models as users get them."""

import unittest

from tinytensor import Tensor

from eta.models.base import Model
from eta.models.heads import make_head
from eta.models.zoo import Ensemble, Stump, make


class ZooTest(unittest.TestCase):
    def test_presets(self):
        for name in ("linear", "mlp", "stump", "default"):
            self.assertIsInstance(make(name, 3), Model)

    def test_ensemble_is_the_mean(self):
        class Fixed(Model):
            def __init__(self, value):
                self.value = value

            def predict(self, x):
                return self.value

        self.assertEqual(Ensemble([Fixed(1.0), Fixed(3.0)]).predict(Tensor([0])), 2.0)

    def test_stump(self):
        self.assertEqual(Stump().predict(Tensor([1.0])), 600.0)

    def test_heads(self):
        for name in ("gaussian", "point", "quantile"):
            low, high = make_head(name).interval(600.0)
            self.assertLessEqual(low, high)
