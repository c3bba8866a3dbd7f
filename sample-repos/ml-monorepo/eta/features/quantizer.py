"""Eight-bit features, from the time when models ran on the phone."""

SCALE = 127


def quantize(values):
    """Integers from -127 to 127, and the factor to get back."""
    top = max((abs(value) for value in values), default=1.0) or 1.0
    return [round(value / top * SCALE) for value in values], top / SCALE


def check(values):
    """The largest error a round trip makes."""
    from eta.features.requantize import restore

    codes, factor = quantize(values)
    return max(abs(a - b) for a, b in zip(values, restore(codes, factor)))
