"""Blobs by URI: `mem://name` or `file:///path`."""

from acme.blobstore.client import get, put
from acme.blobstore.errors import BlobMissing

__all__ = ["BlobMissing", "get", "put"]
