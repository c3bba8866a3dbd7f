"""Version of the SDK; changes with the public names only."""

MAJOR, MINOR = 3, 1

VERSION = f"{MAJOR}.{MINOR}"


def compatible(other: str) -> bool:
    """Whether code written for another version works with this one."""
    major, minor = map(int, other.split("."))
    return major == MAJOR and minor <= MINOR
