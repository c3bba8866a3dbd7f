"""Writes a Python module with the fixed public holidays of the given years."""

import sys

FIXED = ((1, 1), (5, 1), (12, 25), (12, 26))


def source(years: list[int]) -> str:
    """The module's text."""
    days = ",\n".join(f"    ({year}, {month}, {day})" for year in years for month, day in FIXED)
    return f'"""Public holidays. Generated, do not edit."""\n\nDAYS = frozenset([\n{days},\n])\n'


if __name__ == "__main__":
    sys.stdout.write(source([int(year) for year in sys.argv[1:]]))
