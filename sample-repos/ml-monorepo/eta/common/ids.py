"""Stable identifiers."""

import hashlib


def short_id(*parts: object) -> str:
    """Twelve hex digits that depend on the parts and their order."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shard(key: str, shards: int) -> int:
    """Which of `shards` a key belongs to."""
    return int(short_id(key), 16) % shards
