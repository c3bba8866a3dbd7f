"""A cleaned, sampled set of trips that can be read more than once."""

from eta.data.batching import batches
from eta.data.cleaning import clean
from eta.data.readers import open_reader
from eta.data.sampling import sample
from eta.data.schema import Trip


class Dataset:
    """Trips in memory."""

    def __init__(self, trips: list[Trip]) -> None:
        self.trips = trips

    @classmethod
    def from_lines(cls, lines, file_format: str = "jsonl", one_in: int = 1) -> "Dataset":
        """Read, clean and sample."""
        trips = clean(open_reader(file_format).read(lines))
        return cls(list(sample(trips, one_in)))

    def batches(self, size: int):
        """The trips in batches of `size`."""
        return batches(self.trips, size)

    def __len__(self) -> int:
        return len(self.trips)
