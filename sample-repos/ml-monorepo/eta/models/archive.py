"""The file format of a saved model."""

import quickjson

VERSION = 2


def pack(kind: str, parameters: dict[str, list[float]]) -> bytes:
    """Bytes that `unpack` understands."""
    return quickjson.dumps({"v": VERSION, "kind": kind, "parameters": parameters}).encode()


def unpack(data: bytes) -> tuple[str, dict[str, list[float]]]:
    """The kind of model and its parameters."""
    document = quickjson.loads(data.decode())
    if document["v"] != VERSION:
        raise ValueError(f"archive version {document['v']}, expected {VERSION}")
    return document["kind"], document["parameters"]
