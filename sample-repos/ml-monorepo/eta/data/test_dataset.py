"""Tests of the dataset and what it is made of."""

import unittest

from eta.data.batching import batches
from eta.data.dataset import Dataset
from eta.data.ingest import to_json
from eta.data.sampling import by_city
from eta.data.splits import split
from eta.testing import make_trip, make_trips


class DatasetTest(unittest.TestCase):
    def test_round_trip(self):
        lines = [to_json(trip) for trip in make_trips(3)]
        self.assertEqual(Dataset.from_lines(lines).trips, make_trips(3))

    def test_too_short_trips_are_dropped(self):
        lines = [to_json(make_trip(duration=5.0))]
        self.assertEqual(len(Dataset.from_lines(lines)), 0)

    def test_last_batch_is_short(self):
        self.assertEqual([len(b) for b in batches(range(5), 2)], [2, 2, 1])

    def test_split_loses_nothing(self):
        train, held = split(make_trips(50))
        self.assertEqual(len(train) + len(held), 50)

    def test_by_city(self):
        self.assertEqual(list(by_city(make_trips(2))), ["bergen"])
