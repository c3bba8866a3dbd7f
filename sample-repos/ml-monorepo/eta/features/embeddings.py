"""A small learned vector per word of the vocabulary."""

import tinytensor

import eta.features.vocab

WIDTH = 4


def embed(word: str) -> tinytensor.Tensor:
    """The vector of a word; unknown words share one."""
    number = eta.features.vocab.index(word)
    return tinytensor.Tensor(((number * 31 + n * 17) % 11) / 11 for n in range(WIDTH))
