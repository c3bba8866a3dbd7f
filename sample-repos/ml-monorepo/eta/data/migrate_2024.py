"""One-off: rewrites 2024's trips, whose durations were in minutes."""

import json
import sys


def fix(line: str) -> str:
    """Minutes to seconds."""
    row = json.loads(line)
    row["duration"] = float(row["duration"]) * 60
    return json.dumps(row, sort_keys=True)


def main() -> None:
    """Filter standard input."""
    for line in sys.stdin:
        print(fix(line))


if __name__ == "__main__":
    main()
