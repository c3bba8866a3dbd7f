"""For the people who run pytest instead of Buck2: tests must not wait."""

import socket


def pytest_configure(config):
    """A test that opens a connection has a bug."""
    socket.setdefaulttimeout(0.1)


def pytest_collection_modifyitems(items):
    """Slow files last."""
    items.sort(key=lambda item: "end_to_end" in item.nodeid)
