"""The way back from eight-bit features."""


def restore(codes, factor):
    """Floats again."""
    return [code * factor for code in codes]


def rescale(codes, factor, new_factor):
    """The codes for another factor."""
    from eta.features.quantizer import SCALE

    fresh = [round(value / new_factor) for value in restore(codes, factor)]
    return [max(-SCALE, min(SCALE, code)) for code in fresh]
