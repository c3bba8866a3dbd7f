"""One column per value."""


def onehot(value: str, known: tuple[str, ...]) -> list[float]:
    """All zero for a value that is not known."""
    return [float(value == name) for name in known]


def names(column: str, known: tuple[str, ...]) -> list[str]:
    """The names of the columns `onehot` makes."""
    return [f"{column}={name}" for name in known]
