"""Reads trips in any format and writes them as JSON lines."""

import dataclasses
import json

from eta.data.quality import problems
from eta.data.readers import open_reader
from eta.data.schema import Trip


def to_json(trip: Trip) -> str:
    """One line; points as the readers expect them."""
    row = dataclasses.asdict(trip)
    for end in ("start", "end"):
        row[end] = "{};{}".format(*row[end])
    return json.dumps(row, sort_keys=True)


def ingest(lines, file_format):
    """The trips of the input, and what is wrong with them."""
    trips = list(open_reader(file_format).read(lines))
    return trips, problems(trips)
