"""The gateway's old framing: a length, a newline, the body."""

from eta.serving.codec import decode, encode


def unframe(data: bytes):
    """The document in a frame."""
    length, _, body = data.partition(b"\n")
    return decode(body[: int(length)])


def frame(document) -> bytes:
    """A document in a frame."""
    body = encode(document)
    return str(len(body)).encode() + b"\n" + body
