"""Errors of the blob store."""


class BlobMissing(KeyError):
    """Nothing is stored under this path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"no blob at {self.path}"
