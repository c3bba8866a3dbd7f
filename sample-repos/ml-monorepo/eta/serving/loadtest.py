"""Sends trips as fast as one client can: `loadtest ADDRESS [COUNT]`."""

import sys
import time

from eta.data.schema import Trip
from eta.data.synthetic import generate
from eta.serving.client import Client
from eta.serving.protocol.golden.recorded import TRIP


def run(address: str, count: int) -> float:
    """Requests per second."""
    client = Client(address)
    start = time.perf_counter()
    for trip in [Trip(duration=0.0, **TRIP), *generate(count - 1)]:
        client.predict(trip)
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
