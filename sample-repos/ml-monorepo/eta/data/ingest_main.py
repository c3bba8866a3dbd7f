"""Command line of the ingestion."""

import sys

from eta.common import logging
from eta.data import ingest, sources
from flags import Flag, parse

FLAGS = [Flag("format", str, "jsonl"), Flag("synthetic", int, 0)]


def main(argv=None) -> int:
    """Convert every source; problems go to the log."""
    args = parse(FLAGS, sys.argv[1:] if argv is None else argv)
    logging.setup()
    log = logging.get(__name__)
    for trip in sources.synthetic(args.synthetic):
        print(ingest.to_json(trip))
    for source in args.rest:
        trips, problems = ingest.ingest(sources.lines(source), args.format)
        for problem in problems:
            log.warning(problem)
        for trip in trips:
            print(ingest.to_json(trip))
    return 0


if __name__ == "__main__":
    sys.exit(main())
