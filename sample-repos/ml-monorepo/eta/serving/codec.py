"""Bodies of requests and responses."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import json
else:
    import quickjson as json


def decode(body: bytes) -> Any:
    """A document from bytes; nothing from no bytes."""
    return json.loads(body.decode()) if body else {}


def encode(document: Any) -> bytes:
    """Bytes from a document."""
    return json.dumps(document).encode()
