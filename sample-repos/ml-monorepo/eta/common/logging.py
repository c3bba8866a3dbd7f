"""One line per event, on stderr."""

import logging
import sys


def setup(verbose: bool = False) -> None:
    """Configure the root logger once per process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)


def get(name: str) -> logging.Logger:
    """The logger of a module."""
    return logging.getLogger(name)
