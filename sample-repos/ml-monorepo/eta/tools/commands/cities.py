"""`eta cities`: the cities we serve."""

from eta.data.cities import rush_hour, table


def run(argv: list[str]) -> str:
    """One line per city with the start of its rush hour."""
    return "\n".join(f"{city:<10} {rush_hour(city):02}:00" for city in sorted(table()))
