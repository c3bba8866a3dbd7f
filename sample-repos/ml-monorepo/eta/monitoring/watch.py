"""Compares two files of trips: `watch BEFORE AFTER`."""

import sys

from eta.data.dataset import Dataset
from eta.features.geo import NAMES, features
from eta.monitoring import alerts
from eta.monitoring.drift import describe, psi


def columns(path: str) -> dict[str, list[float]]:
    """Geographic features and durations by name."""
    with open(path) as lines:
        trips = Dataset.from_lines(lines).trips
    rows = [[*features(trip), trip.duration] for trip in trips]
    return dict(zip((*NAMES, "duration"), map(list, zip(*rows))))


def main(before_path: str, after_path: str) -> int:
    """Print the drift; the exit code says whether somebody has to look."""
    before, after = columns(before_path), columns(after_path)
    for name in before:
        print(describe(name, before[name], after[name]))
    return int(bool(alerts.check({name: psi(before[name], after[name]) for name in before})))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
