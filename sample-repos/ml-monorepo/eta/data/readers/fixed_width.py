"""The export of the old dispatch system: columns of fixed width."""

from ..schema import FIELDS
from . import base

WIDTHS = (8, 12, 16, 16, 12, 8)


class FixedWidthReader(base.Reader):
    """Columns are padded with spaces on the right."""

    def row(self, line):
        values, at = [], 0
        for width in WIDTHS:
            values.append(line[at : at + width].strip())
            at += width
        return dict(zip(FIELDS, values))


READER = FixedWidthReader()
