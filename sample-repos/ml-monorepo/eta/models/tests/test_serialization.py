"""Saved models predict what they predicted before."""

import unittest

from tinytensor import Tensor

from eta.models.linear import Linear
from eta.models.serialization import dumps, loads


class SerializationTest(unittest.TestCase):
    def test_round_trip(self):
        model = Linear(2)
        model.fit([Tensor([1, 2]), Tensor([2, 1])], [500.0, 700.0])
        again = loads(dumps(model))
        self.assertEqual(again.predict(Tensor([1, 1])), model.predict(Tensor([1, 1])))
