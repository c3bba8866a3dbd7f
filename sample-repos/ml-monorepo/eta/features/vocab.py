"""The words we have vectors for."""

from eta.features import embeddings

WORDS = ("airport", "centre", "harbour", "station")


def index(word: str) -> int:
    """Position in the vocabulary, from one; zero is for unknown words."""
    return WORDS.index(word) + 1 if word in WORDS else 0


def size_in_bytes() -> int:
    """What the table takes in memory."""
    return (len(WORDS) + 1) * embeddings.WIDTH * 8
