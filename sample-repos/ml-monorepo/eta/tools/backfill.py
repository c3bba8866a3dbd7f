"""Converts old trip files to JSON lines: `backfill FORMAT FILE…`."""

import sys

from eta.data.ingest import to_json
from eta.data.readers import open_reader
from eta.tools.retention import keep


def backfill(file_format: str, lines, now: float):
    """The lines of every trip that we may still keep."""
    for trip in open_reader(file_format).read(lines):
        if keep(trip.departed_at, now):
            yield to_json(trip)


if __name__ == "__main__":
    from eta.common.clock import now as current

    for path in sys.argv[2:]:
        with open(path) as source:
            print("\n".join(backfill(sys.argv[1], source, current())))
