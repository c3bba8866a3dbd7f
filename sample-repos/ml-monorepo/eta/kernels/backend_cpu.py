"""The backend on a CPU."""

from eta.kernels.ops import weighted_sum

NAME = "cpu"


def matvec(matrix, vector):
    """Matrix times vector, both plain lists."""
    return [weighted_sum(row, vector) for row in matrix]
