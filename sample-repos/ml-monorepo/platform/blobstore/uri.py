"""Blob URIs."""

from urllib.parse import urlsplit


def split_uri(uri: str) -> tuple[str, str]:
    """`scheme://path` as two strings; a missing scheme is an error."""
    parts = urlsplit(uri)
    if not parts.scheme:
        raise ValueError(f"{uri!r} has no scheme")
    return parts.scheme, parts.netloc + parts.path
