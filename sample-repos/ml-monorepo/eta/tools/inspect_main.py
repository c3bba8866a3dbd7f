"""Prints what modules offer: `inspect [--json=1] MODULE…`."""

import sys

from eta.tools import inspector
from flags import Flag, parse

FLAGS = [Flag("json", bool, False)]


def main() -> int:
    """One section per module."""
    args = parse(FLAGS, sys.argv[1:])
    for name in args.rest:
        if args.json:
            print(inspector.as_json(name))
            continue
        for item, doc in inspector.describe(name).items():
            print(f"{name}.{item}: {doc}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
