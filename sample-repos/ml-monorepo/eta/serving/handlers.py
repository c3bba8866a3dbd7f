"""One function per kind of request."""

from eta.common.ids import short_id
from eta.data.schema import Trip
from eta.models.heads import make_head
from eta.models.zoo import make
from eta.serving.cache import AnswerCache
from eta.serving.codec import decode, encode
from eta.serving.codec_v0 import frame, unframe
from eta.serving.featurize import cache_key, featurize
from eta.serving.protocol import Request, Response

_WIDTH = 22
_CACHE = AnswerCache(make("default", _WIDTH))


def predict(body: bytes) -> bytes:
    """Body of a request to body of a response."""
    return encode(answer(Request.parse(decode(body))))


def predict_framed(data: bytes) -> bytes:
    """The same for the gateway."""
    return frame(answer(Request.parse(unframe(data))))


def answer(request: Request) -> dict:
    """The response as a document."""
    trip: Trip = request.trip
    seconds = _CACHE.predict(cache_key(trip), featurize(trip))
    low, high = make_head(request.head).interval(seconds)
    return {**Response(low, high).__dict__, "id": short_id(trip.trip_id, request.head)}
