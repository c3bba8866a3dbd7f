"""What a reader is."""

from typing import Iterable, Iterator

from eta.common.errors import BadRecord
from eta.data.schema import Trip, from_row


class Reader:
    """Turns lines into trips. Subclasses say how a line becomes a row."""

    def row(self, line: str) -> dict[str, str]:
        """The text fields of one line."""
        raise NotImplementedError

    def read(self, lines: Iterable[str]) -> Iterator[Trip]:
        """Every trip; a line that cannot be read raises `BadRecord`."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield from_row(self.row(line.rstrip("\n")))
            except (KeyError, ValueError) as error:
                raise BadRecord(number, str(error)) from error
