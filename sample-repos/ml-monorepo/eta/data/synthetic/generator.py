"""Draws trips around the centre of each city."""

import random

from eta.data import cities
from eta.data.schema import Trip
from eta.data.synthetic.noise.traffic import slowdown


def generate(count: int, seed: int = 7) -> list[Trip]:
    """`count` trips; equal seeds give equal trips."""
    chance = random.Random(seed)
    names = sorted(cities.table())
    trips = []
    for number in range(count):
        city = names[number % len(names)]
        lat, lon = cities.centre(city)
        end = (lat + chance.uniform(0.01, 0.1), lon + chance.uniform(0.01, 0.1))
        departed_at = 1_700_000_000 + 600 * number
        seconds = 9000 * (end[0] - lat + end[1] - lon) * slowdown(departed_at, chance)
        trips.append(Trip(f"s{number}", city, (lat, lon), end, departed_at, seconds + 60))
    return trips
