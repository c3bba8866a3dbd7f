from visionkit.core.errors import DecodeError


class Registry:
    def __init__(self, decoders) -> None:
        self._decoders = dict(decoders)

    def find(self, suffix: str):
        try:
            return self._decoders[suffix.lower()]
        except KeyError:
            raise DecodeError(suffix or "file", "unknown format") from None
