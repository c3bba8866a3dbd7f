"""Tables for notebooks."""


def preview(dataset, rows=5):
    """The first trips as text, one per line."""
    lines = [f"{'trip':<8} {'city':<10} seconds"]
    for trip in dataset.trips[:rows]:
        lines.append(f"{trip.trip_id:<8} {trip.city:<10} {trip.duration:.0f}")
    return "\n".join(lines)
