"""File names that work everywhere."""

import re
import sys

if sys.platform == "win32":
    from winpath import long_path
else:

    def long_path(path: str) -> str:
        """Only Windows has a limit."""
        return path


def archive_path(folder: str, name: str) -> str:
    """Where the archive of a model goes."""
    return long_path(f"{folder}/{re.sub('[^a-z0-9]+', '-', name.lower())}.eta")
