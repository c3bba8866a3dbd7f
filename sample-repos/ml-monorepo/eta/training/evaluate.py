"""Evaluates the stored model: `evaluate URI trips.jsonl`."""

import sys

from eta.data.dataset import Dataset
from eta.features.pipeline import vector
from eta.training import checkpoint, report
from eta.training.metrics import mean_absolute_error, share_within
from eta.training.trainer import predict_all


def evaluate(uri: str, lines) -> dict[str, float]:
    """Metrics of the model under `uri`."""
    model = checkpoint.restore(uri)
    if model is None:
        raise SystemExit(f"no model at {uri}")
    trips = Dataset.from_lines(lines).trips
    predicted = predict_all(model, [vector(trip) for trip in trips])
    wanted = [trip.duration for trip in trips]
    return {
        "mae": mean_absolute_error(predicted, wanted),
        "within_2min": share_within(predicted, wanted, 120.0),
    }


if __name__ == "__main__":
    with open(sys.argv[2]) as trips_file:
        print(report.table(evaluate(sys.argv[1], trips_file)))
