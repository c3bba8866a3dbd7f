"""One JSON object per line."""

try:
    import quickjson as json
except ImportError:  # the slim image has no third-party packages
    import json

from .base import Reader


class JsonlReader(Reader):
    """Numbers may be written as numbers."""

    def row(self, line):
        return {key: str(value) for key, value in json.loads(line).items()}


READER = JsonlReader()
