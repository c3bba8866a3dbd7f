"""A client for other services and for load tests."""

import urllib.request

from eta.data.schema import Trip
from eta.serving.codec import decode, encode
from eta.serving.protocol import Response


class Client:
    """Talks to one server."""

    def __init__(self, address: str, version: int = 1) -> None:
        self.address = address
        self.version = version

    def predict(self, trip: Trip) -> Response:
        """Ask for the duration of a trip."""
        if self.version == 2:
            from eta.serving.protocol import v2

            return v2.ask(self.address, trip)
        row = {key: value for key, value in trip.__dict__.items() if key != "duration"}
        request = urllib.request.Request(f"{self.address}/v1/predict", encode({"trip": row}))
        with urllib.request.urlopen(request) as response:
            answer = decode(response.read())
        return Response(answer["low"], answer["high"])
