import visionkit.io


def open_image(path: str):
    """The old name of `visionkit.io.read`."""
    return visionkit.io.read(path)
