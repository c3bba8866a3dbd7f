"""Writes the city table: name, centre, and the hour the rush begins."""

import json
import sys

CITIES = {
    "bergen": {"centre": [60.39, 5.32], "rush": 7},
    "porto": {"centre": [41.15, -8.61], "rush": 8},
    "split": {"centre": [43.51, 16.44], "rush": 7},
}


def main() -> None:
    """Print the table as JSON."""
    json.dump(CITIES, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
