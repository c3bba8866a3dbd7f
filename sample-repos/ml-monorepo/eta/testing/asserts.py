"""Assertions on floats."""

import math


def assert_close(got: float, want: float, tolerance: float = 1e-6) -> None:
    """Fail with both numbers unless they are within `tolerance`."""
    if not math.isclose(got, want, rel_tol=tolerance, abs_tol=tolerance):
        raise AssertionError(f"{got} is not close to {want}")


def assert_increasing(values: list[float]) -> None:
    """Fail at the first step down."""
    for left, right in zip(values, values[1:]):
        if right < left:
            raise AssertionError(f"{right} follows {left}")
