"""Models in the blob store."""

from acme import blobstore
from eta.models import serialization


def save(uri, model) -> None:
    """Write a model under a URI."""
    blobstore.put(uri, serialization.dumps(model))


def restore(uri):
    """The model under a URI; None if there is none."""
    try:
        return serialization.loads(blobstore.get(uri))
    except blobstore.BlobMissing:
        return None
