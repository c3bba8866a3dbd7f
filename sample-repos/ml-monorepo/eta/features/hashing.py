"""The hashing trick."""

import zlib


def hashed(value: str, width: int) -> list[float]:
    """A vector with a one (or minus one) where the value hashes to."""
    code = zlib.crc32(value.encode())
    vector = [0.0] * width
    vector[code % width] = 1.0 if code & 0x8000_0000 else -1.0
    return vector
