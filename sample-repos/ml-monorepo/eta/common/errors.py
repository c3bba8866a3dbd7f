"""Errors a user can do something about."""


class EtaError(Exception):
    """Base of them all."""


class ConfigError(EtaError):
    """A setting is missing or makes no sense."""


class BadRecord(EtaError):
    """An input line that cannot be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
