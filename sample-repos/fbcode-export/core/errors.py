class VisionError(Exception):
    """The base of everything this toolkit raises."""


class DecodeError(VisionError):
    def __init__(self, format: str, reason: str) -> None:
        super().__init__(f"cannot decode {format}: {reason}")


class ShapeError(VisionError):
    """An array that is no image."""
